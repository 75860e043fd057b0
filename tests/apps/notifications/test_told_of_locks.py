"""What people read of locks: activity tells who locked and unlocked a file, and the holder is told who ended their lock."""

from datetime import timedelta

from apps.files import api as files
from bitvault.kernel import clock
from tests.support.shares import share


def test_the_holder_is_told_who_ended_their_lock_and_activity_tells_the_rest(tree, teller, olga):
    folder = tree.folder("Photos")
    share(tree.actor, folder, olga, "editor")
    file = tree.file("a.txt", folder)
    files.lock_node(actor=olga, node_id=file.id)
    files.lock_node(actor=olga, node_id=file.id, expires_at=clock.now() + timedelta(days=2))
    before = len(teller.texts(olga))
    files.unlock_node(actor=tree.actor, node_id=file.id, force=True)
    files.lock_node(actor=olga, node_id=file.id)
    files.unlock_node(actor=olga, node_id=file.id)
    assert teller.texts(olga)[: -before or None] == ["Mia ended your lock on a.txt"]
    assert not [text for text in teller.texts(tree.actor) if "lock" in text]
    assert teller.activity(tree.actor, file)[:4] == [
        "Olga unlocked a.txt",
        "Olga locked a.txt",
        "Mia ended the lock of Olga on a.txt",
        "Olga locked a.txt",
    ]


def test_a_lock_that_ends_by_itself_is_no_news(tree, teller):
    file = tree.file("a.txt", tree.folder("Photos"))
    files.lock_node(actor=tree.actor, node_id=file.id)
    with clock.fixed_at(clock.now() + timedelta(days=1)):
        files.sweep_locks()
    assert [text for text in teller.activity(tree.actor, file) if "lock" in text] == ["Mia locked a.txt"]
