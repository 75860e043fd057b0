"""FEED-3: around the horizon a cursor is answered with all that comes behind it, or with 410, and never with a part of it."""

import random
from dataclasses import replace

import pytest

from apps.sync import api as sync
from apps.sync import positions
from apps.sync.errors import CursorExpired
from tests.apps.files.conftest import fetch, live_a_little
from tests.apps.sync.following import Device, project
from tests.apps.sync.test_changes import head, set_horizon

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
    roots = list(known.root_ids)
    horizon, last = (known.seq + head()) // 2, head()
    set_horizon(horizon)
    assert horizon - known.seq > AROUND < last - horizon
    answered = refused = 0
    for _ in range(CURSORS):
        seq = horizon + chance.randint(-AROUND, AROUND)
        position = replace(known, seq=seq, ordinal=chance.choice((0, 1, positions.ORDINAL_END)))
        if seq - (position.ordinal != positions.ORDINAL_END) < horizon:
            with pytest.raises(CursorExpired):
                sync.list_changes(actor=tree.actor, cursor=position.encode())
            refused += 1
        else:
            page = sync.list_changes(actor=tree.actor, cursor=position.encode(), limit=1000)
            behind = {node_id for (node_id,) in fetch(_BEHIND, [seq, position.ordinal, roots, roots])}
            assert {change.node_id for change in page.items} == behind
            assert not page.has_more
            answered += 1
    assert min(answered, refused) > CURSORS // 4
