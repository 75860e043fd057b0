"""What this module keeps sealed."""

from collections.abc import Iterator

from apps.notifications.models import Browser
from apps.notifications.webpush import PURPOSE
from bitvault.kernel.resealing import Column, Counts, sealed_column, walk


@sealed_column(Browser, "target", purpose=PURPOSE)
def reseal_targets(column: Column) -> Iterator[Counts]:
    """Seal addresses and keys of browsers anew."""
    yield from walk(column)
