"""The door of what was made of content, for those who count it."""

from apps.storage.operations import deriving
from bitvault.kernel.boundary import exposed


@exposed
def measure_derived() -> int:
    """Add up the bytes of what was made of the entered tenant's content and is kept."""
    return deriving.measure()
