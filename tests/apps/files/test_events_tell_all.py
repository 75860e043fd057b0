"""Old state + events == new state, for every mutating door and for whatever sequence of them."""

import random

import pytest

from apps.files import api as files
from tests.apps.files.conftest import (
    EVERY_KIND,
    assert_events_tell_all,
    assert_tree_is_sound,
    events,
    last_seq,
    live_a_little,
)


@pytest.mark.parametrize("seed", range(8))
def test_the_stream_folded_over_nothing_gives_the_tree(tree, seed):
    live_a_little(tree, random.Random(seed), 300, locks=True)
    assert {kind for kind, _ in events()} == EVERY_KIND, "a run that leaves something out shows nothing about it"
    assert_events_tell_all()
    assert_tree_is_sound()
    files.empty_trash(actor=tree.actor)
    assert_events_tell_all()


def test_reading_tells_nothing(tree):
    file = tree.file("a.txt", tree.folder("x"))
    tree.trash(tree.folder("y"))
    before = last_seq()
    tree.get(file)
    tree.names()
    files.list_path(actor=tree.actor, node_id=file.id)
    files.find_by_path(actor=tree.actor, path="/x/a.txt")
    files.list_trash(actor=tree.actor)
    files.get_content(actor=tree.actor, node_id=file.id)
    files.find_readable_blob(actor=tree.actor, content_hash="0" * 64, size_bytes=1)
    tree.grant("b.txt")
    assert last_seq() == before
