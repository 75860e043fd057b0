"""The recount: what the quota counts as used against what the versions of all files have together.

Charges and refunds follow their commits and purges a moment later, so at no instant need the two be equal. How far apart they may rightly
be is known: an upload that is committed and not yet charged still holds its reservation, and a purge that is not yet refunded is written
down by Files. What lies beyond that is drift, whatever is under way meanwhile: a charge or refund that a crash or a defect has lost.
"""

from dataclasses import dataclass

import structlog
from django.db.models import Sum

from apps.billing import dtos, models
from apps.billing.errors import RecountOvertaken
from bitvault.events.api import find_event, get_head, list_published, publish
from bitvault.events.catalog import files as told
from bitvault.events.catalog.billing import UsageCorrected
from bitvault.kernel import db

TAIL_LIMIT = 5_000
"""Events that may have come between the recount and its settling; they are read while the quota waits."""

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Tail:
    """What happened since the files were counted."""

    added_bytes: int = 0
    purged_bytes: int = 0


def correct_usage(*, size_bytes: int, unrefunded_bytes: int, as_of_seq: int) -> dtos.Recount:
    """Compare the quota with a count of the files as of a number of the stream, and correct it by what cannot be under way."""
    with db.write_transaction():
        # From here on no charge and no refund comes between: each is one statement on this row.
        quota = models.Quota.objects.select_for_update().filter(scope=models.TENANT_SCOPE).first()
        if quota is None:
            return dtos.Recount(counted_bytes=size_bytes, corrected_by_bytes=0)
        tail = _read_tail(as_of_seq)
        counted_bytes = size_bytes + tail.added_bytes - tail.purged_bytes
        held = models.Reservation.objects.filter(state=models.ReservationState.HELD)
        uncharged_bytes = held.aggregate(held=Sum("size_bytes"))["held"] or 0
        least = counted_bytes - uncharged_bytes
        most = counted_bytes + unrefunded_bytes + tail.purged_bytes
        used_bytes = min(max(quota.used_bytes, least, 0), most)
        corrected_by_bytes = used_bytes - quota.used_bytes
        if corrected_by_bytes:
            quota.used_bytes = used_bytes
            quota.save(update_fields=["used_bytes"])
            publish(
                UsageCorrected(
                    actor_id=None, scope=quota.scope, used_bytes=used_bytes, corrected_by_bytes=corrected_by_bytes
                )
            )
    if corrected_by_bytes:
        logger.error("quota_drift", corrected_by_bytes=corrected_by_bytes, used_bytes=used_bytes)
    return dtos.Recount(counted_bytes=counted_bytes, corrected_by_bytes=corrected_by_bytes)


def _read_tail(after: int) -> _Tail:
    if get_head() - after > TAIL_LIMIT:
        raise RecountOvertaken
    tail = _Tail()
    for published in list_published(after=after, limit=TAIL_LIMIT):
        match find_event(published, _TOLD):
            case told.VersionCommitted() as event:
                tail.added_bytes += event.size_bytes
            case told.NodePurged() | told.VersionsDeleted() as event:
                tail.purged_bytes += event.size_bytes
    return tail


_TOLD = (told.VersionCommitted, told.NodePurged, told.VersionsDeleted)
