"""Reading what was just written: whoever names the number of a write (`min_seq`) is answered as of that write or later, or asked to wait."""

import random
import threading
import time

import pytest
from django.db import connection

from apps.files import api as files
from apps.search import outgoing, sending
from apps.search.engine import CONSUMER
from bitvault.events import consuming
from bitvault.kernel import tenancy
from tests.apps.files.conftest import last_seq

WRITES = 200
"""The suite's share; `make bench` (stream) makes a thousand against the running stack."""

SECONDS = 20


@pytest.fixture
def indexing(committed, acme):
    """A worker beside the test, which comes when it likes."""
    ended, chance = threading.Event(), random.Random(1)

    def work():
        try:
            while not ended.is_set():
                with tenancy.entered(acme):
                    consuming.consume(CONSUMER)
                    if outgoing.is_chosen():
                        sending.send()
                time.sleep(chance.random() / 100)
        finally:
            connection.close()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    yield
    ended.set()
    thread.join(SECONDS)
    assert not thread.is_alive()


@pytest.mark.committed
def test_each_of_many_random_writes_is_found_by_the_search_that_follows_it(indexing, tree, api):
    mia, chance, present, trashed = api("mia"), random.Random(7), {}, {}
    for number in range(WRITES):
        name, gone = f"zebra{number}", None
        match chance.choice(("folder", "file", "rename", "trash", "restore")):
            case "rename" if present:
                gone, node_id = present.popitem()
                present[name] = tree.update(tree.get(node_id), name=name).id
            case "trash" if present:
                gone, node_id = present.popitem()
                tree.trash(tree.get(node_id))
                trashed[gone], name = node_id, None
            case "restore" if trashed:
                name, node_id = trashed.popitem()
                files.restore_node(actor=tree.actor, node_id=node_id)
                present[name] = node_id
            case "file":
                present[name] = tree.file(name).id
            case _:
                present[name] = tree.folder(name).id
        seq = last_seq()
        if name is not None:
            assert ids_of(mia, name, seq) == [str(present[name])], f"write {number}"
        if gone is not None:
            assert ids_of(mia, gone, seq) == [], f"write {number}"


def ids_of(client, name, seq):
    """Search for a name as of a write; whoever is asked to wait asks again."""
    end = time.monotonic() + SECONDS
    while True:
        answer = client.get("/search", q=f'"{name}"', min_seq=seq, wait_ms=2_000)
        if answer.status_code == 200:
            body = answer.json()
            assert body["as_of_seq"] >= seq
            return (
                []
                if body["is_similar"]
                else [hit["node"]["id"] for hit in body["items"] if hit["node"]["name"] == name]
            )
        assert answer.status_code == 202, answer.content
        assert time.monotonic() < end, "the index does not come"
