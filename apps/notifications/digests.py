"""The digests of a day and of a week: when they come, and what stands in them."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import Q

from apps.notifications import audience, hours, judging, queries, telling
from apps.notifications.dtos import MailMode
from apps.notifications.models import Delivery, Entry, Reader
from apps.notifications.recording import CONSUMER
from bitvault.events.api import get_position
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.mail import api as mail

DIGEST = "notifications.digest"
WEEKLY = "notifications.weekly_digest"

HOUR = time(8)
"""From when on in the reader's own day they come: with the first coffee; where it is in quiet hours, at their end."""

WEEK = timedelta(days=7)

BATCH = 500
"""People whose digests are looked at in one transaction."""

LINES = 50
"""Lines of one; of the rest it says how many."""


def send_due() -> int:
    """Write down the digests that are due in the entered tenant; returns how many. Repeatable, also beside another that does the same."""
    count = 0
    for waiting in _list_waiting():
        people = audience.find_mailable(waiting)
        _leave_out([user_id for user_id in waiting if user_id not in people])
        local = {user_id: hours.local_time(clock.now(), one.time_zone) for user_id, one in people.items()}
        count += _write(local)
    return count


def _list_waiting() -> Iterator[list[UUID]]:
    """Give who has a digest coming, page by page."""
    last = UUID(int=0)
    while True:
        with db.read_transaction():
            rows = Reader.objects.filter(Q(wants_digest=True) | Q(weekly_since__isnull=False), pk__gt=last)
            waiting = list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH])
        if not waiting:
            return
        last = waiting[-1]
        yield waiting


def _hour_of(reader: Reader) -> time:
    """Tell from when on in their day a reader gets digests."""
    quiet = hours.Quiet.of(reader)
    return quiet.end if quiet is not None and quiet.holds(HOUR) else HOUR


def _day_due(reader: Reader, now: datetime) -> date | None:
    """Tell of which day a reader's digest is due.

    :param now: by their own clock.
    """
    if not reader.wants_digest or now.time() < _hour_of(reader):
        return None
    return now.date() if reader.digest_on is None or reader.digest_on < now.date() else None


def _week_due(reader: Reader, now: datetime) -> date | None:
    """Tell of which Monday a reader's weekly digest is due: the last one, if something has waited since before.

    :param now: by their own clock.
    """
    if reader.weekly_since is None:
        return None
    due = datetime.combine(now.date() - timedelta(days=now.weekday()), _hour_of(reader), now.tzinfo)
    if due > now:
        due -= WEEK
    return due.date() if reader.weekly_since < due else None


def _find_due(reader: Reader, now: datetime) -> tuple[date | None, date | None]:
    """Tell of which day, and of which Monday, a reader's digests are due.

    :param now: by their own clock.
    """
    quiet = hours.Quiet.of(reader)
    if quiet is not None and quiet.holds(now.time()):
        return None, None
    return _day_due(reader, now), _week_due(reader, now)


def _write(local: dict[UUID, datetime]) -> int:
    """Write the digests of some people down that are due, each with its mail, and move them on, all by one transaction.

    :param local: which time it is for each of them.
    """
    with db.read_transaction():
        waiting = list(Reader.objects.filter(pk__in=local))
    due = [reader.pk for reader in waiting if any(_find_due(reader, local[reader.pk]))]
    if not due:
        return 0
    to_seq, now = get_position(CONSUMER), clock.now()
    days, weeks = [], []
    with db.write_transaction():
        readers = list(Reader.objects.select_for_update().filter(pk__in=due).order_by("pk"))
        for reader in readers:
            day, monday = _find_due(reader, local[reader.pk])
            if day is not None:
                days.append(_delivery(reader, f"digest:{day}", reader.digest_seq, to_seq, now))
                reader.wants_digest, reader.digest_seq, reader.digest_on = False, to_seq, day
            if monday is not None:
                weeks.append(_delivery(reader, f"weekly:{monday}:{to_seq}", reader.weekly_seq, to_seq, now))
                reader.weekly_since, reader.weekly_seq = None, to_seq
        Delivery.objects.bulk_create([*days, *weeks])
        Reader.objects.bulk_update(readers, ["wants_digest", "digest_seq", "digest_on", "weekly_since", "weekly_seq"])
        mail.send_all(DIGEST, references=[delivery.id for delivery in days])
        mail.send_all(WEEKLY, references=[delivery.id for delivery in weeks])
    return len(days) + len(weeks)


def _delivery(reader: Reader, key: str, from_seq: int, to_seq: int, now: datetime) -> Delivery:
    return Delivery(user_id=reader.pk, key=key, from_seq=from_seq, to_seq=to_seq, created_at=now)


def _leave_out(user_ids: list[UUID]) -> None:
    """Let nobody wait who cannot be written to; what comes next notes them again."""
    if user_ids:
        with db.write_transaction():
            Reader.objects.filter(pk__in=user_ids).update(wants_digest=False, weekly_since=None)


def list_told(actor: Actor, delivery: Delivery, mode: MailMode) -> list[judging.Told]:
    """Give what stands in a digest, newest first: what may be seen now, belongs into it, and was neither mailed before nor read."""
    with db.read_transaction():
        wishes = queries.read_wishes(actor)
        above = max(delivery.from_seq, wishes.read_seq)
        before = queries.Position(delivery.to_seq + 1, UUID(int=0))
        entries = queries.find_for(actor, wishes, above=above, before=before, limit=queries.LOOKED_AT_LIMIT)
        marks = queries.read_marks(actor.user_id, entries)
        mailed = _find_mailed(actor.user_id, entries)
    wanted = [
        entry
        for entry in entries
        if _belongs(wishes, entry, mode) and marks.get(entry.id, 0) < entry.last_seq and entry.id not in mailed
    ]
    told = queries.judge(actor, wishes, wanted)
    return [told[entry.id] for entry in wanted if entry.id in told]


def _find_mailed(user_id: UUID, entries: list[Entry]) -> set[UUID]:
    """Tell of which entries somebody had a mail of its own, as they chose then."""
    by_key = {entry.id.hex: entry.id for entry in entries}
    known = Delivery.objects.filter(user_id=user_id, key__in=by_key).values_list("key", flat=True)
    return {by_key[key] for key in known}


def _belongs(wishes: queries.Wishes, entry: Entry, mode: MailMode) -> bool:
    if not queries.concerns(wishes, entry) or telling.is_mailed_elsewhere(entry):
        return False
    topic = wishes.topic_of(entry)
    return wishes.preferences[topic].mail == mode and entry.last_seq > wishes.since.get(topic, 0)
