"""References to blobs: who holds what, so far as the stream has been read."""

from collections.abc import Sequence
from uuid import UUID

from apps.storage.models import BlobReference

CONSUMER = "gc"
"""Under which name the references read the stream."""


def hold(*, version_id: UUID, blob_id: UUID) -> None:
    """Write a reference, once for each version."""
    BlobReference.objects.bulk_create([BlobReference(version_id=version_id, blob_id=blob_id)], ignore_conflicts=True)


def let_go(*, version_ids: Sequence[UUID]) -> None:
    """Take the references of deleted versions away."""
    BlobReference.objects.filter(version_id__in=version_ids).delete()
