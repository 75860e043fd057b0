"""How often documents changed beside their nodes' own rows, of which revisions do not tell: OpenSearch takes what is newer by this."""

from collections.abc import Collection
from uuid import UUID

from django.db.models import F

from apps.search.models import DocumentVersion, Rebuild


def raise_versions(node_ids: Collection[UUID]) -> None:
    """Note that what belongs to nodes is another than before (inside a write transaction)."""
    if node_ids:
        rows = (DocumentVersion(node_id=node_id) for node_id in node_ids)
        DocumentVersion.objects.bulk_create(rows, ignore_conflicts=True)
        DocumentVersion.objects.filter(node_id__in=list(node_ids)).update(version=F("version") + 1)


def forget(node_ids: Collection[UUID]) -> None:
    """Forget nodes that are gone for good."""
    if node_ids:
        DocumentVersion.objects.filter(node_id__in=list(node_ids)).delete()


def get_swap_count() -> int:
    """Tell how many rebuilds were swapped in, inside the open transaction: before rows are read that belong to it."""
    return Rebuild.objects.values_list("swap_count", flat=True).first() or 0


def find_versions(node_ids: Collection[UUID]) -> dict[UUID, int]:
    """Tell the versions of those nodes that have one, inside the open transaction."""
    rows = DocumentVersion.objects.filter(node_id__in=list(node_ids))
    return dict(rows.values_list("node_id", "version"))
