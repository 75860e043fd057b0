"""Activity: what happened to a node, by a person and in the tenant, in the same words as notices, as far as one may see it now."""

import pytest

from apps.notifications import api as notifications
from bitvault.kernel.actor import PermissionMissing
from bitvault.kernel.errors import NotFound
from tests.support.shares import grant as give
from tests.support.shares import make_team, share_only


def test_a_file_tells_what_happened_to_it(tree, teller, photos):
    file = tree.file("a.txt", photos)
    tree.file("other.txt", photos)
    tree.write(file, b"more")
    tree.update(tree.get(file), name="b.txt")
    assert teller.activity(tree.actor, file) == [
        "Mia renamed a.txt to b.txt",
        "Mia changed a.txt",
        "Mia added a.txt to Photos",
    ]


def test_a_folder_tells_what_happened_below_it_grouped(tree, teller, olga, photos):
    deep = tree.folder("Deep", photos)
    for number in range(3):
        tree.file(f"{number}.txt", deep)
    assert teller.activity(olga, photos) == [
        "Mia added 3 files to Deep",
        "Mia created the folder Deep in Photos",
        "Mia shared Photos with Olga",
        "Mia created the folder Photos in a folder",
    ]
    assert teller.activity(olga, deep)[0] == "Mia added 3 files to Deep"


def test_whoever_loses_a_share_sees_nothing_more(tree, teller, olga, photos):
    tree.file("a.txt", photos)
    share_only(tree.actor, photos)
    with pytest.raises(NotFound):
        teller.activity(olga, photos)


def test_what_somebody_did_is_theirs(tree, teller, olga, photos):
    tree.file("a.txt", photos)
    assert teller.activity(tree.actor) == [
        "Mia added a.txt to Photos",
        "Mia shared Photos with Olga",
        "Mia created the folder Photos in My files",
    ]
    assert teller.activity(olga) == []


def test_the_tenant_s_activity_is_for_administrators_as_far_as_they_see(tree, teller, adam, olga, photos):
    team = make_team(adam, "Design", give(tree.actor, "editor"))
    tree.file("draft.txt", team)
    tree.file("private.txt", photos)
    assert teller.activity(adam, whose="tenant") == [
        "Mia added draft.txt to Design",
        "Adam shared Design with Mia",
    ]
    with pytest.raises(PermissionMissing):
        notifications.list_activity(actor=olga, whose="tenant")


def test_pages_of_activity_tell_each_thing_once(tree, teller, photos):
    file = tree.file("a.txt", photos)
    for number in range(5):
        file = tree.update(tree.get(file), name=f"{number}.txt")
    teller.catch_up()
    told, cursor = [], None
    while True:
        page = notifications.list_node_activity(actor=tree.actor, node_id=file.id, limit=2, cursor=cursor)
        told += [one.text for one in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert told == [
        *(f"Mia renamed {number - 1}.txt to {number}.txt" for number in (4, 3, 2, 1)),
        "Mia renamed a.txt to 0.txt",
        "Mia added a.txt to Photos",
    ]
