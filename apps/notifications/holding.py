"""What waits for the end of its reader's quiet hours, and then comes as one mail, and as one pushed message."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from uuid import UUID

from apps.notifications import audience, hours, judging, pushes, queries
from apps.notifications.dtos import Preference, Way
from apps.notifications.models import Delivery, Entry
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.mail import api as mail

HELD = "notifications.held"

BATCH = 500
"""People whose mails are looked at in one transaction."""


def send_due() -> int:
    """Write down one mail for each reader in the entered tenant whose quiet hours are over and for whom some wait, and one message that is
    pushed to their browsers; returns how many.

    Repeatable, also beside another that does the same.
    """
    count = 0
    for waiting in _list_waiting():
        people = audience.find_recipients(waiting)
        quiet = hours.find_quiet(waiting)
        _drop([user_id for user_id in waiting if user_id not in people or not people[user_id].email], way="mail")
        _drop([user_id for user_id in waiting if user_id not in people], way="push")
        count += _write([user_id for user_id in waiting if user_id in people and user_id not in quiet])
    return count


def _list_waiting() -> Iterator[list[UUID]]:
    """Give for whom something is held, page by page."""
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
            held[row.user_id, row.way].append(row)
        new = []
        for (user_id, way), rows in held.items():
            one = Delivery(user_id=user_id, key=f"held:{rows[0].pk.hex}", way=way, created_at=now)
            for row in rows:
                row.is_held, row.batch_id = False, one.pk
            new.append(one)
        Delivery.objects.bulk_create(new)
        Delivery.objects.bulk_update([row for rows in held.values() for row in rows], ["is_held", "batch_id"])
        mail.send_all(HELD, references=[one.pk for one in new if one.way == "mail"])
        pushes.send_all([one for one in new if one.way == "push"])
    return len(new)


def _drop(user_ids: Collection[UUID], *, way: Way) -> None:
    """Let nothing wait for who cannot be reached like this."""
    if user_ids:
        with db.write_transaction():
            Delivery.objects.filter(user_id__in=user_ids, is_held=True, way=way).update(is_held=False)


def list_told(actor: Actor, delivery: Delivery) -> list[judging.Told]:
    """Give what is told after quiet hours, newest first: what may be seen now, is told by that way, and was not read meanwhile."""
    with db.read_transaction():
        wishes = queries.read_wishes(actor)
        ids = Delivery.objects.filter(batch_id=delivery.pk).values("entry_id")
        entries = list(Entry.objects.filter(pk__in=ids, last_seq__gt=wishes.read_seq).order_by("-last_seq", "-id"))
        marks = queries.read_marks(actor.user_id, entries)
    wanted = [
        entry
        for entry in entries
        if queries.concerns(wishes, entry)
        and _is_wanted(wishes.preferences[wishes.topic_of(entry)], delivery)
        and marks.get(entry.id, 0) < entry.last_seq
    ]
    told = queries.judge(actor, wishes, wanted)
    return [told[entry.id] for entry in wanted if entry.id in told]


def _is_wanted(preference: Preference, delivery: Delivery) -> bool:
    return preference.push if delivery.way == "push" else preference.mail != "off"
