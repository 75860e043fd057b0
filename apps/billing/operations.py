"""Room: promised at the start of an upload, charged at its commit, given back when versions go.

Each door is one transaction and one or two statements on the quota's row, which is locked last (``kernel.db`` has the order), so that a
race for the last byte is decided by PostgreSQL alone.
"""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import connection
from django.db.models import F
from django.utils.translation import gettext_noop as _

from apps.billing import models, queries, quotas, scopes
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

_RESERVE = """
WITH room AS (
    UPDATE billing_quota q SET reserved_bytes = q.reserved_bytes + %(size_bytes)s
    FROM public.billing_plan p
    WHERE q.scope = 'tenant' AND p.id = q.plan_id
      AND q.used_bytes + q.reserved_bytes + %(size_bytes)s
          <= LEAST(COALESCE(q.limit_bytes, p.limit_bytes), q.own_limit_bytes)
      AND %(file_bytes)s <= COALESCE(q.file_limit_bytes, p.file_limit_bytes, %(file_bytes)s)
    RETURNING q.scope
)
INSERT INTO billing_reservation (upload_id, size_bytes, expires_at, state, root_id)
SELECT %(upload_id)s, %(size_bytes)s, %(expires_at)s, 'held', %(root_id)s::uuid FROM room
RETURNING upload_id
"""

_SETTLE = """
WITH before AS (
    SELECT upload_id, state, size_bytes FROM billing_reservation WHERE upload_id = %(upload_id)s FOR UPDATE
), done AS (
    UPDATE billing_reservation r SET state = 'settled'
    FROM before WHERE r.upload_id = before.upload_id AND before.state <> 'settled'
    RETURNING CASE WHEN before.state = 'held' THEN before.size_bytes ELSE 0 END AS promised_bytes, r.root_id
)
UPDATE billing_quota q SET
    used_bytes = q.used_bytes + %(size_bytes)s,
    reserved_bytes = q.reserved_bytes - done.promised_bytes
FROM done WHERE q.scope = 'tenant'
RETURNING done.root_id
"""

_RELEASE = """
WITH done AS (
    UPDATE billing_reservation SET state = 'released' WHERE upload_id = %(upload_id)s AND state = 'held' RETURNING size_bytes
)
UPDATE billing_quota q SET reserved_bytes = q.reserved_bytes - done.size_bytes FROM done WHERE q.scope = 'tenant'
RETURNING q.scope
"""

_REFUND = """
WITH fresh AS (
    INSERT INTO billing_refund (cause_id, size_bytes, refunded_at) VALUES (%(cause_id)s, %(size_bytes)s, %(now)s)
    ON CONFLICT (cause_id) DO NOTHING RETURNING size_bytes
), room AS (
    SELECT used_bytes FROM billing_quota WHERE scope = 'tenant' FOR UPDATE
)
UPDATE billing_quota q SET used_bytes = GREATEST(0, room.used_bytes - fresh.size_bytes)
FROM fresh, room WHERE q.scope = 'tenant'
RETURNING room.used_bytes - fresh.size_bytes
"""

_LAPSE = """
WITH late AS (
    SELECT upload_id FROM billing_reservation WHERE state = 'held' AND expires_at < %(before)s
    ORDER BY expires_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), done AS (
    UPDATE billing_reservation r SET state = 'lapsed' FROM late WHERE r.upload_id = late.upload_id RETURNING r.size_bytes
), freed AS (
    SELECT count(*) AS lapsed_count, COALESCE(sum(size_bytes), 0) AS size_bytes FROM done
)
UPDATE billing_quota q SET reserved_bytes = q.reserved_bytes - freed.size_bytes
FROM freed WHERE q.scope = 'tenant' AND freed.lapsed_count > 0
RETURNING freed.lapsed_count
"""


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
    if db.write_alone(_RESERVE, parameters):
        return
    # A tenant's first upload finds no quota; of several first ones at once, one opens it and the others wait for that here.
    quotas.open_quota()
    if db.write_alone(_RESERVE, parameters):
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
        cursor.execute(_RESERVE, {**parameters, "root_id": root_id})
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
    """Charge what an upload added, and end its reservation; a second time changes nothing."""
    if settled := db.write_alone(_SETTLE, {"upload_id": upload_id, "size_bytes": size_bytes}):
        if settled[0][0] is not None:
            scopes.note_settled([upload_id])
        return
    with db.read_transaction():
        if not models.Reservation.objects.filter(upload_id=upload_id).exists():
            raise ReservationMissing(f"no room was ever reserved for the upload {upload_id}")


def release(*, upload_id: UUID) -> None:
    """Take a promise back; one that is ended, or never was, changes nothing."""
    db.write_alone(_RELEASE, {"upload_id": upload_id})


def refund(*, cause_id: UUID, size_bytes: int) -> None:
    """Give room back for what is gone for ever; a second time with the same cause changes nothing."""
    for (left,) in db.write_alone(_REFUND, {"cause_id": cause_id, "size_bytes": size_bytes, "now": clock.now()}):
        if left < 0:
            # A commit died before its charge, and its file was purged before the sweeper came. Refusing would stop the purge for ever, and
            # the nightly recount settles what is wrong.
            logger.error("quota_drift", cause_id=str(cause_id), missing_bytes=-left)


def lapse_expired(*, limit: int = LAPSE_BATCH) -> int:
    """End promises that are past their time, and forget ended ones that are old; returns how many lapsed."""
    now = clock.now()
    lapsed = db.write_alone(_LAPSE, {"before": now - LAPSE_GRACE, "limit": limit})
    with db.write_transaction():
        models.Reservation.objects.filter(upload_id__lt=_first_id_of(now - MEMORY)).exclude(
            state=models.ReservationState.HELD
        ).delete()
    return int(lapsed[0][0]) if lapsed else 0


def forget_refunds() -> int:
    """Forget refunds that are older than anything that could ask for them again; returns how many."""
    with db.write_transaction():
        # A walk through the table once a day; what is younger than the sweep's age is all that it holds.
        return models.Refund.objects.filter(refunded_at__lt=clock.now() - MEMORY).delete()[0]


def _first_id_of(moment: datetime) -> UUID:
    """Give the least UUIDv7 of a moment: upload ids rise with time, so age is a range of the primary key."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)


# --- many at once ----------------------------------------------------------------------------------------------------------

_ROOM = """
SELECT LEAST(COALESCE(q.limit_bytes, p.limit_bytes), q.own_limit_bytes) - q.used_bytes - q.reserved_bytes,
    COALESCE(q.file_limit_bytes, p.file_limit_bytes)
FROM billing_quota q JOIN public.billing_plan p ON p.id = q.plan_id WHERE q.scope = 'tenant' FOR UPDATE OF q
"""

_SETTLE_MANY = """
WITH given AS (SELECT upload_id, size_bytes FROM unnest(%(ids)s::uuid[], %(sizes)s::bigint[]) AS g(upload_id, size_bytes)),
before AS (
    SELECT upload_id, state, size_bytes FROM billing_reservation WHERE upload_id = ANY(%(ids)s::uuid[]) ORDER BY upload_id FOR UPDATE
), done AS (
    UPDATE billing_reservation r SET state = 'settled'
    FROM before WHERE r.upload_id = before.upload_id AND before.state <> 'settled'
    RETURNING r.upload_id, r.root_id, CASE WHEN before.state = 'held' THEN before.size_bytes ELSE 0 END AS promised_bytes
), total AS (
    SELECT COALESCE(sum(given.size_bytes), 0) AS charged_bytes, COALESCE(sum(done.promised_bytes), 0) AS promised_bytes,
        COALESCE(bool_or(done.root_id IS NOT NULL), false) AS has_roots
    FROM done JOIN given ON given.upload_id = done.upload_id
)
UPDATE billing_quota q SET
    used_bytes = q.used_bytes + total.charged_bytes, reserved_bytes = q.reserved_bytes - total.promised_bytes
FROM total WHERE q.scope = 'tenant'
RETURNING total.has_roots
"""

_RELEASE_MANY = """
WITH done AS (
    UPDATE billing_reservation SET state = 'released' WHERE upload_id = ANY(%(ids)s::uuid[]) AND state = 'held' RETURNING size_bytes
), total AS (SELECT COALESCE(sum(size_bytes), 0) AS size_bytes FROM done)
UPDATE billing_quota q SET reserved_bytes = q.reserved_bytes - total.size_bytes FROM total WHERE q.scope = 'tenant'
RETURNING q.scope
"""


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
    with db.write_transaction(), connection.cursor() as cursor:
        rooms = scopes.lock_rooms(limited, position) if limited else {}
        cursor.execute(_ROOM)
        row = cursor.fetchone()
        if row is None:
            return None
        room, largest, granted = int(row[0]), row[1], []
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
        models.Quota.objects.filter(scope="tenant").update(reserved_bytes=F("reserved_bytes") + reserved)
    return frozenset(granted)


def settle_many(*, sizes: Mapping[UUID, int]) -> None:
    """Charge what each upload added, and end its reservation; a second time changes nothing."""
    settled = db.write_alone(_SETTLE_MANY, {"ids": list(sizes), "sizes": list(sizes.values())})
    if settled and settled[0][0]:
        scopes.note_settled(list(sizes))


def release_many(*, upload_ids: Collection[UUID]) -> None:
    """Take promises back; those that are ended, or never were, change nothing."""
    db.write_alone(_RELEASE_MANY, {"ids": list(upload_ids)})
