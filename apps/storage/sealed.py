"""What this module keeps sealed."""

from collections.abc import Iterator

from apps.storage import places
from apps.storage.models import Store
from bitvault.kernel.resealing import Column, Counts, sealed_column, walk


@sealed_column(Store, "sealed_secret", purpose=places.PURPOSE)
def reseal_stores(column: Column) -> Iterator[Counts]:
    """Seal the secrets of object stores anew."""
    yield from walk(column)
    places.forget()
