"""Facts about the request (or task) that is running: its id goes into events, logs and problem answers."""

from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

DEVICE_HEADER = "BitVault-Device"
"""Says which device sends a request: one of the caller's own, by its id."""

_request_id: ContextVar[str | None] = ContextVar("bitvault_request_id", default=None)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from: the client's address, and the device that sent it, where it said so."""

    address: str | None = None
    device_id: UUID | None = None
    device_name: str | None = None
    token_id: UUID | None = None
    """The token that it was authorised by; ``None`` for a session."""
    operator_id: UUID | None = None
    """The operator who looks at the tenant as the member ``on_behalf_of``: they are the actor of what becomes of it."""
    on_behalf_of: UUID | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody whom nobody knows: what their browser was given to be told apart by (``is_new``: just now), and where they come from.

    ``resumes`` says that they ask for a later part of a file.
    """

    id: str
    is_new: bool
    address: str = ""
    program: str = ""
    resumes: bool = False


_NOWHERE = Origin()

_origin: ContextVar[Origin] = ContextVar("bitvault_origin", default=_NOWHERE)


def current_origin() -> Origin:
    """Tell where the running request comes from; empty for a task."""
    return _origin.get()


def set_origin(origin: Origin) -> None:
    """Say where the running request comes from."""
    _origin.set(origin)


def current_request_id() -> str | None:
    """Tell the id of the running request or task, if there is one."""
    return _request_id.get()


def set_request_id(value: str | None) -> None:
    """Name the running request or task."""
    _request_id.set(value)
