"""Writes: what somebody has read, how they want to be told, and what they follow."""

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest

from apps.files import api as files
from apps.notifications import dtos, hours, queries, sql, telling
from apps.notifications.errors import MailNotOffered, TooManySubscriptions
from apps.notifications.models import Entry, Preference, Reader, ReadMark, Subscription
from apps.notifications.recording import CONSUMER
from apps.notifications.topics import WITHOUT_MAIL
from bitvault.events.api import get_head, get_position
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound

SUBSCRIPTIONS_LIMIT = 1_000
"""Nodes that one person follows or mutes: each question for their notices names all of them."""


def mark_read(actor: Actor, entry_ids: Collection[UUID]) -> int:
    """Mark entries as read as far as they have come; unknown ones are passed over. Returns how many are unread still."""
    with db.write_transaction(), connection.cursor() as cursor:
        cursor.execute(sql.MARK_READ, {"user_id": actor.user_id, "ids": list(entry_ids)})
    return queries.count_unread(actor)


def mark_read_up_to(actor: Actor, entry_id: UUID) -> int:
    """Mark an entry and everything before it as read; returns how many are unread still.

    :raises NotFound: there is no such entry that the actor hears of.
    """
    with db.write_transaction():
        entry = Entry.objects.filter(pk=entry_id).first()
        if entry is None or not queries.concerns(queries.read_wishes(actor), entry):
            raise NotFound
        seq = entry.last_seq
        Reader.objects.bulk_create([Reader(user_id=actor.user_id)], ignore_conflicts=True)
        Reader.objects.filter(pk=actor.user_id).update(read_seq=Greatest(F("read_seq"), seq))
        ReadMark.objects.filter(user_id=actor.user_id, read_seq__lte=seq).delete()
    return queries.count_unread(actor)


def set_preferences(
    user_id: UUID,
    wanted: Sequence[dtos.Choice],
    *,
    changes_quiet_hours: bool = False,
    quiet_hours: dtos.QuietHours | None = None,
) -> dtos.Preferences:
    """Say how somebody is told of some topics, and when they get no mail; what is not named stays as it is.

    A topic that goes from one digest to another goes on where the first one ended; one that was told otherwise begins now.

    :param quiet_hours: ``None`` with ``changes_quiet_hours``: mails come at any time.
    :raises MailNotOffered: of a topic no mail is sent.
    :raises QuietHoursUnfit: quiet hours are no two times.
    """
    quiet = None if quiet_hours is None else hours.Quiet.parse(quiet_hours)
    for one in wanted:
        if one.topic in WITHOUT_MAIL and one.mail != "off":
            raise MailNotOffered(topic=one.topic)
    position = get_position(CONSUMER)
    with db.write_transaction():
        Reader.objects.bulk_create([Reader(user_id=user_id)], ignore_conflicts=True)
        reader = Reader.objects.select_for_update().get(pk=user_id)
        present = queries.read_preferences(user_id)
        since = dict(Preference.objects.filter(user_id=user_id).values_list("topic", "since_seq"))
        ended = {"daily": reader.digest_seq, "weekly": reader.weekly_seq}
        rows = {
            one.topic: Preference(
                user_id=user_id,
                topic=one.topic,
                browser=one.browser,
                mail=one.mail,
                push=present[one.topic].push if one.push is None else one.push,
                since_seq=since.get(one.topic, 0)
                if present[one.topic].mail == one.mail
                else max(since.get(one.topic, 0), ended.get(present[one.topic].mail, position)),
            )
            for one in wanted
        }
        Preference.objects.bulk_create(
            rows.values(),
            update_conflicts=True,
            unique_fields=["user_id", "topic"],
            update_fields=["browser", "mail", "push", "since_seq"],
        )
        _go_on(reader, {(present[row.topic].mail, row.mail) for row in rows.values()})  # type: ignore[index] # holds no others
        if changes_quiet_hours:
            reader.quiet_from, reader.quiet_to = (quiet.start, quiet.end) if quiet else (None, None)
            reader.save(update_fields=["quiet_from", "quiet_to"])
        return queries.read_choices(user_id)


def _go_on(reader: Reader, changes: set[tuple[str, str]]) -> None:
    """Let what waits for one digest wait for the other, where a topic goes over to it; one that has nothing to say is not sent."""
    daily = ("weekly", "daily") in changes and reader.weekly_since is not None
    weekly = ("daily", "weekly") in changes and reader.wants_digest
    telling.note_digests([reader.pk] if daily else [], [reader.pk] if weekly else [])


def stop_mails(user_id: UUID, what: dtos.Topic | dtos.Gathered) -> None:
    """Switch the mails of a topic off, or those of all topics that one mail gathers; doing it again changes nothing."""
    with db.read_transaction():
        present = queries.read_preferences(user_id)
    chosen = [one for one in present.values() if what in (one.topic, one.mail)]
    set_preferences(user_id, [dtos.Choice(one.topic, one.browser, "off") for one in chosen])


def subscribe(actor: Actor, node_id: UUID, *, follows: bool) -> dtos.Subscription:
    """Follow a node, or mute it; what was said of it before is replaced.

    :raises NotFound: there is no such node that the actor may know of.
    :raises TooManySubscriptions: the actor has as many as one can have.
    """
    files.get_node(actor=actor, node_id=node_id)
    now, head = clock.now(), get_head()
    with db.write_transaction():
        rows = Subscription.objects.filter(user_id=actor.user_id)
        row = rows.filter(node_id=node_id).first()
        if row is None:
            if rows.count() >= SUBSCRIPTIONS_LIMIT:
                raise TooManySubscriptions(limit=SUBSCRIPTIONS_LIMIT)
            wanted = Subscription(
                user_id=actor.user_id, node_id=node_id, follows=follows, since_seq=head, created_at=now
            )
            Subscription.objects.bulk_create([wanted], ignore_conflicts=True)
            row = rows.get(node_id=node_id)
        if row.follows != follows:
            row.follows, row.since_seq = follows, head
            row.save(update_fields=["follows", "since_seq"])
    return queries.to_subscriptions(actor, [row])[0]


def unsubscribe(actor: Actor, subscription_id: UUID) -> None:
    """Neither follow nor mute a node any more.

    :raises NotFound: it is none of the actor's.
    """
    with db.write_transaction():
        if not Subscription.objects.filter(pk=subscription_id, user_id=actor.user_id).delete()[0]:
            raise NotFound
