"""Facts about the request (or task) that is running: its id goes into events, logs and problem answers."""

from contextvars import ContextVar

_request_id: ContextVar[str | None] = ContextVar("bitvault_request_id", default=None)


def current_request_id() -> str | None:
    """Tell the id of the running request or task, if there is one."""
    return _request_id.get()


def set_request_id(value: str | None) -> None:
    """Name the running request or task."""
    _request_id.set(value)
