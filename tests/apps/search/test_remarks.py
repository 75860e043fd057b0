"""Finding what is written about files and folders, comments and descriptions, by whoever may read them; and what is locked."""

from datetime import timedelta

import pytest

from apps.annotations import api as annotations
from apps.annotations.api import descriptions
from apps.files import api as files
from apps.files.api import locks
from apps.search import remarking
from apps.search.engine import CONSUMER
from apps.search.errors import FilterInvalid
from apps.search.models import Remark
from bitvault.events import consuming
from bitvault.kernel import clock, db
from tests.apps.search.conftest import Finder
from tests.apps.search.test_search import reaching
from tests.support.shares import share


def say(actor, node, text, reply_to=None):
    return annotations.add_comment(
        actor=actor, node_id=node.id, text=text, reply_to_id=None if reply_to is None else reply_to.id
    )


def describe(actor, node, text, revision=None):
    return descriptions.set_description(actor=actor, node_id=node.id, text=text, expected_revision=revision)


def shown(hit):
    marks = hit.remark.passage.highlights
    return hit.remark.kind, [hit.remark.passage.text[mark.start : mark.end] for mark in marks]


@pytest.mark.parametrize(
    "text",
    [
        "zeppelin",
        "ZEPP",
        '"approved by legal"',
        "zeppelin a.txt",
        "kundigung",
        "approved zeppelin",
        "zeppelin -missing",
    ],
)
def test_what_is_written_about_a_node_is_found_by_what_people_type(tree, finder, text):
    tree.file("other.txt")
    file = tree.file("a.txt")
    say(tree.actor, file, "The Zeppelin was approved by legal, see the Kündigung.")
    assert finder.names(text) == ["a.txt"]
    (hit,) = finder.results(text).items
    assert hit.remark.kind == "comment"
    assert hit.remark.passage.highlights


@pytest.mark.parametrize("text", ['"legal by approved"', "eppelin", "zeppelin missing", "zeppelin -approved"])
def test_what_is_not_written_there_is_not_found(tree, finder, text):
    say(tree.actor, tree.file("a.txt"), "The Zeppelin was approved by legal.")
    assert finder.results(text).is_similar or finder.names(text) == []


def test_words_may_stand_in_the_name_a_comment_and_a_reply_and_a_sentence_in_one_of_them(tree, finder):
    file = tree.file("plan.txt")
    top = say(tree.actor, file, "ready for review")
    say(tree.actor, file, "board meeting", top)
    assert finder.names("plan ready board") == ["plan.txt"]
    assert finder.names('"review board"') == []


def test_names_come_first_and_a_hit_says_where_the_words_stand(tree, finder):
    folder = tree.folder("Archive")
    describe(tree.actor, folder, "Everything about the **zeppelin**")
    say(tree.actor, tree.file("b.txt"), "zeppelin?")
    tree.file("zeppelin.txt")
    hits = finder.results("zeppelin").items
    assert hits[0].node.name == "zeppelin.txt"
    assert hits[0].remark is None
    assert {hit.node.name: shown(hit) for hit in hits[1:]} == {
        "b.txt": ("comment", ["zeppelin"]),
        "Archive": ("description", ["zeppelin"]),
    }
    assert next(hit for hit in hits if hit.node.name == "b.txt").remark.comment_id is not None
    assert finder.names("zeppelin", sort="modified_at") == ["zeppelin.txt", "b.txt", "Archive"]


def test_what_is_changed_or_deleted_leaves_the_index(tree, finder):
    file, folder = tree.file("a.txt"), tree.folder("Archive")
    top = say(tree.actor, file, "first")
    say(tree.actor, file, "second", top)
    describe(tree.actor, folder, "third")
    for word, name in (("first", "a.txt"), ("second", "a.txt"), ("third", "Archive")):
        assert finder.names(word) == [name]
    annotations.update_comment(actor=tree.actor, comment_id=top.id, text="fourth")
    describe(tree.actor, folder, "fifth", 1)
    assert (finder.names("first"), finder.names("third")) == ([], [])
    assert (finder.names("fourth"), finder.names("fifth")) == (["a.txt"], ["Archive"])
    annotations.delete_comment(actor=tree.actor, comment_id=top.id)
    descriptions.remove_description(actor=tree.actor, node_id=folder.id)
    for word in ("second", "fourth", "fifth"):
        assert finder.names(word) == []
    say(tree.actor, file, "sixth")
    files.trash_node(actor=tree.actor, node_id=file.id)
    assert finder.names("sixth") == []
    assert finder.names("sixth in:trash") == ["a.txt"]
    files.purge_node(actor=tree.actor, node_id=file.id)
    assert finder.names("sixth in:trash") == []
    with db.read_transaction():
        assert not Remark.objects.filter(node_id=file.id).exists()


def test_only_who_views_a_node_finds_it_by_what_is_written_about_it(tree, finder, make_actor):
    folder = tree.folder("Shared")
    file = tree.file("a.txt", folder)
    say(tree.actor, file, "zeppelin")
    describe(tree.actor, folder, "zeppelin")
    olga = make_actor("olga")
    assert Finder(olga).names("zeppelin") == []
    share(tree.actor, folder, olga, "uploader")
    assert Finder(reaching(olga)).names("zeppelin") == []
    share(tree.actor, folder, olga, "viewer")
    assert sorted(Finder(reaching(olga)).names("zeppelin")) == ["Shared", "a.txt"]


def test_a_hit_shows_what_a_comment_says_now_and_nothing_of_one_that_is_gone(tree, finder):
    file = tree.file("a.txt")
    comment = say(tree.actor, file, "zeppelin one")
    assert finder.names("zeppelin") == ["a.txt"]
    annotations.update_comment(actor=tree.actor, comment_id=comment.id, text="zeppelin two")
    results = finder.unread("zeppelin").items
    assert results[0].remark.passage.text == "zeppelin two"
    annotations.update_comment(actor=tree.actor, comment_id=comment.id, text="no more")
    assert finder.unread("zeppelin").items[0].remark is None


def test_events_that_come_again_and_reading_again_change_nothing(tree, finder):
    say(tree.actor, tree.file("a.txt"), "zeppelin")
    assert finder.names("zeppelin") == ["a.txt"]
    assert remarking.read() == 0


@pytest.mark.parametrize("state", ["yes", "no"])
def test_what_is_locked_now_is_found_by_that_and_what_is_not(tree, finder, state, monkeypatch):
    locked, free, released = (tree.file(f"plan {name}.txt") for name in ("locked", "free", "released"))
    for node in (locked, released):
        locks.lock_node(actor=tree.actor, node_id=node.id, expires_at=clock.now() + timedelta(hours=1))
    locks.unlock_node(actor=tree.actor, node_id=released.id)
    expected = {"yes": [locked.name], "no": [released.name, free.name]}
    assert finder.names(f"plan locked:{state}") == expected[state]
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert len(finder.names(f"plan locked:{state}")) == {"yes": 0, "no": 3}[state]


def test_a_lock_filter_takes_yes_and_no(finder):
    with pytest.raises(FilterInvalid) as refused:
        finder.names("locked:maybe")
    assert refused.value.facts["filter"] == "locked"


def test_what_is_deleted_or_changed_while_it_is_read_is_not_kept_as_it_was(tree, finder, monkeypatch):
    kept, changed, deleted = (say(tree.actor, tree.file(f"{name}.txt"), "zeppelin") for name in ("a", "b", "c"))
    consuming.consume(CONSUMER)
    find = remarking.annotations.find_texts

    def find_and_be_late(**asked):
        found = find(**asked)
        monkeypatch.undo()
        annotations.update_comment(actor=tree.actor, comment_id=changed.id, text="balloon")
        annotations.delete_comment(actor=tree.actor, comment_id=deleted.id)
        consuming.consume(CONSUMER)
        return found

    monkeypatch.setattr(remarking.annotations, "find_texts", find_and_be_late)
    assert finder.names("zeppelin") == ["a.txt"]
    assert finder.names("balloon") == ["b.txt"]
    with db.read_transaction():
        assert sorted(Remark.objects.values_list("remark_id", flat=True)) == sorted([kept.id, changed.id])
