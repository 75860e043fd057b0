"""The index is what the stream says: applied again it changes nothing, and a rebuild from Files gives the same."""

import random
from datetime import UTC, datetime

import pytest

from apps.search import indexing, rebuilding
from apps.search.models import Document, RebuiltDocument
from bitvault.events import consuming, operating
from bitvault.events.models import ConsumerCursor
from bitvault.kernel import db, tenancy
from tests.apps.files.conftest import Tree, fetch, live_a_little

FIELDS = (
    "node_id",
    "parent_id",
    "name",
    "words",
    "category",
    "size_bytes",
    "media_type",
    "created_by",
    "is_trashed",
    "revision",
)


def index():
    consuming.consume(indexing.CONSUMER)
    with db.read_transaction():
        return sorted(Document.objects.values_list(*FIELDS))


@pytest.mark.parametrize("seed", range(4))
def test_the_index_is_what_the_files_are(tree, seed):
    live_a_little(tree, random.Random(seed), 200)
    told = {row[0]: (row[1], row[2], row[5] or 0, row[8]) for row in index()}
    nodes = fetch("SELECT id, parent_id, name, size_bytes, trashed_at IS NOT NULL FROM files_node")
    assert told == {node_id: tuple(facts) for node_id, *facts in nodes}


def test_events_that_come_again_change_nothing(tree):
    live_a_little(tree, random.Random(1), 150)
    before = index()
    ConsumerCursor.objects.filter(consumer=indexing.CONSUMER).update(
        seq=0, published_at=datetime(1970, 1, 1, tzinfo=UTC)
    )
    assert index() == before


@pytest.mark.committed
def test_a_rebuild_gives_the_same_index(acme, actor, monkeypatch):
    monkeypatch.setattr(rebuilding, "SWAP_BATCH", 3)
    with tenancy.entered(acme):
        live_a_little(Tree(actor), random.Random(2), 120)
        before = index()
        with db.write_transaction():
            Document.objects.update(name="spoilt", words="spoilt")
        operating.rebuild(consumer=indexing.CONSUMER, by=None)
        after = index()
        assert [row[:-1] for row in after] == [row[:-1] for row in before]
        with db.read_transaction():
            assert not RebuiltDocument.objects.exists()
