"""Feature flags: declared in code with an owner and an end, read by their type through OpenFeature, decided by operators.

A module declares its flags in ``apps/<module>/flags.py`` and asks ``FLAG.value(actor)`` where it branches. Who decides stands behind the
provider that Administration sets; without one, and wherever it fails, a flag has its default.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, cast

import structlog
from django.conf import settings
from openfeature import api as openfeature
from openfeature.evaluation_context import EvaluationContext, EvaluationContextAttribute
from openfeature.flag_evaluation import FlagEvaluationDetails

from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor, ActorKind
from bitvault.kernel.errors import ProgrammingError

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

T = TypeVar("T", bool, int, str)
Value = bool | int | str
FlagKind = Literal["boolean", "number", "text", "variant"]

logger = structlog.get_logger(__name__)


class DeclaredTwice(ProgrammingError):
    """Two flags want the same key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Generic[T]):
    """A switch that the code asks for. Its type is its default's."""

    key: str
    """``<module>.<name>``."""
    default: T
    """What holds until somebody decides otherwise, and when nobody can be asked."""
    description: "StrOrPromise"
    """What it does; administrators of vaults read it, so it is a text of the catalogues (``gettext_lazy``)."""
    owner: str
    """The module, or the people, who know whether it is still needed."""
    ends: date | None
    """By when it is to be gone from the code; ``None``: it is a lasting choice of the installation."""
    variants: tuple[str, ...] = ()
    """Of a text: all that it may be."""
    least: int | None = None
    most: int | None = None
    """Of a number: its bounds."""
    for_tenants: bool = False
    """Whether administrators of a tenant may choose for their vault."""

    @property
    def kind(self) -> FlagKind:
        """What its values are."""
        match self.default:
            case bool():
                return "boolean"
            case int():
                return "number"
            case _:
                return "variant" if self.variants else "text"

    def accepts(self, value: object) -> bool:
        """Tell whether it may have this value."""
        if type(value) is not type(self.default):
            return False
        if isinstance(value, str):
            return not self.variants or value in self.variants
        if self.kind == "number" and isinstance(value, int):
            return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)
        return True

    def value(self, actor: Actor | None = None) -> T:
        """Tell what holds for an actor, or for the entered tenant: at most 0.8 s old, within a transaction or outside of one."""
        details = _ask(type(self.default))(self.key, self.default, context_of(actor))
        if details.error_code is not None:
            logger.error("flag_not_resolved", flag=self.key, code=str(details.error_code), reason=details.error_message)
        return cast("T", details.value)


_declared: dict[str, Flag[Any]] = {}


def declare(flag: Flag[T]) -> Flag[T]:
    """Make a flag known; returns it.

    :raises DeclaredTwice: another one has its key.
    """
    if flag.key in _declared:
        raise DeclaredTwice(flag.key)
    _declared[flag.key] = flag
    return flag


def withdraw(flag: Flag[Any]) -> None:
    """Make a flag unknown again."""
    del _declared[flag.key]


def find(key: str) -> Flag[Any] | None:
    """Find a flag that the code declares."""
    return _declared.get(key)


def list_declared() -> list[Flag[Any]]:
    """List the flags that the code declares, by their keys."""
    return [_declared[key] for key in sorted(_declared)]


def context_of(actor: Actor | None) -> EvaluationContext:
    """Say who asks, as rules read it: environment, tenant, role, and the person as what a share of people is chosen by."""
    tenant = actor.tenant if actor is not None else tenancy.find_current()
    attributes: dict[str, EvaluationContextAttribute] = {"environment": settings.BITVAULT_ENVIRONMENT}
    if tenant is not None:
        attributes["tenant"] = tenant.slug
        attributes["tenant_id"] = tenant.id.hex
    if actor is None or actor.kind is not ActorKind.USER:
        return EvaluationContext(attributes=attributes)
    attributes["role"] = actor.role.value
    return EvaluationContext(targeting_key=actor.user_id.hex, attributes=attributes)


_client = openfeature.get_client()


def _ask(kind: type) -> Callable[[str, Any, EvaluationContext], FlagEvaluationDetails[Any]]:
    if kind is bool:
        return _client.get_boolean_details
    return _client.get_integer_details if kind is int else _client.get_string_details
