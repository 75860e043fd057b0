"""Favourites and recents: whose they are, what of them is told, what keeps and what ends them, and at what cost."""

import pytest
from django.test import Client

from apps.annotations import api as annotations
from apps.annotations import dtos, errors
from apps.annotations.consumers import CONSUMER
from apps.annotations.models import Favourite, Recent
from apps.annotations.operations import favourites, recents
from apps.files import api as files
from apps.files.operations import downloads
from bitvault.events.api import publish, set_position
from bitvault.events.catalog.identity import MemberRemoved
from bitvault.kernel import db
from bitvault.kernel.errors import NotFound
from tests.support.shares import filled, share_only
from tests.support.world import ACME, PASSWORD


def rows(model, **facts):
    with db.read_transaction():
        return list(model.objects.filter(**facts).order_by("node_id"))


def names(page):
    return [item.node.name for item in page.items]


def mark(actor, *nodes):
    for node in nodes:
        annotations.mark_favourite(actor=actor, node_id=node.id)


def marked(actor, *nodes):
    return {one.node_id for one in annotations.list_marks(actor=actor, node_ids=[node.id for node in nodes])}


def test_favourites_are_listed_latest_first_for_whoever_marked_them_and_for_nobody_else(tree, olga, photos):
    file = tree.file("a.txt", photos)
    for _ in range(2):
        mark(tree.actor, photos, file)
    mark(olga, photos)
    page = annotations.list_favourites(actor=tree.actor)
    assert names(page) == ["a.txt", "Photos"]
    assert [(step.name, step.is_own_root) for step in page.items[0].node.path] == [
        ("My files", True),
        ("Photos", False),
    ]
    assert names(annotations.list_favourites(actor=olga)) == ["Photos"]
    assert marked(olga, photos, file) == {photos.id}
    annotations.unmark_favourite(actor=tree.actor, node_id=file.id)
    annotations.unmark_favourite(actor=tree.actor, node_id=file.id)
    assert names(annotations.list_favourites(actor=tree.actor)) == ["Photos"]


def test_only_what_one_may_know_of_is_marked_and_told(tree, olga, photos):
    hidden = tree.folder("Hidden")
    with pytest.raises(NotFound):
        mark(olga, hidden)
    mark(olga, photos)
    share_only(tree.actor, photos)
    assert names(annotations.list_favourites(actor=olga)) == []
    assert marked(olga, photos) == set()
    annotations.unmark_favourite(actor=olga, node_id=photos.id)  # also what is out of sight
    assert rows(Favourite, user_id=olga.user_id) == []
    with pytest.raises(NotFound):
        annotations.unmark_favourite(actor=olga, node_id=photos.id)


def test_a_favourite_outlives_the_trash_and_ends_with_its_node(tree, photos, catch_up):
    file = tree.file("a.txt", photos)
    mark(tree.actor, file, photos)
    tree.trash(photos)
    assert names(annotations.list_favourites(actor=tree.actor)) == []
    tree.restore(photos)
    assert names(annotations.list_favourites(actor=tree.actor)) == ["Photos", "a.txt"]
    tree.trash(photos)
    files.purge_node(actor=tree.actor, node_id=photos.id)
    catch_up()
    assert rows(Favourite) == []


def test_there_are_only_so_many_favourites(tree, photos, monkeypatch):
    monkeypatch.setattr(favourites, "LIMIT", 1)
    mark(tree.actor, photos, photos)
    with pytest.raises(errors.TooManyFavourites):
        mark(tree.actor, tree.folder("Another"))


def download(tree, node):
    content = files.get_content(actor=tree.actor, node_id=node.id)
    with db.write_transaction():
        downloads.announce(tree.actor, node.id, content)


def deeds(actor):
    return [(item.node.name, item.what) for item in annotations.list_recents(actor=actor).items]


def test_recents_tell_the_last_deed_with_each_file(tree, photos, catch_up, olga):
    first, second = tree.file("a.txt", photos), tree.file("b.txt", photos)
    catch_up()
    assert deeds(tree.actor) == [("b.txt", "added"), ("a.txt", "added")]
    tree.write(first, b"more")
    download(tree, second)
    tree.update(tree.get(first), name="c.txt")
    catch_up()
    assert deeds(tree.actor) == [("c.txt", "renamed"), ("b.txt", "opened")]
    assert deeds(olga) == []


def test_events_that_are_delivered_again_change_nothing(tree, photos, catch_up):
    tree.file("a.txt", photos)
    file = tree.file("b.txt", photos)
    tree.write(file, b"more")
    catch_up()
    before = [(row.node_id, row.what, row.last_seq, row.last_at) for row in rows(Recent)]
    with db.write_transaction():
        set_position(consumer=CONSUMER, seq=0)
    catch_up()
    assert [(row.node_id, row.what, row.last_seq, row.last_at) for row in rows(Recent)] == before


def test_only_the_latest_files_of_each_person_are_kept(tree, photos, catch_up, monkeypatch):
    monkeypatch.setattr(recents, "KEPT", 2)
    for number in range(4):
        tree.file(f"{number}.txt", photos)
    catch_up()
    assert [name for name, _ in deeds(tree.actor)] == ["3.txt", "2.txt"]
    assert len(rows(Recent)) == 2


def test_whoever_leaves_takes_their_favourites_and_recents_along(tree, olga, photos, catch_up):
    mark(tree.actor, photos)
    mark(olga, photos)
    tree.file("a.txt", photos)
    with db.write_transaction():
        publish(MemberRemoved(actor_id=olga.user_id, user_id=tree.actor.user_id))
    catch_up()
    assert [row.user_id for row in rows(Favourite)] == [olga.user_id]
    assert rows(Recent) == []


def test_pages_of_both_lists_follow_one_another(tree, photos, catch_up):
    nodes = [tree.file(f"{number}.txt", photos) for number in range(5)]
    mark(tree.actor, *nodes)
    catch_up()
    for read in (annotations.list_favourites, annotations.list_recents):
        first = read(actor=tree.actor, limit=3)
        second = read(actor=tree.actor, limit=3, cursor=first.next_cursor)
        assert names(first) + names(second) == ["4.txt", "3.txt", "2.txt", "1.txt", "0.txt"]
        assert second.next_cursor is None


@pytest.mark.parametrize("count", [10, 100])
def test_lists_and_marks_take_the_same_few_queries_however_long(tree, photos, catch_up, counted_queries, count):
    nodes = [tree.file(f"{number}.txt", photos) for number in range(count)]
    mark(tree.actor, *nodes)
    catch_up()
    reader = filled(tree.actor)
    for read in (
        lambda: annotations.list_favourites(actor=reader).items,
        lambda: annotations.list_recents(actor=reader).items,
        lambda: annotations.list_marks(actor=reader, node_ids=[node.id for node in nodes]),
    ):
        with counted_queries() as statements:
            assert len(read()) == count
        assert len(statements) <= 4, statements


# --- REST and pages --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def browser(db):
    client = Client(headers={"host": "acme.localhost"})
    client.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD})
    return client


def test_favourites_over_rest_and_on_their_page(api, browser):
    mia = api("mia")
    root_id = mia.get("/me").json()["root_id"]
    node = mia.post("/folders", {"parent_id": root_id, "name": "Reports <i>"}).json()
    assert "No favourites yet" in browser.get("/favourites/").content.decode()
    for _ in range(2):
        assert mia.request("PUT", f"/nodes/{node['id']}/favourite").status_code == 204
    (item,) = mia.get("/favourites").json()["items"]
    assert (item["node"]["id"], item["node"]["path"][0]["is_own_root"]) == (node["id"], True)
    (mark,) = mia.get("/marks", node_ids=node["id"]).json()["items"]
    assert mark == {"node_id": node["id"], "favourite": True, "tags": [], "open_thread_count": 0}
    page = browser.get("/favourites/").content.decode()
    assert "Reports &lt;i&gt;" in page
    assert f'href="/files/{node["id"]}/"' in page
    assert mia.delete(f"/nodes/{node['id']}/favourite").status_code == 204
    assert mia.get("/favourites").json()["items"] == []
    assert mia.get("/recents").json()["items"] == []
    assert "Nothing here yet" in browser.get("/recents/").content.decode()


def test_marks_refuse_what_is_no_id_and_more_than_a_hundred(api):
    assert api("mia").get("/marks", node_ids="x").status_code == 422
    answer = api("mia").get(
        "/marks", node_ids=",".join(f"01900000-0000-7000-8000-{n:012d}" for n in range(dtos.NODES_LIMIT + 1))
    )
    assert answer.json()["code"] == "annotations.too_many_nodes"
