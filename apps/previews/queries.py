"""Reads of what is known of previews."""

from collections.abc import Collection

from apps.previews.models import Preview
from bitvault.kernel import db


def find_rows(content_hashes: Collection[str], parts: Collection[str]) -> dict[tuple[str, str], Preview]:
    """Find what is known of these parts of these contents, by content and part."""
    with db.read_transaction():
        rows = list(Preview.objects.filter(content_hash__in=content_hashes, part__in=parts))
    return {(row.content_hash, row.part): row for row in rows}
