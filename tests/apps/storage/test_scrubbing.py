"""Objects are read again: what has rotted is found, goes into quarantine, and comes out when it is whole again."""

import os
from datetime import timedelta

import pytest

from apps.storage import api, models, provider
from apps.storage.operations import scrubbing
from bitvault.kernel import clock, db, tenancy
from tests.support.sending import PART, Sender, put

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def mia(api, acme) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def scrub(acme):
    def scrub(**wishes):
        with tenancy.entered(acme):
            return scrubbing.scrub(**{"everything": True, **wishes})

    return scrub


@pytest.fixture
def blob_of(acme):
    def blob_of(size):
        with tenancy.entered(acme), db.read_transaction():
            return models.Blob.objects.get(size_bytes=size)

    return blob_of


def overwrite(key: str, content: bytes) -> None:
    store = provider.store()
    store._client.put_object(Bucket=store.bucket, Key=key, Body=content)


SIZES = [0, 1, 5000, PART, PART + 1, 2 * PART]


def test_what_is_whole_is_found_to_be_so_and_is_not_due_again(mia, scrub, acme):
    for size in SIZES:
        mia.bring(f"{size}.bin", os.urandom(size))
    assert scrub() == {"read": len(SIZES), "read_bytes": sum(SIZES)}
    assert scrub(everything=False) == {}
    assert models.StoreFinding.objects.count() == 0


@pytest.mark.parametrize("size", [5000, PART + 1])
def test_planted_corruption_is_found_and_quarantined(mia, scrub, blob_of, acme, size):
    content = os.urandom(size)
    node, other = mia.bring("a.bin", content), mia.bring("b.bin", os.urandom(77))
    blob = blob_of(size)
    rotten = bytes([content[0] ^ 1]) + content[1:]
    overwrite(blob.key, rotten)
    assert scrub(is_dry=True)["corrupt"] == 1
    assert mia.api.get(f"/nodes/{node['id']}/content").status_code == 302
    assert scrub()["corrupt"] == 1
    answer = mia.api.get(f"/nodes/{node['id']}/content")
    assert (answer.status_code, answer.json()["code"]) == (409, "storage.blob_damaged")
    assert mia.fetch(other).status == 200
    checks = api.get_store_checks(tenant_ids=[acme.id])
    assert (checks.findings, checks.stopped_count, set(checks.oldest_at)) == ({"corrupt": 1}, 0, {"scrub"})
    finding = models.StoreFinding.objects.filter(run__is_dry=False).get()
    assert (finding.kind, finding.outcome, finding.blob_id) == ("corrupt", "quarantined", blob.id)


def test_nothing_is_built_upon_what_is_in_quarantine(mia, scrub, blob_of):
    content = os.urandom(100)
    mia.bring("a.bin", content)
    overwrite(blob_of(100).key, os.urandom(100))
    early = mia.started("early.bin", content)
    assert [part["state"] for part in early["parts"]] == ["present"]
    scrub()
    upload = mia.started("b.bin", content)
    assert [part["state"] for part in upload["parts"]] == ["send"]
    mia.send(upload, content)
    assert mia.fetch(mia.commit(upload).json()).data == content
    assert mia.commit(early).json()["missing_parts"] == [1]
    (part,) = mia.sign(early, content, [1])
    assert put(part, content).status == 200
    assert mia.fetch(mia.commit(early).json()).data == content


def test_what_was_put_back_leaves_the_quarantine(mia, scrub, blob_of):
    content = os.urandom(100)
    node = mia.bring("a.bin", content)
    key = blob_of(100).key
    overwrite(key, b"x" * 100)
    scrub()
    overwrite(key, content)
    assert scrub(everything=False) == {"read": 1, "read_bytes": 100, "recovered": 1}
    assert mia.fetch(node).data == content


def test_what_is_missing_is_told_and_cut_objects_are_damaged(mia, scrub, blob_of):
    mia.bring("missing.bin", os.urandom(100))
    mia.bring("cut.bin", os.urandom(200))
    provider.store().delete_objects([blob_of(100).key])
    overwrite(blob_of(200).key, b"short")
    counts = scrub()
    assert (counts["missing"], counts["corrupt"]) == (1, 1)


def test_the_longest_unread_are_due_within_the_days_that_are_set(mia, scrub, settings):
    for number in range(3):
        mia.bring(f"{number}.bin", os.urandom(10))
    settings.BITVAULT_SCRUB_DAYS = 0
    assert scrub(everything=False) == {}
    settings.BITVAULT_SCRUB_DAYS = 90
    assert scrub(everything=False) == {}
    with tenancy_of(mia), db.write_transaction():
        oldest = models.Blob.objects.order_by("id").first()
        models.Blob.objects.filter(id=oldest.id).update(created_at=clock.now() - timedelta(days=91))
    assert scrub(everything=False)["read"] == 1
    assert scrub(everything=False) == {}


def tenancy_of(sender):
    from tests.support.world import ACME

    return tenancy.entered(tenancy.Tenant(id=ACME.id, slug=ACME.slug, name=ACME.slug))
