"""When mails come: after quiet hours as one, by the week, each by the clock of its reader, and nothing twice."""

from datetime import UTC, datetime, timedelta

import pytest

from apps.identity import models as identity
from apps.notifications import api as notifications
from apps.notifications.dtos import QuietHours
from apps.notifications.models import Delivery
from bitvault.kernel import db
from tests.support.shares import share, share_only

MIDNIGHT = datetime(2026, 12, 1, 5, 0, tzinfo=UTC)
"""A Tuesday in New York, where it is winter."""

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def olga(olga):
    """Olga, who lives in New York."""
    identity.User.objects.filter(email="olga@acme.test").update(time_zone="America/New_York")
    return olga


def keep_quiet(actor, start, end):
    notifications.set_preferences(actor=actor, changes_quiet_hours=True, quiet_hours=QuietHours(start, end))


def give(tree, name):
    """Share a folder with everyone."""
    folder = tree.folder(name)
    share(tree.actor, folder, "everyone", "viewer")
    return folder


def stop_by(mail):
    """Do what a mail program does with the address of a mail; returns what it switched off, and how topics are mailed then."""
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = mail.extra_headers["List-Unsubscribe"].strip("<>/").rpartition("/")[2]
    what = notifications.find_stop(token=token)
    for _ in range(2):
        notifications.stop_mails(token=token)
    return what


def modes(actor):
    return {one.topic: one.mail for one in notifications.get_preferences(actor=actor).items}


# --- quiet hours -----------------------------------------------------------------------------------------------------------


def test_mails_of_quiet_hours_wait_and_come_afterwards_as_one(tree, teller, olga, vera, at):
    for person in (olga, vera):
        teller.wants(person, "shared", mail="at_once")
        keep_quiet(person, "22:00", "07:00")
    at(MIDNIGHT)
    first = give(tree, "Photos")
    # For Vera, who has chosen no time zone, it is five in the morning too: of UTC.
    assert teller.digests() == []
    at(MIDNIGHT + HOUR)
    give(tree, "Plans")
    assert teller.texts(olga) == ["Mia shared Plans with you", "Mia shared Photos with you"]
    at(MIDNIGHT + 2 * HOUR)
    (mail,) = teller.digests()
    assert mail.to == ["vera@acme.test"]
    at(MIDNIGHT + 7 * HOUR - timedelta(minutes=1))
    assert teller.digests() == []
    at(MIDNIGHT + 7 * HOUR)
    (mail,) = teller.digests()
    assert (mail.to, mail.subject) == (["olga@acme.test"], "In your quiet hours in Acme")
    assert "Mia shared Photos with you" in mail.body
    assert "Mia shared Plans with you" in mail.body
    assert f"/files/{first.id}/" in mail.body
    assert teller.digests() == []
    give(tree, "Later")
    assert [one.subject for one in teller.mails()] == ["Mia shared Later with you"] * 2


def test_what_was_read_or_may_not_be_seen_any_more_does_not_come_afterwards(tree, teller, olga, at):
    teller.wants(olga, "shared", mail="at_once")
    keep_quiet(olga, "22:00", "07:00")
    at(MIDNIGHT)
    give(tree, "Read")
    ended = give(tree, "Ended")
    kept = give(tree, "Kept")
    read = next(one for one in teller.notices(olga).items if "Read" in one.text)
    notifications.mark_read(actor=olga, ids=[read.id])
    share_only(tree.actor, ended)
    at(MIDNIGHT + 8 * HOUR)
    (mail,) = teller.digests()
    assert "Kept" in mail.body
    assert "Read" not in mail.body
    assert "Ended" not in mail.body
    assert f"/files/{kept.id}/" in mail.body


def test_what_waits_comes_when_quiet_hours_are_switched_off(tree, teller, olga, at):
    teller.wants(olga, "shared", mail="at_once")
    keep_quiet(olga, "22:00", "07:00")
    at(MIDNIGHT)
    give(tree, "Photos")
    assert teller.digests() == []
    notifications.set_preferences(actor=olga, changes_quiet_hours=True, quiet_hours=None)
    assert len(teller.digests()) == 1


def test_nothing_waits_for_who_cannot_be_written_to(tree, teller, olga, at):
    teller.wants(olga, "shared", mail="at_once")
    keep_quiet(olga, "22:00", "07:00")
    at(MIDNIGHT)
    give(tree, "Photos")
    teller.catch_up()
    identity.User.objects.filter(email="olga@acme.test").update(email=None, claimed_email="olga@acme.test")
    at(MIDNIGHT + 8 * HOUR)
    assert teller.digests() == []
    with db.read_transaction():
        assert not Delivery.objects.filter(is_held=True).exists()


def test_the_mail_after_quiet_hours_switches_off_all_that_it_gathers(tree, teller, olga, at):
    teller.wants(olga, "shared", mail="at_once")
    keep_quiet(olga, "22:00", "07:00")
    at(MIDNIGHT)
    give(tree, "Photos")
    teller.catch_up()
    at(MIDNIGHT + 8 * HOUR)
    (mail,) = teller.digests()
    assert stop_by(mail) == "at_once"
    assert "at_once" not in modes(olga).values()
    assert modes(olga)["followed"] == "daily"


@pytest.mark.parametrize(
    ("quiet", "come_at"),
    [(("22:00", "06:00"), 8), (("22:00", "09:00"), 9), (("07:00", "03:00"), 3), (("12:00", "14:00"), 8)],
)
def test_a_digest_comes_at_eight_or_when_quiet_hours_end(tree, teller, olga, at, quiet, come_at):
    at(MIDNIGHT)
    keep_quiet(olga, *quiet)
    teller.follow(olga, give(tree, "Photos"))
    teller.wants(olga, "shared", mail="daily")
    give(tree, "Plans")
    teller.catch_up()
    hours = [hour for hour in range(24) if (at(MIDNIGHT + hour * HOUR), teller.digests())[1]]
    assert hours == [come_at]


# --- by the week -----------------------------------------------------------------------------------------------------------


def test_a_week_is_told_by_one_mail_on_monday_morning_of_its_reader(tree, teller, olga, at):
    identity.User.objects.filter(email="olga@acme.test").update(locale="de")
    at(MIDNIGHT)
    photos = give(tree, "Photos")
    teller.wants(olga, "shared", mail="off")
    teller.wants(olga, "followed", mail="weekly")
    teller.follow(olga, photos)
    came = []
    for day in range(14):
        at(MIDNIGHT + day * DAY)
        if day in (1, 3, 8):
            tree.file(f"{day}.txt", photos)
        for hour in (0, 7, 8, 20):
            at(MIDNIGHT + day * DAY + hour * HOUR)
            came += [((day, hour), mail) for mail in teller.digests()]
    assert [moment for moment, _ in came] == [(6, 8), (13, 8)]
    (_, first), (_, second) = came
    assert first.subject == "Die Woche in Acme"
    assert "1.txt" in first.body
    assert "3.txt" in first.body
    assert "8.txt" in second.body
    assert "1.txt" not in second.body
    assert stop_by(second) == "weekly"
    assert modes(olga)["followed"] == "off"


def test_a_monday_that_was_missed_is_made_up_for(tree, teller, olga, at):
    at(MIDNIGHT)
    photos = give(tree, "Photos")
    teller.wants(olga, "followed", mail="weekly")
    teller.follow(olga, photos)
    tree.file("a.txt", photos)
    teller.mails()
    at(MIDNIGHT + 8 * DAY)
    assert len(teller.digests()) == 1
    assert teller.digests() == []


def test_a_topic_that_goes_from_day_to_week_is_told_once_and_whole(tree, teller, olga, at):
    at(MIDNIGHT)
    photos = give(tree, "Photos")
    teller.follow(olga, photos)
    tree.file("before.txt", photos)
    teller.catch_up()
    at(MIDNIGHT + 9 * HOUR)
    (mail,) = teller.digests()
    assert "before.txt" in mail.body
    at(MIDNIGHT + 20 * HOUR)
    tree.file("between.txt", photos)
    teller.catch_up()
    teller.wants(olga, "followed", mail="weekly")
    at(MIDNIGHT + 6 * DAY + 9 * HOUR)
    (mail,) = teller.digests()
    assert "between.txt" in mail.body
    assert "before.txt" not in mail.body


def test_what_was_mailed_at_once_stands_in_no_digest(tree, teller, olga, at):
    at(MIDNIGHT)
    teller.wants(olga, "shared", mail="at_once")
    give(tree, "Photos")
    assert len(teller.mails()) == 1
    teller.wants(olga, "shared", mail="daily")
    give(tree, "Plans")
    teller.catch_up()
    at(MIDNIGHT + 9 * HOUR)
    (mail,) = teller.digests()
    assert "Plans" in mail.body
    assert "Photos" not in mail.body
