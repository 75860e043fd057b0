"""What was refused inside an answer that is whole: items of a batch say so to the caller, and here to the audit log."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

from bitvault.kernel.errors import BitVaultError

_FORBIDDEN, _NOT_FOUND = 403, 404


@dataclass(frozen=True, slots=True)
class DeniedItem:
    """One item of a request: the node that it was about, and the code of the refusal."""

    node_id: UUID | None
    code: str


_items: ContextVar[list[DeniedItem] | None] = ContextVar("denied_items", default=None)


@contextmanager
def collecting() -> Iterator[list[DeniedItem]]:
    """Collect what is noted within the block."""
    items: list[DeniedItem] = []
    token = _items.set(items)
    try:
        yield items
    finally:
        _items.reset(token)


def note_denied_item(error: BitVaultError, *, node_id: UUID) -> None:
    """Note the refusal of one item, if the audit log is told of such: what is forbidden, and a node that is there and hidden."""
    items = _items.get()
    if items is None:
        return
    if error.status == _FORBIDDEN:
        items.append(DeniedItem(node_id, error.code))
    elif error.status == _NOT_FOUND and error.denied is not None and error.denied.node_id is not None:
        items.append(DeniedItem(error.denied.node_id, error.code))
