"""Noting what people worked with, in the open transaction of the consumer."""

from collections.abc import Sequence
from uuid import UUID

from django.db.models import F, Window
from django.db.models.functions import RowNumber

from apps.annotations.dtos import Deed
from apps.annotations.models import Recent
from bitvault.events.api import Published
from bitvault.events.catalog import files

KEPT = 200
"""Files that are kept for each person: more than anybody scrolls through."""


def note(events: Sequence[Published]) -> None:
    """Note the last deed of each person with each file; older ones than ``KEPT`` are dropped."""
    latest: dict[tuple[UUID, UUID], Recent] = {}
    for published in events:
        what = _deed_of(published)
        if what is None or published.actor_id is None:
            continue
        node_id: UUID = published.event.node_id  # type: ignore[union-attr] # each event with a deed has one
        latest[published.actor_id, node_id] = Recent(
            user_id=published.actor_id,
            node_id=node_id,
            what=what,
            last_seq=published.seq,
            last_at=published.occurred_at,
        )
    if not latest:
        return
    Recent.objects.bulk_create(
        latest.values(),
        update_conflicts=True,
        unique_fields=["user_id", "node_id"],
        update_fields=["what", "last_seq", "last_at"],
    )
    _drop_old({user_id for user_id, _ in latest})


def _deed_of(published: Published) -> Deed | None:
    """Say what an event tells of its actor; ``None``: nothing that is worth coming back to."""
    match published.event:
        case files.VersionCommitted(copied_from_id=None, actor_kind="user") as event:
            return "added" if event.node_created else "changed"
        case files.NodeMoved(kind="file") as event if event.name != event.old_name:
            return "renamed"
        case files.DownloadSigned():
            return "opened"
    return None


def _drop_old(user_ids: set[UUID]) -> None:
    ranked = Recent.objects.filter(user_id__in=user_ids).annotate(
        rank=Window(RowNumber(), partition_by=F("user_id"), order_by=[F("last_seq").desc(), F("id").desc()])
    )
    old = list(ranked.filter(rank__gt=KEPT).values_list("id", flat=True))
    if old:
        Recent.objects.filter(id__in=old).delete()
