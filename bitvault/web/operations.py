"""What a method of a view takes and gives: said beside it, read by the OpenAPI document (``openapi``), pagination and tests."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bitvault.kernel import errors
from bitvault.web.structs import Body, Query

H = TypeVar("H", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of a view takes and gives."""

    body: type[Body] | None = None
    query: type[Query] | None = None
    answer: Any = None
    status: int = 200
    problems: tuple[type[errors.BitVaultError], ...] = field(default=())
    repeatable: bool = False
    repeated_status: int | None = None
    pending: Any = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    idempotent: bool = False

    @property
    def takes_key(self) -> bool:
        """Whether a POST can be sent again with its ``Idempotency-Key``: the answer is kept, or has no need to be."""
        return self.repeatable or self.idempotent or self.repeated_status is not None


UNDESCRIBED = Operation()


def operation(
    *,
    body: type[Body] | None = None,
    query: type[Query] | None = None,
    answer: Any = None,
    status: int = 200,
    problems: tuple[type[errors.BitVaultError], ...] = (),
    repeatable: bool = False,
    repeated_status: int | None = None,
    pending: Any = None,
    headers: Mapping[str, Any] | None = None,
    idempotent: bool = False,
) -> Callable[[H], H]:
    """Say what a view's method takes (``body``, ``query``), what it gives (``answer`` with ``status``) and which problems are its own.

    A ``repeatable`` one takes an ``Idempotency-Key`` (``View.repeatable``); one that tells by its status that it was done before has a
    ``repeated_status``. One that is not done within the request says with what it answers 202 until then (``pending``). ``headers`` of its
    own are named as OpenAPI names them. An ``idempotent`` POST says how something is to be: it takes a key and needs none. All other POSTs
    refuse one.
    """
    described = Operation(
        body, query, answer, status, problems, repeatable, repeated_status, pending, headers or {}, idempotent
    )

    def mark(method: H) -> H:
        method.__operation__ = described  # type: ignore[attr-defined] # read by find_operation
        return method

    return mark


def find_operation(handler: Any) -> Operation:
    """Find what a method of a view says of itself."""
    found: Operation = getattr(handler, "__operation__", UNDESCRIBED)
    return found
