"""A folder as it was at a moment, against photographs that were taken while it happened."""

import importlib
import random
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.db import connection

from apps.files import api as files
from apps.files import errors
from apps.files.api import history
from apps.files.models import Placement
from bitvault.events.api import BeyondHead
from bitvault.kernel import clock, db
from bitvault.kernel.capabilities import READING, Reach
from bitvault.kernel.errors import Conflict, Forbidden, Invalid, NotFound, PreconditionFailed
from tests.apps.files.conftest import do_something, fetch, hash_of, last_seq
from tests.apps.files.past import catch_up, photograph, read_past


@pytest.mark.parametrize("seed", range(4))
def test_a_tree_reads_as_it_was_at_any_moment(tree, seed):
    chance, albums = random.Random(seed), {}
    for _ in range(120):
        try:
            do_something(tree, chance, locks=False)
        except (Conflict, Invalid, PreconditionFailed, NotFound, Forbidden):
            continue
        if chance.random() < 0.1:
            albums[last_seq()] = photograph(tree.root.id)
        if chance.random() < 0.05:
            catch_up()
    catch_up()
    kept = {row[0] for row in fetch("SELECT id FROM files_node")}
    versions = {row[0] for row in fetch("SELECT content_hash FROM files_version")}
    assert len(albums) > 3
    for seq, album in albums.items():
        told = read_past(tree.actor, tree.root.id, seq)
        # What is gone permanently is told as such: its content, and what lay in such a folder, is not known any more.
        assert {path: what[:2] for path, what in told.items()} == {
            path: what[:2] for path, what in album.items() if _is_known(path, album, kept)
        }
        for path, (_, _, content_hash) in told.items():
            if album[path][2] in versions and content_hash:
                assert content_hash == album[path][2]


def _is_known(path, album, kept):
    above = path.rpartition("/")[0]
    return not above or (album[above][1] in kept and _is_known(above, album, kept))


def test_the_record_is_the_same_however_often_and_in_whatever_portions_it_is_told(tree):
    folder = tree.folder("x")
    file = tree.write(tree.file("a.txt", folder), b"two").node
    tree.trash(tree.update(file, name="b.txt"))
    catch_up()
    before = fetch("SELECT * FROM files_placement ORDER BY node_id, from_seq")
    fetch_and_reset = "UPDATE public.events_consumer_cursor SET seq = 0 WHERE consumer = 'history'"
    with db.public_transaction(), db.prepared_cursor() as cursor:
        cursor.execute(fetch_and_reset)
    catch_up()
    assert fetch("SELECT * FROM files_placement ORDER BY node_id, from_seq") == before
    assert len(before) == 1 + 1 + 4  # the root, the folder, and the file: made, written, renamed, trashed


def test_each_item_says_what_has_become_of_it(tree):
    folder = tree.folder("x")
    kept, changed, renamed, trashed, purged = (tree.file(f"{name}.txt", folder) for name in "abcde")
    seq = last_seq()
    tree.write(changed, b"new")
    tree.update(renamed, name="z.txt")
    tree.trash(trashed)
    tree.trash(purged)
    files.purge_node(actor=tree.actor, node_id=purged.id)
    catch_up()
    page = history.list_children_as_of(actor=tree.actor, node_id=folder.id, as_of=str(seq))
    assert {item.name: item.now for item in page.items} == {
        "a.txt": "same",
        "b.txt": "changed",
        "c.txt": "moved",
        "d.txt": "trashed",
        "e.txt": "purged",
    }
    assert [item.name for item in page.items if item.version_id is None] == ["e.txt"]
    assert kept.id in {item.id for item in page.items}


def test_the_content_of_then_is_read_of_live_files_and_of_what_lies_in_the_trash(tree):
    file = tree.file("a.txt", content=b"first")
    seq = last_seq()
    tree.trash(tree.write(file, b"second").node)
    catch_up()
    found = history.get_content_as_of(actor=tree.actor, node_id=file.id, as_of=str(seq), announced=True)
    assert (found.content_hash, found.is_live) == (hash_of(b"first"), False)
    assert fetch("SELECT type FROM public.events_stream_event ORDER BY seq DESC LIMIT 1")[0][0] == (
        "files.download.signed.v1"
    )


def test_what_was_moved_out_of_somebodys_reach_is_not_told_to_them(tree, make_actor):
    shared = tree.folder("shared")
    secret = tree.file("secret.txt", shared)
    tree.file("open.txt", shared)
    tree.trash(tree.file("thrown away.txt", shared))
    seq = last_seq()
    with_reach = replace(make_actor("adam"), reach=Reach({shared.id: READING}, {}))
    tree.update(secret, parent_id=tree.folder("mine").id)
    catch_up()
    page = history.list_children_as_of(actor=with_reach, node_id=shared.id, as_of=str(seq))
    assert [item.name for item in page.items] == ["open.txt"]
    with pytest.raises(NotFound):
        history.get_content_as_of(actor=with_reach, node_id=secret.id, as_of=str(seq))


def test_moments_that_are_none_are_refused(tree):
    folder = tree.folder("x")
    catch_up()

    def read(as_of):
        return history.list_children_as_of(actor=tree.actor, node_id=folder.id, as_of=as_of)

    for text in ("yesterday", "9" * 5000, "2026-01-01T00:00:00", (clock.now() + timedelta(hours=1)).isoformat()):
        with pytest.raises(errors.BadMoment):
            read(text)
    with pytest.raises(BeyondHead):
        read(str(last_seq() + 1))
    with pytest.raises(errors.HistoryTooShort):
        read((clock.now() - history.KEPT_FOR - timedelta(hours=1)).isoformat())
    with pytest.raises(errors.NotThereThen):
        read(str(last_seq() - 1))
    with pytest.raises(NotFound):
        history.list_children_as_of(actor=tree.actor, node_id=uuid4(), as_of="1")


def test_a_page_of_the_past_costs_the_same_however_much_lay_there(tree, counted_queries):
    folder = tree.folder("x")
    for n in range(3):
        tree.file(f"{n}.txt", folder)
    counts = []
    for more in (0, 60):
        for n in range(more):
            tree.file(f"more {n}.txt", folder)
        tree.trash(tree.file(f"gone {more}", folder))
        catch_up()
        with counted_queries() as statements:
            history.list_children_as_of(actor=tree.actor, node_id=folder.id, as_of=str(last_seq() - 1), limit=200)
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 12


def test_history_ends_where_it_is_not_kept_any_more(tree):
    file = tree.write(tree.file("a.txt"), b"two").node
    catch_up()
    past = clock.now() - history.KEPT_FOR - timedelta(days=1)
    with db.write_transaction():
        Placement.objects.filter(node_id=file.id, until_seq__isnull=False).update(until_at=past)
    assert history.forget_past() == 1
    assert history.forget_past() == 0
    assert fetch("SELECT count(*) FROM files_placement WHERE node_id = %s", [file.id]) == [(1,)]


def test_nodes_that_were_there_before_history_was_kept_get_one_from_now_on(tree):
    folder = tree.folder("x")
    tree.trash(tree.file("thrown away.txt", folder))
    file = tree.file("a.txt", folder)
    begun_at = last_seq()
    migration = importlib.import_module("apps.files.migrations.0015_history_of_present_nodes")
    with db.write_transaction():
        migration.begin_history(None, SimpleNamespace(connection=connection))
    catch_up()
    tree.update(file, name="b.txt")
    catch_up()
    assert read_past(tree.actor, folder.id, begun_at) == {"/a.txt": (1, file.id, file.content_hash)}
    assert photograph(folder.id) == read_past(tree.actor, folder.id, last_seq())
