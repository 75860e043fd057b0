"""The daily digest: when it comes, and what stands in it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.notifications import audience, judging, queries, telling
from apps.notifications.models import Delivery, Entry, Reader
from apps.notifications.recording import CONSUMER
from bitvault.events.api import get_position
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.mail import api as mail

DIGEST = "notifications.digest"

HOUR = 8
"""From which hour of the reader's own day it comes: with the first coffee."""

BATCH = 500
"""People whose digests are looked at in one transaction."""

LINES = 50
"""Lines of one; of the rest it says how many."""


def send_due() -> int:
    """Write down the digests that are due in the entered tenant; returns how many. Repeatable, also beside another that does the same."""
    count, last = 0, UUID(int=0)
    while True:
        with db.read_transaction():
            rows = Reader.objects.filter(wants_digest=True, pk__gt=last).order_by("pk")
            waiting = list(rows.values_list("pk", flat=True)[:BATCH])
        if not waiting:
            return count
        last = waiting[-1]
        people = audience.find_recipients(waiting)
        today = {user_id: _day_of(people[user_id].time_zone) if user_id in people else None for user_id in waiting}
        count += _write([user_id for user_id in waiting if user_id in people], today)
        _leave_out([user_id for user_id in waiting if user_id not in people])


def _day_of(time_zone: str) -> date | None:
    """Tell which day it is for a reader, if its hour has come."""
    now = local_time(clock.now(), time_zone)
    return now.date() if now.hour >= HOUR else None


def local_time(moment: datetime, time_zone: str) -> datetime:
    """Give a moment in a reader's zone; in UTC where theirs is not known any more."""
    try:
        return moment.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(UTC)


def _write(user_ids: Sequence[UUID], today: dict[UUID, date | None]) -> int:
    """Write the digests of some people down, each with its mail, and move them on, all by one transaction."""
    to_seq, now = get_position(CONSUMER), clock.now()
    due = [user_id for user_id in user_ids if today[user_id] is not None]
    if not due:
        return 0
    with db.write_transaction():
        readers = [
            reader
            for reader in Reader.objects.select_for_update().filter(pk__in=due, wants_digest=True).order_by("pk")
            if reader.digest_on is None or reader.digest_on < today[reader.pk]  # type: ignore[operator] # due: not None
        ]
        new = []
        for reader in readers:
            new.append(
                Delivery(
                    user_id=reader.pk,
                    key=f"digest:{today[reader.pk]}",
                    from_seq=reader.digest_seq,
                    to_seq=to_seq,
                    created_at=now,
                )
            )
            reader.wants_digest, reader.digest_seq, reader.digest_on = False, to_seq, today[reader.pk]
        Delivery.objects.bulk_create(new)
        Reader.objects.bulk_update(readers, ["wants_digest", "digest_seq", "digest_on"])
        for delivery in new:
            mail.send(DIGEST, reference=delivery.id, key=delivery.id.hex)
    return len(new)


def _leave_out(user_ids: Sequence[UUID]) -> None:
    """Let nobody wait who cannot be written to; what comes next notes them again."""
    if user_ids:
        with db.write_transaction():
            Reader.objects.filter(pk__in=user_ids).update(wants_digest=False)


def list_told(actor: Actor, delivery: Delivery) -> list[judging.Told]:
    """Give what stands in a digest, newest first: what may be seen now, is told by digest, and was not read meanwhile."""
    with db.read_transaction():
        wishes = queries.read_wishes(actor)
        above = max(delivery.from_seq, wishes.read_seq)
        before = queries.Position(delivery.to_seq + 1, UUID(int=0))
        entries = queries.find_for(actor, wishes, above=above, before=before, limit=queries.LOOKED_AT_LIMIT)
        marks = queries.read_marks(actor.user_id, entries)
    wanted = [entry for entry in entries if _belongs(wishes, entry) and marks.get(entry.id, 0) < entry.last_seq]
    told = queries.judge(actor, wishes, wanted)
    return [told[entry.id] for entry in wanted if entry.id in told]


def _belongs(wishes: queries.Wishes, entry: Entry) -> bool:
    return (
        queries.concerns(wishes, entry)
        and not telling.is_mailed_elsewhere(entry)
        and wishes.preferences[wishes.topic_of(entry)].mail == "daily"
    )
