"""Being told: of what concerns one and of what one follows, once for many, and only of what one may see at this moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from apps.files import api as files
from apps.identity import api as identity
from apps.notifications import api as notifications
from apps.notifications import errors, forgetting, operations, queries, recording
from apps.notifications.models import Entry, Reader, ReadMark, Subscription
from apps.notifications.recording import CONSUMER
from apps.sharing import api as sharing
from bitvault.events import consuming
from bitvault.events.models import ConsumerCursor
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import ScopeMissing
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import Tree
from tests.support.shares import grant, share, share_only


def entries():
    with db.read_transaction():
        return list(Entry.objects.order_by("seq"))


# --- what concerns somebody ------------------------------------------------------------------------------------------------


def test_a_share_is_told_to_whom_it_is_given_and_to_nobody_else(tree, teller, olga, vera, photos):
    assert teller.texts(olga) == ["Mia shared Photos with you"]
    assert teller.texts(tree.actor) == teller.texts(vera) == []


def test_a_share_with_everyone_is_told_to_all_but_who_gave_it(tree, teller, olga, vera):
    folder = tree.folder("Photos")
    share(tree.actor, folder, "everyone", "viewer")
    assert teller.texts(olga) == teller.texts(vera) == ["Mia shared Photos with you"]
    assert teller.texts(tree.actor) == []
    assert len([entry for entry in entries() if entry.kind == "shared"]) == 1


def test_a_share_that_has_ended_is_not_told(tree, teller, olga, photos):
    assert teller.notices(olga).unread_count == 1
    share_only(tree.actor, photos)
    told = teller.notices(olga)
    assert (told.items, told.unread_count) == ([], 0)


def test_what_lies_in_the_trash_is_not_told_as_shared(tree, teller, olga, photos):
    tree.trash(photos)
    assert teller.texts(olga) == []


def test_a_conflict_is_told_to_whose_version_it_is(tree, teller, olga):
    file = tree.file("plan.txt")
    tree.write(file, b"newer")
    granted = tree.grant("plan.txt", mode="update", node_id=file.id, base_version_id=file.version_id)
    copy = tree.commit(granted, b"stale").node
    assert teller.texts(tree.actor) == [
        f"Somebody else had changed the file meanwhile. Your version was kept as {copy.name}"
    ]


def test_a_token_of_a_folder_hears_of_that_folder_alone(tree, teller, olga, photos):
    other = tree.folder("Other")
    share(tree.actor, other, olga, "viewer")
    narrow = replace(olga, folder_id=other.id)
    assert teller.texts(narrow) == ["Mia shared Other with you"]
    assert len(teller.texts(olga)) == 2


def test_a_credential_without_the_scope_hears_nothing(olga, teller):
    with pytest.raises(ScopeMissing):
        notifications.list_notices(actor=replace(olga, scopes=frozenset()))


# --- what somebody follows -------------------------------------------------------------------------------------------------


def test_of_many_files_in_one_folder_one_line_is_told(tree, teller, olga, photos):
    teller.follow(olga, photos)
    for number in range(54):
        tree.file(f"{number}.jpg", photos)
    told = teller.notices(olga)
    assert [(notice.text, notice.count, notice.topic) for notice in told.items] == [
        ("Mia added 54 files to Photos", 54, "followed"),
        ("Mia shared Photos with you", 1, "shared"),
    ]
    assert told.unread_count == 2
    assert len(entries()) == 56  # each event once: 54 files, the folder, its share


def test_what_lies_deep_below_is_followed_too(tree, teller, olga, photos):
    teller.follow(olga, photos)
    deep = tree.folder("b", tree.folder("a", photos))
    tree.file("deep.txt", deep)
    assert teller.texts(olga)[0] == "Mia added deep.txt to b"


def test_each_thing_that_happens_has_its_words(tree, teller, olga, photos):
    teller.follow(olga, photos)
    other = tree.folder("Other", photos)
    file = tree.file("a.txt", photos)
    tree.write(file, b"more")
    file = tree.update(tree.get(file), name="b.txt")
    file = tree.update(file, parent_id=other.id)
    tree.trash(file)
    tree.restore(file)
    assert teller.texts(olga)[:-1] == [
        "Mia restored b.txt to Other",
        "Mia moved b.txt from Other to the trash",
        "Mia moved b.txt to Other",
        "Mia renamed a.txt to b.txt",
        "Mia changed a.txt",
        "Mia added a.txt to Photos",
        "Mia created the folder Other in Photos",
    ]


def test_what_was_before_somebody_followed_is_not_told(tree, teller, olga, photos):
    tree.file("before.txt", photos)
    teller.follow(olga, photos)
    assert teller.texts(olga) == ["Mia shared Photos with you"]


def test_what_somebody_does_themselves_is_no_news(tree, teller, photos):
    teller.follow(tree.actor, photos)
    tree.file("mine.txt", photos)
    assert teller.texts(tree.actor) == []


def test_a_lost_share_ends_what_is_told_of_a_followed_folder(tree, teller, olga, photos):
    teller.follow(olga, photos)
    tree.file("secret.txt", photos)
    assert len(teller.texts(olga)) == 2
    share_only(tree.actor, photos)
    assert teller.texts(olga) == []


def test_a_muted_folder_is_silent_and_speaks_again(tree, teller, olga, photos):
    teller.follow(olga, photos)
    inner = tree.folder("Inner", photos)
    muted = teller.follow(olga, inner, "none")
    tree.file("quiet.txt", inner)
    assert "quiet.txt" not in " ".join(teller.texts(olga))
    notifications.unsubscribe(actor=olga, subscription_id=muted.id)
    assert "quiet.txt" in " ".join(teller.texts(olga))


def test_a_file_that_is_followed_stands_for_itself(tree, teller, olga, photos):
    files_of_photos = [tree.file(f"{number}.txt", photos) for number in range(3)]
    teller.follow(olga, files_of_photos[1])
    for file in files_of_photos:
        tree.trash(file)
    found = [entry for entry in entries_after(teller) if entry.kind == "trashed" and entry.head_id is None]
    assert len(found) == 2


def entries_after(teller):
    teller.catch_up()
    return entries()


def test_a_group_ends_after_an_hour(tree, teller, olga, photos, monkeypatch):
    teller.follow(olga, photos)
    tree.file("a.txt", photos)
    teller.catch_up()
    monkeypatch.setattr(recording, "WINDOW", timedelta(0))
    tree.file("b.txt", photos)
    assert teller.texts(olga)[:2] == ["Mia added b.txt to Photos", "Mia added a.txt to Photos"]


def test_nobody_follows_what_they_may_not_know_of(tree, olga):
    with pytest.raises(NotFound):
        notifications.subscribe(actor=olga, node_id=tree.folder("Private").id)


def test_following_again_changes_nothing_and_has_a_limit(tree, teller, olga, photos, monkeypatch):
    first = teller.follow(olga, photos)
    assert teller.follow(olga, photos) == first
    assert teller.follow(olga, photos, "none").channel == "none"
    monkeypatch.setattr(operations, "SUBSCRIPTIONS_LIMIT", 1)
    with pytest.raises(errors.TooManySubscriptions):
        teller.follow(olga, tree_of(olga).folder("Mine"))


def tree_of(actor):
    return Tree(actor)


def test_subscriptions_to_what_is_gone_for_good_go(tree, teller, olga, photos):
    teller.follow(olga, photos)
    tree.trash(photos)
    files.purge_node(actor=tree.actor, node_id=photos.id)
    files.purge_expired()
    teller.catch_up()
    with db.read_transaction():
        assert not Subscription.objects.exists()


# --- reading ---------------------------------------------------------------------------------------------------------------


def test_some_are_read_then_all_and_what_joins_makes_unread_again(tree, teller, olga, photos):
    teller.follow(olga, photos)
    tree.file("a.txt", photos)
    first, second = teller.notices(olga).items
    assert notifications.mark_read(actor=olga, ids=[first.id]) == 1
    assert [notice.is_read for notice in teller.notices(olga).items] == [True, False]
    assert teller.texts(olga, unread=True) == ["Mia shared Photos with you"]
    tree.file("b.txt", photos)
    told = teller.notices(olga)
    assert [(notice.id, notice.is_read) for notice in told.items] == [(first.id, False), (second.id, False)]
    assert notifications.mark_read(actor=olga, up_to_id=first.id) == 0
    with db.read_transaction():
        assert not ReadMark.objects.exists()


def test_an_older_mark_takes_nothing_back(tree, teller, olga, photos):
    teller.follow(olga, photos)
    tree.file("a.txt", photos)
    newer, older = teller.notices(olga).items
    notifications.mark_read(actor=olga, up_to_id=newer.id)
    notifications.mark_read(actor=olga, up_to_id=older.id)
    assert teller.notices(olga).unread_count == 0
    with pytest.raises(NotFound):
        notifications.mark_read(actor=olga, up_to_id=ids.new_id())


def test_a_notice_of_somebody_else_cannot_be_told_from_none(tree, teller, olga, vera, photos):
    (notice,) = teller.notices(olga).items
    with pytest.raises(NotFound):
        notifications.mark_read(actor=vera, up_to_id=notice.id)
    assert notifications.mark_read(actor=vera, ids=[notice.id]) == 0
    assert teller.notices(olga).unread_count == 1


def test_pages_tell_each_notice_once_also_where_many_may_not_be_seen(tree, teller, olga, monkeypatch):
    monkeypatch.setattr(queries, "BATCH", 3)
    names = []
    for number in range(8):
        folder = tree.folder(f"f{number}")
        share(tree.actor, folder, olga, "viewer")
        if number % 3:
            share_only(tree.actor, folder)
        else:
            names.append(f"Mia shared f{number} with you")
    told, cursor = [], None
    while True:
        page = teller.notices(olga, limit=2, cursor=cursor)
        told += [notice.text for notice in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert told == names[::-1]


def test_one_request_looks_at_a_bounded_number(tree, teller, olga, monkeypatch):
    monkeypatch.setattr(queries, "BATCH", 2)
    monkeypatch.setattr(queries, "LOOKED_AT_LIMIT", 4)
    seen = tree.folder("seen")
    share(tree.actor, seen, olga, "viewer")
    for number in range(6):
        folder = tree.folder(f"f{number}")
        share(tree.actor, folder, olga, "viewer")
        share_only(tree.actor, folder)
    page = teller.notices(olga)
    assert page.items == []
    assert page.next_cursor is not None
    assert [notice.text for notice in teller.notices(olga, cursor=page.next_cursor).items] == [
        "Mia shared seen with you"
    ]


def test_what_somebody_has_switched_off_is_not_told(tree, teller, olga, photos):
    teller.wants(olga, "shared", browser=False, mail="off")
    told = teller.notices(olga)
    assert (told.items, told.unread_count) == ([], 0)


@pytest.mark.parametrize("count", [10, 60])
def test_a_page_costs_as_many_queries_however_many_there_are(tree, teller, olga, counted_queries, count):
    folders = [tree.folder(f"f{number}") for number in range(count)]
    for folder in folders:
        share(tree.actor, folder, olga, "viewer")
    teller.catch_up()
    reader = replace(olga, reach=sharing.find_reach(actor=olga, fresh=True))
    notifications.list_notices(actor=reader, limit=5)
    with counted_queries() as queries_of_page:
        assert len(notifications.list_notices(actor=reader, limit=5).items) == 5
    assert len(queries_of_page) <= 14


# --- the stream ------------------------------------------------------------------------------------------------------------


def test_events_that_come_again_change_nothing(tree, teller, olga, photos):
    teller.follow(olga, photos)
    for number in range(5):
        tree.file(f"{number}.txt", photos)
    before = teller.notices(olga).items
    stored = [(entry.id, entry.count, entry.last_seq, entry.head_id) for entry in entries()]
    ConsumerCursor.objects.filter(consumer=CONSUMER).update(seq=0, published_at=datetime(1970, 1, 1, tzinfo=UTC))
    assert teller.notices(olga).items == before
    assert [(entry.id, entry.count, entry.last_seq, entry.head_id) for entry in entries()] == stored


def test_writers_pay_the_same_for_a_folder_that_many_follow(tree, teller, olga, photos, counted_queries):
    def cost():
        tree.file(f"{ids.new_id()}.txt", photos)
        with counted_queries() as statements:
            consuming.consume(CONSUMER)
        return len(statements), len(entries())

    teller.catch_up()
    cost()  # begins a group
    alone, before = cost()
    with db.write_transaction():
        Subscription.objects.bulk_create(
            Subscription(user_id=ids.new_id(), node_id=photos.id, follows=True, since_seq=0, created_at=clock.now())
            for _ in range(2_000)
        )
    watched, after = cost()
    assert watched == alone
    assert after == before + 1


def test_what_is_old_is_forgotten(tree, teller, olga, photos, monkeypatch):
    assert len(teller.texts(olga)) == 1
    notifications.mark_read(actor=olga, ids=[teller.notices(olga).items[0].id])
    monkeypatch.setattr(forgetting, "AGE", timedelta(0))
    assert forgetting.forget_old() == 2
    assert teller.texts(olga) == []
    with db.read_transaction():
        assert not ReadMark.objects.exists()


def test_who_leaves_is_forgotten(tree, teller, olga, vera, photos):
    share(tree.actor, photos, vera, "viewer")
    teller.follow(vera, photos)
    notifications.mark_read(actor=vera, up_to_id=teller.notices(vera).items[0].id)
    identity.remove_member(tenant=vera.tenant, user_id=vera.user_id, successor_id=tree.actor.user_id)
    teller.catch_up()
    with db.read_transaction():
        assert not Subscription.objects.filter(user_id=vera.user_id).exists()
        assert not Reader.objects.filter(user_id=vera.user_id).exists()


def test_a_grant_that_only_changes_is_not_told_again(tree, teller, olga, photos):
    sharing.put_share(actor=tree.actor, node_id=photos.id, grant=grant(olga, "editor"))
    assert teller.texts(olga) == ["Mia shared Photos with you"]
