"""Mails: at once and by the day, in the reader's language and time, once to each person, and only of what they may see when it leaves."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from apps.billing import api as billing
from apps.identity import models as identity
from apps.notifications import api as notifications
from apps.notifications import leaving, telling
from apps.notifications.models import Delivery, Entry, Reader, Threshold
from bitvault.kernel import db, ids, tenancy
from bitvault.kernel.errors import NotFound
from tests.support.shares import share, share_only

MORNING = datetime(2026, 11, 30, 8, 30, tzinfo=UTC)


@pytest.fixture
def photos(tree, teller, olga):
    """A folder that mia has shared with everyone; Olga wants a mail of such."""
    folder = tree.folder("Photos")
    share(tree.actor, folder, "everyone", "viewer")
    teller.wants(olga, "shared", mail="at_once")
    return folder


def deliveries():
    with db.read_transaction():
        return Delivery.objects.count()


# --- at once ---------------------------------------------------------------------------------------------------------------


def test_a_share_is_written_to_whom_it_is_given_once(tree, teller, photos):
    (mail,) = teller.mails()
    assert (mail.to, mail.subject) == (["olga@acme.test"], "Mia shared Photos with you")
    assert f"/files/{photos.id}/" in mail.body
    teller.catch_up()
    assert teller.mails() == []
    assert deliveries() == 1


def test_it_is_told_once_although_the_job_is_done_again(tree, teller, photos):
    teller.catch_up()
    with db.write_transaction():
        Entry.objects.update(is_told=False)
    teller.catch_up()
    assert len(teller.mails()) == 1


def test_a_share_that_has_ended_meanwhile_is_not_written_of(tree, teller, photos):
    teller.catch_up()
    share_only(tree.actor, photos)
    assert teller.mails() == []


def test_what_was_read_before_its_mail_is_written_is_not_mailed(tree, teller, olga, photos):
    (notice,) = teller.notices(olga).items
    notifications.mark_read(actor=olga, ids=[notice.id])
    assert teller.mails() == []


def test_it_is_written_in_the_language_of_its_reader(tree, teller, photos):
    identity.User.objects.filter(email="olga@acme.test").update(locale="de")
    (mail,) = teller.mails()
    assert mail.subject == "Mia hat Photos mit Ihnen geteilt"
    assert 'lang="de"' in mail.alternatives[0][0]


def test_who_wants_no_such_mail_gets_none(tree, teller, olga, photos):
    teller.wants(olga, "shared", mail="off")
    assert teller.mails() == []


def test_who_has_proved_no_address_is_not_written_to(tree, teller, photos):
    identity.User.objects.filter(email="olga@acme.test").update(email=None, claimed_email="olga@acme.test")
    assert teller.mails() == []


def test_what_is_old_causes_no_mail(tree, teller, olga, photos, monkeypatch):
    monkeypatch.setattr(telling, "MAILED_FOR", timedelta(0))
    assert teller.mails() == []
    assert teller.texts(olga) == ["Mia shared Photos with you"]


def test_the_mail_to_a_person_whom_a_share_names_is_not_sent_a_second_time(tree, teller, olga, at):
    teller.wants(olga, "shared", mail="at_once")
    share(tree.actor, tree.folder("Named"), olga, "viewer")
    assert teller.texts(olga) == ["Mia shared Named with you"]
    assert teller.mails() == []
    teller.wants(olga, "shared", mail="daily")
    note_digest(olga)
    at(MORNING)
    assert teller.digests() == []


def test_a_share_with_everyone_is_written_to_each_in_pages(tree, teller, monkeypatch, adam, olga, vera):
    monkeypatch.setattr(telling, "PEOPLE_BATCH", 2)
    for person in (adam, olga, vera):
        teller.wants(person, "shared", mail="at_once")
    share(tree.actor, tree.folder("Photos"), "everyone", "viewer")
    assert sorted(mail.to[0] for mail in teller.mails()) == ["adam@acme.test", "olga@acme.test", "vera@acme.test"]


def test_who_follows_at_once_is_written_to_once_for_a_group(tree, teller, olga, photos):
    teller.follow(olga, photos)
    teller.wants(olga, "followed", mail="at_once")
    tree.file("a.txt", photos)
    subjects = [mail.subject for mail in teller.mails()]
    assert subjects == ["Mia shared Photos with you", "Mia added a.txt to Photos"]
    tree.file("b.txt", photos)
    assert teller.mails() == []


# --- switched off by one click ---------------------------------------------------------------------------------------------


def test_a_mail_says_how_it_is_switched_off_in_one_click(tree, teller, olga, photos):
    (mail,) = teller.mails()
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = mail.extra_headers["List-Unsubscribe"]
    assert address.startswith("<http")
    assert address.strip("<>") in mail.body
    token = address.strip("<>/").rpartition("/")[2]
    assert notifications.find_stop(token=token) == "shared"
    for _ in range(2):
        notifications.stop_mails(token=token)
    chosen = {one.topic: one.mail for one in notifications.get_preferences(actor=olga).items}
    assert (chosen["shared"], chosen["quota"]) == ("off", "at_once")


def test_an_address_of_another_tenant_or_of_nobody_switches_nothing_off(acme, beta, make_actor):
    with tenancy.entered(acme):
        token = leaving.make_path(make_actor("olga").user_id, "shared").strip("/").rpartition("/")[2]
        assert leaving.read(token)[1] == "shared"
        with pytest.raises(NotFound):
            leaving.read(("a" if token[0] != "a" else "b") + token[1:])
    with tenancy.entered(beta), pytest.raises(NotFound):
        leaving.read(token)


# --- by the day ------------------------------------------------------------------------------------------------------------


def test_a_day_is_told_by_one_mail_in_the_morning_of_its_reader(tree, teller, olga, photos, at):
    identity.User.objects.filter(email="olga@acme.test").update(time_zone="America/New_York")
    teller.follow(olga, photos)
    teller.wants(olga, "shared", mail="daily")
    tree.file("a.txt", photos)
    teller.catch_up()
    at(MORNING)
    assert teller.digests() == []
    at(MORNING + timedelta(hours=5))
    (mail,) = teller.digests()
    assert mail.to == ["olga@acme.test"]
    assert mail.subject == "What happened in Acme"
    assert "Mia added a.txt to Photos" in mail.body
    assert "Mia shared Photos with you" in mail.body
    assert mail.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert teller.digests() == []


def test_what_came_after_a_digest_is_told_on_the_next_day(tree, teller, olga, photos, at):
    teller.follow(olga, photos)
    tree.file("a.txt", photos)
    teller.catch_up()
    at(MORNING)
    assert len(teller.digests()) == 2  # the share at once, and the day
    note_digest(olga)
    tree.trash(tree.file("b.txt", tree.folder("Inner", photos)))
    teller.catch_up()
    assert teller.digests() == []
    at(MORNING + timedelta(days=1))
    (mail,) = teller.digests()
    assert "Inner" in mail.body
    assert "a.txt to Photos" not in mail.body


def note_digest(actor):
    with db.write_transaction():
        Reader.objects.bulk_create([Reader(user_id=actor.user_id)], ignore_conflicts=True)
        Reader.objects.filter(pk=actor.user_id).update(wants_digest=True)


def test_what_was_read_in_the_browser_is_not_told_again(tree, teller, olga, photos, at):
    teller.follow(olga, photos)
    tree.file("a.txt", photos)
    teller.mails()
    notifications.mark_read(actor=olga, up_to_id=teller.notices(olga).items[0].id)
    at(MORNING)
    assert teller.digests() == []


def test_a_lost_share_is_not_told_by_a_digest(tree, teller, olga, photos, at):
    teller.follow(olga, photos)
    tree.file("secret.txt", photos)
    teller.mails()
    share_only(tree.actor, photos)
    at(MORNING)
    assert teller.digests() == []


def test_stopping_a_digest_stops_all_that_it_gathers(tree, teller, olga, photos, at):
    teller.follow(olga, photos)
    tree.file("a.txt", photos)
    teller.mails()
    at(MORNING)
    (mail,) = teller.digests()
    token = mail.extra_headers["List-Unsubscribe"].strip("<>/").rpartition("/")[2]
    notifications.stop_mails(token=token)
    chosen = {one.topic: one.mail for one in notifications.get_preferences(actor=olga).items}
    assert "daily" not in chosen.values()
    assert chosen["shared"] == "at_once"


# --- quotas ----------------------------------------------------------------------------------------------------------------


def use(percent):
    """Let so much of the quota be used."""
    billing.set_quota(limit_bytes=1000)
    with db.write_transaction(), connection.cursor() as cursor:
        cursor.execute("UPDATE billing_quota SET used_bytes = %s", [percent * 10])


def test_administrators_are_told_once_of_each_part_of_the_quota(tree, teller, adam, olga):
    told = []
    for percent in (10, 79, 80, 85, 81, 95, 96, 100, 100):
        use(percent)
        told.append(len(teller.notices(adam).items))
    assert told == [0, 0, 1, 1, 1, 2, 2, 3, 3]
    assert teller.texts(adam)[0] == "The vault is full: new files are refused"
    assert teller.texts(adam)[-1] == "The vault is 80% full"
    assert teller.texts(olga) == teller.texts(tree.actor) == []


def test_a_quota_that_had_fallen_well_below_is_told_of_again(tree, teller, adam):
    for percent, count in ((96, 1), (94, 1), (95, 1), (60, 1), (95, 2)):
        use(percent)
        assert len(teller.notices(adam).items) == count
    with db.read_transaction():
        assert Threshold.objects.get().percent == 95


def test_administrators_are_written_to_of_the_quota(tree, teller):
    use(80)
    assert sorted(mail.to[0] for mail in teller.mails()) == ["adam@acme.test", "olga@acme.test"]


def fill(scope, root_id, percent, by):
    """Let so much of a limit be taken."""
    billing.set_quota(limit_bytes=10**9)
    billing.set_scope_limit(actor=by, scope=scope, root_id=root_id, limit_bytes=1000, warn_bytes=None)
    with db.write_transaction(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_root_usage (root_id, used_bytes) VALUES (%s, %s)"
            " ON CONFLICT (root_id) DO UPDATE SET used_bytes = excluded.used_bytes",
            [root_id, percent * 10],
        )


def test_members_are_told_of_their_own_limit_and_administrators_of_a_team_folders(tree, teller, adam):
    member, root_id = tree.actor, ids.new_id()
    for percent, count in ((50, 0), (80, 1), (82, 1), (95, 2), (100, 3)):
        fill(f"user:{member.user_id}", root_id, percent, adam)
        teller.catch_up()
        assert len(teller.notices(member).items) == count
    assert teller.texts(member)[0] == "The limit of your files is reached: new files are refused"
    assert teller.texts(member)[-1] == "Your files take 80% of your limit"
    assert teller.texts(adam) == []
    fill(f"folder:{ids.new_id()}", ids.new_id(), 96, adam)
    assert teller.texts(adam) == ["A team folder takes 95% of its limit"]
    assert len(teller.notices(member).items) == 3
