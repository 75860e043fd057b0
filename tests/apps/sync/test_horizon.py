"""FEED-3: around the horizon a cursor is answered with all that comes behind it, or with 410, and never with a part of it."""

import random
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.sync import api as sync
from apps.sync import operations, positions
from apps.sync.errors import CursorExpired
from apps.sync.models import Feed
from bitvault.kernel import clock, db
from tests.apps.files.conftest import fetch, live_a_little
from tests.apps.sync.following import Device, fresh_tree, head, journal, project, set_horizon

CURSORS = 1000
AROUND = 12

_BEHIND = """
SELECT DISTINCT node_id FROM sync_change_journal
WHERE (seq, ordinal) > (%s, %s) AND (root_id = ANY(%s::uuid[]) OR old_root_id = ANY(%s::uuid[]))
"""


def test_a_thousand_cursors_around_the_horizon(tree):
    chance = random.Random(3)
    device = Device(tree.actor)
    project()
    device.follow()
    live_a_little(tree, chance, 150)
    project()
    known = positions.decode(device.cursor)
    roots = list(known.scopes)
    horizon, last = (known.seq + head()) // 2, head()
    set_horizon(horizon)
    assert horizon - known.seq > AROUND < last - horizon
    answered = refused = 0
    for _ in range(CURSORS):
        seq = horizon + chance.randint(-AROUND, AROUND)
        ordinal = chance.choice((0, 1, positions.ORDINAL_END))
        position = known.read(seq, ordinal).swept(seq, ordinal)
        if seq - (position.ordinal != positions.ORDINAL_END) < horizon:
            with pytest.raises(CursorExpired):
                sync.list_changes(actor=tree.actor, cursor=positions.encode(position))
            refused += 1
        else:
            page = sync.list_changes(actor=tree.actor, cursor=positions.encode(position), limit=1000)
            behind = {node_id for (node_id,) in fetch(_BEHIND, [seq, position.ordinal, roots, roots])}
            assert {change.node_id for change in page.items} == behind
            assert not page.has_more
            answered += 1
    assert min(answered, refused) > CURSORS // 4


def _at(device, seq):
    return positions.encode(positions.decode(device.cursor).read(seq).swept(seq))


@pytest.mark.parametrize(("distance", "readable"), [(-1, False), (0, True), (1, True)])
def test_the_journal_is_read_from_its_horizon_on(tree, device, distance, readable):
    for number in range(6):
        tree.folder(f"n{number}")
    project()
    horizon = head() - 3
    set_horizon(horizon)
    cursor = _at(device, horizon + distance)
    if readable:
        assert len(sync.list_changes(actor=tree.actor, cursor=cursor).items) == 3 - distance
    else:
        with pytest.raises(CursorExpired):
            sync.list_changes(actor=tree.actor, cursor=cursor)


def test_a_cursor_in_the_middle_of_an_event_ends_with_its_event(tree, device):
    top = tree.folder("top")
    tree.folder("inner", top)
    tree.trash(top)
    project()
    device.follow()
    tree.restore(top)
    project()
    device.limit = 1
    assert device.pull().has_more
    set_horizon(head())
    with pytest.raises(CursorExpired):
        device.pull()


def test_a_cursor_of_another_epoch_is_over(tree, device):
    with db.write_transaction():
        Feed.objects.update(epoch=uuid4())
    with pytest.raises(CursorExpired):
        device.pull()
    device.take_snapshot()
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


def test_trimming_waits_for_days_and_for_devices_that_still_come(tree, device, monkeypatch):
    for number in range(4):
        tree.folder(f"n{number}")
    project()
    assert operations.trim_journal() == 0
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=91))
    other = Device(tree.actor)
    device.follow()
    sync.acknowledge(actor=tree.actor, cursor=device.cursor)
    trimmed = head()
    tree.folder("young")
    project()
    assert operations.trim_journal() > 0
    assert fetch("SELECT horizon FROM sync_feed") == [(trimmed,)]
    assert len(journal()) == 1
    device.follow()
    other.follow()
    assert device.nodes == other.nodes == fresh_tree(tree.actor)
    assert operations.trim_journal() == 0


def test_a_device_that_still_comes_keeps_what_it_has_not_acknowledged(tree, device, monkeypatch):
    now = clock.now()
    sync.acknowledge(actor=tree.actor, cursor=device.cursor)
    tree.folder("old")
    project()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=91))
    sync.acknowledge(actor=tree.actor, cursor=device.cursor)
    operations.trim_journal()
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)
