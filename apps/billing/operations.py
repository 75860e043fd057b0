"""Room: promised at the start of an upload, charged at its commit, given back when versions go.

Each door is one transaction that locks the quota's row last (``kernel.db`` has the order), so that a race for the last byte is decided by
PostgreSQL alone.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import F, QuerySet
from django.utils.translation import gettext_noop as _

from apps.billing import models, queries, quotas, scopes, sql
from apps.billing.dtos import Quota
from apps.billing.errors import FileOverLimit, QuotaExceeded
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import BitVaultError, ProgrammingError

logger = structlog.get_logger(__name__)

NO_ROOM = _("There is not enough room. Delete something permanently, or ask for more room.")
OVER_LIMIT = _(
    "The vault is over its limit: what is there stays, and nothing new fits. Delete something permanently, or ask for more room."
)

LAPSE_GRACE = timedelta(hours=2)
"""How long after its time a promise still stands: storage ends the attempt before, and a commit at the last moment finds its room."""

LAPSE_BATCH = 1000
"""Promises ended in one transaction, so that the quota's row is not locked for long."""

MEMORY = timedelta(days=40)
"""How long an ended reservation and a refund are remembered: longer than storage remembers its upload and Files asks again for a refund,
so nothing is charged or given back twice."""


class ReservationMissing(ProgrammingError):
    """An upload came to its commit without ever having had room promised."""


def reserve(
    *,
    upload_id: UUID,
    size_bytes: int,
    expires_at: datetime,
    again: bool = False,
    is_file: bool = False,
    root_id: UUID | None = None,
    by: Actor | None = None,
) -> None:
    """Promise room to an upload, if there is as much left, and if a plan allows a file of this size where it is one."""
    if again:
        with db.read_transaction():
            if models.Reservation.objects.filter(upload_id=upload_id).exists():
                return
    parameters = {
        "upload_id": upload_id,
        "size_bytes": size_bytes,
        "expires_at": expires_at,
        "file_bytes": size_bytes if is_file else 0,
        "root_id": None,
    }
    if root_id is not None and scopes.find_limited([root_id]):
        if _reserve_below(root_id, parameters, by):
            return
        raise refusal(queries.get_quota(), size_bytes, is_file=is_file)
    if db.write_alone(sql.RESERVE, parameters):
        return
    # A tenant's first upload finds no quota; of several first ones at once, one opens it and the others wait for that here.
    quotas.open_quota()
    if db.write_alone(sql.RESERVE, parameters):
        return
    raise refusal(queries.get_quota(), size_bytes, is_file=is_file)


def _reserve_below(root_id: UUID, parameters: Mapping[str, Any], by: Actor | None) -> bool:
    """Promise room below a limited root; false where the vault has none.

    :raises QuotaExceeded: the root has none.
    """
    quotas.open_quota()
    position = scopes.get_meter_position()
    with db.write_transaction(), connection.cursor() as cursor:
        room = scopes.lock_rooms([root_id], position).get(root_id)
        if room is not None and not room.takes(parameters["size_bytes"]):
            raise room.refuse(by, parameters["size_bytes"])
        cursor.execute(sql.RESERVE, {**parameters, "root_id": root_id})
        return cursor.fetchone() is not None


def refusal(quota: Quota, size_bytes: int, *, is_file: bool) -> BitVaultError:
    """Say why something of this size finds no room, with the figures and with what helps."""
    if is_file and quota.file_limit_bytes is not None and size_bytes > quota.file_limit_bytes:
        return FileOverLimit(limit_bytes=quota.file_limit_bytes, requested_bytes=size_bytes)
    over = quota.used_bytes > quota.limit_bytes
    return QuotaExceeded(
        OVER_LIMIT if over else NO_ROOM,
        limit_bytes=quota.limit_bytes,
        used_bytes=quota.used_bytes,
        reserved_bytes=quota.reserved_bytes,
        requested_bytes=size_bytes,
    )


def settle(*, upload_id: UUID, size_bytes: int) -> None:
    """Charge what an upload added, and end its reservation; a second time changes nothing.

    :raises ReservationMissing: the upload never had room.
    """
    if settle_many(sizes={upload_id: size_bytes}):
        return
    with db.read_transaction():
        if not models.Reservation.objects.filter(upload_id=upload_id).exists():
            raise ReservationMissing(f"no room was ever reserved for the upload {upload_id}")


def settle_many(*, sizes: Mapping[UUID, int]) -> int:
    """Charge what each upload added, and end its reservation; a second time changes nothing. Returns how many were charged."""
    done = db.write_alone(sql.SETTLE, {"upload_ids": list(sizes), "sizes": list(sizes.values())})
    settled_count, has_roots = done[0] if done else (0, False)
    if has_roots:
        scopes.note_settled(list(sizes))
    return int(settled_count)


def release_many(*, upload_ids: Collection[UUID]) -> None:
    """Take promises back; those that are ended, or never were, change nothing."""
    with db.write_transaction():
        held = models.Reservation.objects.filter(upload_id__in=upload_ids, state=models.ReservationState.HELD)
        _end_promises(held.order_by("upload_id").select_for_update(), models.ReservationState.RELEASED)


def _end_promises(held: QuerySet[models.Reservation], state: models.ReservationState) -> int:
    """Give back what these promises hold, inside the open transaction; returns how many they were."""
    sizes = dict(held.values_list("upload_id", "size_bytes"))
    if sizes:
        models.Reservation.objects.filter(upload_id__in=sizes).update(state=state)
        _quota().update(reserved_bytes=F("reserved_bytes") - sum(sizes.values()))
    return len(sizes)


def _quota() -> QuerySet[models.Quota]:
    return models.Quota.objects.filter(scope=models.TENANT_SCOPE)


def refund(*, cause_id: UUID, size_bytes: int) -> None:
    """Give room back for what is gone for ever; a second time with the same cause changes nothing."""
    with db.write_transaction():
        _refund, is_new = models.Refund.objects.get_or_create(
            cause_id=cause_id, defaults={"size_bytes": size_bytes, "refunded_at": clock.now()}
        )
        quota = _quota().select_for_update().first() if is_new else None
        if quota is None:
            return
        left = quota.used_bytes - size_bytes
        quota.used_bytes = max(0, left)
        quota.save(update_fields=["used_bytes"])
    if left < 0:
        # A commit died before its charge, and its file was purged before the sweeper came. Refusing would stop the purge for ever, and
        # the nightly recount settles what is wrong.
        logger.error("quota_drift", cause_id=str(cause_id), missing_bytes=-left)


def lapse_expired(*, limit: int = LAPSE_BATCH) -> int:
    """End promises that are past their time, and forget ended ones that are old; returns how many lapsed."""
    now = clock.now()
    with db.write_transaction():
        late = models.Reservation.objects.filter(state=models.ReservationState.HELD, expires_at__lt=now - LAPSE_GRACE)
        count = _end_promises(
            late.order_by("expires_at").select_for_update(skip_locked=True)[:limit], models.ReservationState.LAPSED
        )
        models.Reservation.objects.filter(upload_id__lt=_first_id_of(now - MEMORY)).exclude(
            state=models.ReservationState.HELD
        ).delete()
    return count


def forget_refunds() -> int:
    """Forget refunds that are older than anything that could ask for them again; returns how many."""
    with db.write_transaction():
        # A walk through the table once a day; what is younger than the sweep's age is all that it holds.
        return models.Refund.objects.filter(refunded_at__lt=clock.now() - MEMORY).delete()[0]


def _first_id_of(moment: datetime) -> UUID:
    """Give the least UUIDv7 of a moment: upload ids rise with time, so age is a range of the primary key."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


def reserve_many(*, sizes: Mapping[UUID, int], expires_at: datetime, roots: Mapping[UUID, UUID]) -> frozenset[UUID]:
    """Promise room to uploads, in their order to those that find it; returns which did."""
    granted = _reserve_what_fits(sizes, expires_at, roots)
    if granted is None:
        quotas.open_quota()
        granted = _reserve_what_fits(sizes, expires_at, roots)
    return granted or frozenset()


def _reserve_what_fits(
    sizes: Mapping[UUID, int], expires_at: datetime, roots: Mapping[UUID, UUID]
) -> frozenset[UUID] | None:
    """Promise what fits; ``None`` where there is no quota yet."""
    limited = scopes.find_limited(roots.values())
    position = scopes.get_meter_position() if limited else 0
    with db.write_transaction():
        rooms = scopes.lock_rooms(limited, position) if limited else {}
        quota = _quota().select_for_update().first()
        if quota is None:
            return None
        limits = queries.read_quota()
        room = limits.limit_bytes - quota.used_bytes - quota.reserved_bytes
        largest, granted = limits.file_limit_bytes, []
        for upload_id, size_bytes in sizes.items():
            below = rooms.get(roots[upload_id]) if upload_id in roots else None
            fits = size_bytes <= room and (largest is None or size_bytes <= largest)
            if fits and (below is None or below.takes(size_bytes)):
                room -= size_bytes
                granted.append(upload_id)
        models.Reservation.objects.bulk_create(
            [
                models.Reservation(
                    upload_id=one,
                    size_bytes=sizes[one],
                    expires_at=expires_at,
                    root_id=roots[one] if roots.get(one) in rooms else None,
                )
                for one in granted
            ]
        )
        reserved = sum(sizes[one] for one in granted)
        _quota().update(reserved_bytes=F("reserved_bytes") + reserved)
    return frozenset(granted)
