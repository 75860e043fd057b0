"""Reads of the module."""

from uuid import UUID

from apps.example_module.dtos import CommittedVersion
from apps.example_module.models import Version
from bitvault.kernel import db, pages
from bitvault.kernel.pages import Page

_PURPOSE = "example_module.versions"


def list_versions(*, committed_by: UUID, cursor: str | None, limit: int) -> Page[CommittedVersion]:
    """List a person's versions, newest first: ids rise with time."""
    rows = Version.objects.filter(committed_by=committed_by).order_by("-version_id")
    if cursor is not None:
        rows = rows.filter(version_id__lt=UUID(pages.decode_cursor(_PURPOSE, cursor)[0]))
    with db.read_transaction():
        found = list(rows[: limit + 1])
    items = [CommittedVersion(row.version_id, row.node_id, row.committed_at) for row in found[:limit]]
    return Page(items, pages.encode_cursor(_PURPOSE, [items[-1].version_id.hex]) if len(found) > limit else None)
