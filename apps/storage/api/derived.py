"""The door of what was made of content, for those who count it."""

from collections.abc import Sequence

from apps.storage.operations import deriving
from bitvault.kernel.boundary import exposed


@exposed
def read_derived(*, content_hash: str, names: Sequence[str]) -> bytes | None:
    """Read what was made of a content: the first of ``names`` that is there, or ``None``. For what is drawn of it for one person.

    :raises StoreUnavailable: the store does not answer.
    """
    return deriving.read(bytes.fromhex(content_hash), names)


@exposed
def measure_derived() -> int:
    """Add up the bytes of what was made of the entered tenant's content and is kept."""
    return deriving.measure()
