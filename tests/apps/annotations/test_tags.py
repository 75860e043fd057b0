"""Tags: who makes them, who puts them on what, what copies, the trash and deletion do to them, and what of them is told."""

import json
import re
from dataclasses import replace
from uuid import uuid4

import pytest
from django.db import connection

from apps.annotations import api as annotations
from apps.annotations import errors, sql
from apps.annotations.consumers import CONSUMER
from apps.annotations.models import Favourite, NodeTag
from apps.annotations.operations import tagging
from apps.files import api as files
from apps.files.api import copies
from bitvault.events.api import set_position
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import PermissionMissing, Role
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import analyze, events
from tests.support.shares import filled, share


@pytest.fixture
def urgent(actor, tenant):
    return annotations.create_tag(actor=actor, name="Urgent", colour="red")


@pytest.fixture
def done(actor, tenant):
    return annotations.create_tag(actor=actor, name="done", colour="green")


def put(actor, node, *tags):
    for tag in tags:
        annotations.tag_node(actor=actor, node_id=node.id, tag_id=tag.id)


def tags_of(actor, node):
    found = annotations.list_marks(actor=actor, node_ids=[node.id])
    return [tag.name for one in found for tag in one.tags]


def count():
    with db.read_transaction():
        return NodeTag.objects.count()


def test_every_member_makes_tags_and_their_names_are_one_in_any_case(tree, urgent, done, make_actor):
    assert [tag.name for tag in annotations.list_tags(actor=tree.actor)] == ["done", "Urgent"]
    with pytest.raises(errors.TagNameTaken) as taken:
        annotations.create_tag(actor=tree.actor, name="  URGENT ")
    assert taken.value.facts["tag_id"] == urgent.id
    with pytest.raises(errors.TagsAreKept):
        annotations.create_tag(actor=make_actor("vera"), name="mine")
    for name in ("", "  ", "a,b", "a\x07b", "x" * 61):
        with pytest.raises(errors.TagUnfit):
            annotations.create_tag(actor=tree.actor, name=name)


def test_a_guest_learns_the_tags_of_what_they_see_and_makes_none(tree, olga, photos, urgent, done):
    guest = replace(olga, role=Role.GUEST)
    put(tree.actor, photos, urgent)
    assert tags_of(guest, photos) == ["Urgent"]
    assert annotations.list_tags(actor=guest) == []
    with pytest.raises(errors.TagsAreKept):
        annotations.create_tag(actor=guest, name="mine")


def test_administrators_rename_and_delete_tags_on_everything_that_has_them(tree, adam, urgent, photos):
    put(tree.actor, photos, urgent)
    for act in (
        lambda: annotations.update_tag(actor=tree.actor, tag_id=urgent.id, name="Now"),
        lambda: annotations.delete_tag(actor=tree.actor, tag_id=urgent.id),
    ):
        with pytest.raises(PermissionMissing):
            act()
    changed = annotations.update_tag(actor=adam, tag_id=urgent.id, name="Now")
    assert (changed.name, changed.colour) == ("Now", "red")
    before = len(events())
    annotations.update_tag(actor=adam, tag_id=urgent.id, name="Now", colour="red")
    assert len(events()) == before
    assert tags_of(tree.actor, photos) == ["Now"]
    annotations.delete_tag(actor=adam, tag_id=urgent.id)
    assert tags_of(tree.actor, photos) == []
    with pytest.raises(NotFound):
        annotations.delete_tag(actor=adam, tag_id=urgent.id)


def test_who_may_edit_a_node_tags_it_and_who_sees_it_sees_the_tags(tree, olga, photos, urgent, done):
    put(tree.actor, photos, urgent, done, done)
    assert tags_of(olga, photos) == ["done", "Urgent"]
    assert events()[-1] == (
        "annotations.node.tagged.v1",
        {"node_id": str(photos.id), "tag_ids": [str(done.id), str(urgent.id)], "tag_names": ["done", "Urgent"]},
    )
    for act in (annotations.tag_node, annotations.untag_node):
        with pytest.raises(Forbidden):
            act(actor=olga, node_id=photos.id, tag_id=urgent.id)
        with pytest.raises(NotFound):
            act(actor=olga, node_id=tree.folder(f"Hidden {act.__name__}").id, tag_id=urgent.id)
        with pytest.raises(NotFound):
            act(actor=tree.actor, node_id=photos.id, tag_id=uuid4())
    for _ in range(2):
        annotations.untag_node(actor=tree.actor, node_id=photos.id, tag_id=urgent.id)
    assert tags_of(tree.actor, photos) == ["done"]


def test_answers_about_nodes_tell_their_tags_and_the_callers_favourites(api, counted_queries):
    mia = api("mia")
    root_id = mia.get("/me").json()["root_id"]
    folder = mia.post("/folders", {"parent_id": root_id, "name": "Reports"}).json()
    tag = mia.post("/tags", {"name": "Urgent", "colour": "red"}).json()
    assert mia.put(f"/nodes/{folder['id']}/tags/{tag['id']}", None).status_code == 204
    assert mia.put(f"/nodes/{folder['id']}/favourite", None).status_code == 204
    marks = {"tags": [tag], "favourite": True}
    (listed,) = mia.get(f"/nodes/{root_id}/children").json()["items"]
    read = mia.get(f"/nodes/{folder['id']}").json()
    renamed = mia.patch(f"/nodes/{folder['id']}", {"name": "Plans"}, revision=1).json()
    root, node = mia.get(f"/nodes/{folder['id']}/path").json()["items"]
    for one in (listed, read, renamed, node):
        assert {name: one[name] for name in marks} == marks
    assert {name: root[name] for name in marks} == {"tags": [], "favourite": False}
    counts = []
    for more in (1, 30):
        for number in range(more):
            made = mia.post("/folders", {"parent_id": root_id, "name": f"{more} {number}"}).json()
            mia.put(f"/nodes/{made['id']}/tags/{tag['id']}", None)
        with counted_queries() as statements:
            mia.get(f"/nodes/{root_id}/children")
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_a_node_has_only_so_many_tags(tree, photos, urgent, done, monkeypatch):
    monkeypatch.setattr(tagging, "NODE_LIMIT", 1)
    put(tree.actor, photos, urgent, urgent)
    with pytest.raises(errors.TooManyTags):
        put(tree.actor, photos, done)


def test_what_has_a_tag_is_listed_as_far_as_the_reader_sees_it(tree, olga, photos, urgent):
    hidden = tree.folder("Hidden")
    inner = tree.file("a.txt", photos)
    for node in (photos, hidden, inner):
        put(tree.actor, node, urgent)
    assert [node.name for node in annotations.list_tagged(actor=tree.actor, tag_id=urgent.id).items] == [
        *("a.txt", "Hidden", "Photos"),
    ]
    assert [node.name for node in annotations.list_tagged(actor=olga, tag_id=urgent.id).items] == ["a.txt", "Photos"]
    first = annotations.list_tagged(actor=olga, tag_id=urgent.id, limit=2)
    second = annotations.list_tagged(actor=olga, tag_id=urgent.id, limit=2, cursor=first.next_cursor)
    assert [node.name for page in (first, second) for node in page.items] == ["a.txt", "Photos"]


def test_copies_begin_with_the_tags_of_their_originals(tree, photos, urgent, done, catch_up):
    put(tree.actor, photos, urgent)
    put(tree.actor, tree.file("a.txt", photos), done)
    copy, _ = copies.copy_node(
        actor=tree.actor, node_id=photos.id, parent_id=tree.root.id, name="Copy", autorename=False,
        copy_id=uuid4(), made_on="web",
    )  # fmt: skip
    for _ in range(2):
        catch_up()
        (inner,) = files.list_children(actor=tree.actor, node_id=copy.id).items
        assert (tags_of(tree.actor, copy), tags_of(tree.actor, inner)) == (["Urgent"], ["done"])
        assert count() == 4
        with db.write_transaction():
            set_position(consumer=CONSUMER, seq=0)
    told = [payload["node_id"] for kind, payload in events() if kind == "annotations.node.tagged.v1"]
    assert {str(copy.id), str(inner.id)} <= set(told)


def test_tags_outlive_the_trash_and_end_with_their_node(tree, photos, urgent, catch_up):
    put(tree.actor, photos, urgent)
    tree.trash(photos)
    assert annotations.list_tagged(actor=tree.actor, tag_id=urgent.id).items == []
    tree.restore(photos)
    assert tags_of(tree.actor, photos) == ["Urgent"]
    tree.trash(photos)
    files.purge_node(actor=tree.actor, node_id=photos.id)
    catch_up()
    assert count() == 0


@pytest.mark.parametrize("size", [10, 100])
def test_marks_with_tags_take_the_same_few_queries(tree, adam, urgent, done, counted_queries, size):
    nodes = [tree.folder(f"{number}") for number in range(size)]
    share(tree.actor, nodes[0], adam, "viewer")
    for node in nodes:
        put(tree.actor, node, urgent, done)
    reader = filled(tree.actor)
    with counted_queries() as statements:
        assert len(annotations.list_marks(actor=reader, node_ids=[node.id for node in nodes])) == size
    assert len(statements) <= 5, statements


def test_tags_over_rest(api):
    mia, adam = api("mia"), api("adam")
    root_id = mia.get("/me").json()["root_id"]
    node = mia.post("/folders", {"parent_id": root_id, "name": "Reports"}).json()
    made = mia.post("/tags", {"name": "Urgent", "colour": "red"})
    assert made.status_code == 201
    tag = made.json()
    assert mia.post("/tags", {"name": "urgent"}).json()["code"] == "annotations.tag_name_taken"
    assert mia.post("/tags", {"name": "x", "colour": "mauve"}).status_code == 422
    assert mia.get("/tags").json()["items"] == [tag]
    assert mia.request("PUT", f"/nodes/{node['id']}/tags/{tag['id']}", None).status_code == 204
    assert mia.get("/marks", node_ids=node["id"]).json()["items"][0]["tags"] == [tag]
    assert [one["id"] for one in mia.get(f"/tags/{tag['id']}/nodes").json()["items"]] == [node["id"]]
    assert mia.patch(f"/tags/{tag['id']}", {"name": "Now"}).status_code == 403
    assert adam.patch(f"/tags/{tag['id']}", {"colour": "blue"}).json() == {**tag, "colour": "blue"}
    assert adam.get(f"/tags/{tag['id']}/nodes").json()["items"] == []
    assert mia.delete(f"/nodes/{node['id']}/tags/{tag['id']}").status_code == 204
    assert adam.delete(f"/tags/{tag['id']}").status_code == 204
    assert mia.get(f"/tags/{tag['id']}/nodes").status_code == 404


def test_marks_are_found_by_indexes_in_a_large_vault(tree, actor, urgent):
    now = clock.now()
    with db.write_transaction():
        NodeTag.objects.bulk_create(
            NodeTag(tag_id=urgent.id, node_id=ids.new_id(), tagged_by=actor.user_id, tagged_at=now)
            for _ in range(5_000)
        )
        Favourite.objects.bulk_create(
            Favourite(user_id=actor.user_id, node_id=ids.new_id(), marked_at=now) for _ in range(5_000)
        )
    analyze("annotations_node_tag", "annotations_favourite", "annotations_tag")
    asked = {"user_id": actor.user_id, "node_ids": [ids.new_id() for _ in range(100)]}
    with db.read_transaction(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql.MARKS}", asked)
        plan = json.dumps(cursor.fetchall())
    read_whole = re.findall(r'"Node Type": "Seq Scan".*?"Relation Name": "(\w+)"', plan)
    assert set(read_whole) <= {"annotations_tag"}
