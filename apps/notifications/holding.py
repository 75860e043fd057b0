"""Mails that wait for the end of their reader's quiet hours, and then come as one."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from uuid import UUID

from apps.notifications import audience, hours, judging, queries
from apps.notifications.models import Delivery, Entry
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.mail import api as mail

HELD = "notifications.held"

BATCH = 500
"""People whose mails are looked at in one transaction."""


def send_due() -> int:
    """Write down one mail for each reader in the entered tenant whose quiet hours are over and for whom some wait; returns how many.

    Repeatable, also beside another that does the same.
    """
    count = 0
    for waiting in _list_waiting():
        people = audience.find_recipients(waiting)
        quiet = hours.find_quiet(waiting)
        _drop([user_id for user_id in waiting if user_id not in people])
        count += _write([user_id for user_id in waiting if user_id in people and user_id not in quiet])
    return count


def _list_waiting() -> Iterator[list[UUID]]:
    """Give for whom mails are held, page by page."""
    last = UUID(int=0)
    while True:
        with db.read_transaction():
            rows = Delivery.objects.filter(is_held=True, user_id__gt=last).order_by("user_id")
            waiting = list(rows.values_list("user_id", flat=True).distinct()[:BATCH])
        if not waiting:
            return
        last = waiting[-1]
        yield waiting


def _write(user_ids: Collection[UUID]) -> int:
    now = clock.now()
    with db.write_transaction():
        held = defaultdict(list)
        for row in Delivery.objects.select_for_update().filter(user_id__in=user_ids, is_held=True).order_by("pk"):
            held[row.user_id].append(row)
        new = []
        for user_id, rows in held.items():
            one = Delivery(user_id=user_id, key=f"held:{rows[0].pk.hex}", created_at=now)
            for row in rows:
                row.is_held, row.batch_id = False, one.pk
            new.append(one)
        Delivery.objects.bulk_create(new)
        Delivery.objects.bulk_update([row for rows in held.values() for row in rows], ["is_held", "batch_id"])
        mail.send_all(HELD, references=[one.pk for one in new])
    return len(new)


def _drop(user_ids: Collection[UUID]) -> None:
    """Let nothing wait for who cannot be written to."""
    if user_ids:
        with db.write_transaction():
            Delivery.objects.filter(user_id__in=user_ids, is_held=True).update(is_held=False)


def list_told(actor: Actor, delivery: Delivery) -> list[judging.Told]:
    """Give what a mail after quiet hours tells of, newest first: what may be seen now, is told by mail, and was not read meanwhile."""
    with db.read_transaction():
        wishes = queries.read_wishes(actor)
        ids = Delivery.objects.filter(batch_id=delivery.pk).values("entry_id")
        entries = list(Entry.objects.filter(pk__in=ids, last_seq__gt=wishes.read_seq).order_by("-last_seq", "-id"))
        marks = queries.read_marks(actor.user_id, entries)
    wanted = [
        entry
        for entry in entries
        if queries.concerns(wishes, entry)
        and wishes.preferences[wishes.topic_of(entry)].mail != "off"
        and marks.get(entry.id, 0) < entry.last_seq
    ]
    told = queries.judge(actor, wishes, wanted)
    return [told[entry.id] for entry in wanted if entry.id in told]
