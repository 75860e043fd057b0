"""Ten people's worth of commits and deletions of the same few contents, while the collector runs without a pause and waits for nothing.

``BITVAULT_TEST_COMMITS=20000`` runs it at its whole size, which takes an hour on two cores; the suite takes a small one.
"""

import hashlib
import os
import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.storage import models, provider
from apps.storage.operations import collecting, references
from bitvault.events import consuming
from bitvault.kernel import db, tenancy
from tests.apps.files.conftest import fetch
from tests.support.sending import Sender

pytestmark = [pytest.mark.store, pytest.mark.committed]

COMMITS = int(os.environ.get("BITVAULT_TEST_COMMITS", "240"))
COMMITTERS = 10
CONTENTS = [hashlib.sha512(str(number).encode()).digest() for number in range(20)]


class Committer:
    """Brings files of the common contents and deletes most of them again; knows what it was promised."""

    def __init__(self, client, number: int) -> None:
        self.sender = Sender(client, client.get("/me").json()["root_id"])
        self.random = random.Random(number)
        self.number = number
        self.kept: dict[str, bytes] = {}
        self.sent_again = 0

    def work(self, commits: int) -> None:
        try:
            for turn in range(commits):
                content = self.random.choice(CONTENTS)
                node = self._commit(f"{self.number}-{turn}.bin", content)
                assert self.sender.fetch(node).data == content, "what was just acknowledged"
                self.kept[node["id"]] = content
                while len(self.kept) > self.random.randrange(3):
                    node_id = self.random.choice(sorted(self.kept))
                    del self.kept[node_id]
                    assert self.sender.api.delete(f"/nodes/{node_id}").status_code == 204
                    assert self.sender.api.delete(f"/trash/{node_id}").status_code == 204
        finally:
            connection.close()

    def _commit(self, name: str, content: bytes):
        upload = self.sender.started(name, content)
        self.sender.send(upload, content)
        answer = self.sender.commit(upload)
        while answer.status_code == 409:  # it was condemned between the start and now
            self.sent_again += 1
            (part,) = self.sender.sign(upload, content, [1])
            self.sender.send({**upload, "parts": [part]}, content)
            answer = self.sender.commit(upload)
        assert answer.status_code == 201, answer.content
        return answer.json()


def collect_until(ended: threading.Event, tenant, counts: list) -> None:
    try:
        while not ended.is_set():
            with tenancy.entered(tenant):
                consuming.consume(references.CONSUMER)
                counts.append(collecting.collect())
    finally:
        connection.close()


def test_nothing_that_was_acknowledged_is_collected_and_everything_else_is(api, acme, settings):
    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 1}
    committers = [Committer(api("mia"), number) for number in range(COMMITTERS)]
    ended, counts = threading.Event(), []
    collector = threading.Thread(target=collect_until, args=(ended, acme, counts))
    collector.start()
    try:
        with ThreadPoolExecutor(COMMITTERS) as workers:
            list(workers.map(lambda one: one.work(COMMITS // COMMITTERS), committers))
    finally:
        ended.set()
        collector.join()
    assert sum(count.get("removed", 0) for count in counts) > 0, "the collector had nothing to do: this proves nothing"
    for committer in committers:
        for node_id, content in committer.kept.items():
            assert committer.sender.fetch({"id": node_id}).data == content
    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 0}
    with tenancy.entered(acme):
        for _ in range(2):
            consuming.consume(references.CONSUMER)
            collecting.collect()
        named = {blob_id for (blob_id,) in fetch("SELECT blob_id FROM files_version")}
        with db.read_transaction():
            blobs = list(models.Blob.objects.all())
            leased = collecting.find_leased([blob.id for blob in blobs])
    assert {blob.id for blob in blobs if blob.state in ("pending", "live")} - leased == named - leased
    assert [blob.id for blob in blobs if blob.state == "condemned"] == []
    assert [blob.id for blob in blobs if blob.state == "gone" and provider.store().find_object(blob.key)] == []
    assert models.StoreFinding.objects.count() == 0
