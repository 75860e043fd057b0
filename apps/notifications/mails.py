"""The mails of notifications: a notice, what waited in quiet hours, digests. What may be told is judged when they are written."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.utils import translation
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from apps.identity import api as identity
from apps.notifications import audience, digests, holding, hours, judging, leaving, queries, telling
from apps.notifications.dtos import Gathered, Topic
from apps.notifications.models import Delivery
from bitvault.kernel import db, tenancy
from bitvault.kernel.actor import Actor
from bitvault.mail import api as mail


@mail.mail_kind(telling.NOTICE)
def write_notice(delivery_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell somebody of one thing; of nothing when they may not see it any more, have read it, or want no such mail."""
    found = _find(delivery_id)
    if found is None:
        return None
    delivery, recipient = found
    with db.read_transaction():
        wishes = queries.read_wishes(recipient.actor)
        entry = None if delivery.entry_id is None else queries.find_unread(wishes, delivery.user_id, delivery.entry_id)
    if entry is None:
        return None
    topic = wishes.topic_of(entry)
    if wishes.preferences[topic].mail != "at_once":
        return None
    with translation.override(recipient.locale or None):
        told = queries.judge(recipient.actor, wishes, [entry]).get(entry.id)
        if told is None:
            return None
        home = _home(recipient.actor.user_id)
        return mail.Letter(
            to=recipient.email,
            locale=recipient.locale or None,
            subject=told.text,
            template="notifications/mail/notice",
            context={"text": told.text, **_foot(home, recipient.actor.user_id, topic)},
            action=mail.Action(_("Show"), home + told.path) if told.path else None,
            vault_name=recipient.actor.tenant.name,
            unsubscribe_url=home + leaving.make_path(recipient.actor.user_id, topic),
        )


@mail.mail_kind(digests.DIGEST)
def write_digest(delivery_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell somebody of a day; of nothing when they have read all of it, or may not see it any more."""
    return _gather(
        delivery_id,
        lambda actor, delivery: digests.list_told(actor, delivery, "daily"),
        "daily",
        gettext_noop("What happened in %(vault)s"),
    )


@mail.mail_kind(digests.WEEKLY)
def write_weekly_digest(delivery_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell somebody of a week; of nothing when they have read all of it, or may not see it any more."""
    return _gather(
        delivery_id,
        lambda actor, delivery: digests.list_told(actor, delivery, "weekly"),
        "weekly",
        gettext_noop("The week in %(vault)s"),
    )


@mail.mail_kind(holding.HELD)
def write_held(delivery_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell somebody what came in their quiet hours; nothing when they have read all of it, or may not see it any more."""
    return _gather(delivery_id, holding.list_told, "at_once", gettext_noop("In your quiet hours in %(vault)s"))


def _gather(
    delivery_id: UUID, list_told: Callable[[Actor, Delivery], Sequence[judging.Told]], what: Gathered, subject: str
) -> mail.Letter | None:
    """Write one mail of several things, in the reader's language; of nothing, none.

    :param list_told: gives what is left to be told.
    :param what: which choice of theirs it is that its address switches off.
    """
    found = _find(delivery_id)
    if found is None:
        return None
    delivery, recipient = found
    with translation.override(recipient.locale or None):
        told = list_told(recipient.actor, delivery)
        if not told:
            return None
        home = _home(recipient.actor.user_id)
        return mail.Letter(
            to=recipient.email,
            locale=recipient.locale or None,
            subject=gettext(subject) % {"vault": recipient.actor.tenant.name},
            template="notifications/mail/digest",
            context={
                "lines": [_line(one, home, recipient.time_zone) for one in told[: digests.LINES]],
                "more_count": max(0, len(told) - digests.LINES),
                **_foot(home, recipient.actor.user_id, what),
            },
            action=mail.Action(_("Show all"), f"{home}/notifications/"),
            vault_name=recipient.actor.tenant.name,
            unsubscribe_url=home + leaving.make_path(recipient.actor.user_id, what),
        )


def _line(told: judging.Told, home: str, time_zone: str) -> dict[str, Any]:
    return {
        "text": told.text,
        "when": hours.local_time(told.entry.last_at, time_zone),
        "url": home + told.path,
    }


def _find(delivery_id: UUID) -> tuple[Delivery, audience.Recipient] | None:
    with db.read_transaction():
        delivery = Delivery.objects.filter(pk=delivery_id).first()
    recipient = None if delivery is None else audience.find_recipient(delivery.user_id)
    return None if delivery is None or recipient is None or not recipient.email else (delivery, recipient)


def _home(user_id: UUID) -> str:
    """Tell where a browser finds the entered tenant."""
    tenant_id = tenancy.current().id
    return next(one.url for one in identity.list_tenants_of_user(user_id=user_id) if one.id == tenant_id)


def _foot(home: str, user_id: UUID, what: Topic | Gathered) -> dict[str, str]:
    return {
        "unsubscribe_url": home + leaving.make_path(user_id, what),
        "preferences_url": f"{home}/settings/notifications/",
    }
