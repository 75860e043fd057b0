"""The store's inventory against the rows: what nothing names goes, what is missing is told, page by page and from where a run has died."""

import os
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.management import call_command

from apps.storage import keys, models, provider
from apps.storage.operations import reconciling
from apps.storage.operations.reconciling import Reconciler
from bitvault.kernel import clock, db, ids, tenancy
from tests.support.own_bucket import own_bucket
from tests.support.sending import PART, Sender

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture(autouse=True)
def _alone(settings, each_store, monkeypatch):
    monkeypatch.setattr(reconciling, "OLD", timedelta(seconds=-60))  # what was written this moment is old
    with own_bucket(settings):
        yield


@pytest.fixture
def mia(api, acme) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def entered(acme):
    with tenancy.entered(acme):
        yield acme


def put(key: str, content: bytes = b"stray") -> str:
    store = provider.store()
    store._client.put_object(Bucket=store.bucket, Key=key, Body=content)
    return key


def stray_key() -> str:
    return keys.multipart_key(ids.new_id())


def findings() -> list[tuple]:
    return sorted(models.StoreFinding.objects.values_list("kind", "outcome", "key"))


def list_all() -> set[str]:
    return set(provider.store().list_keys(keys.tenant_prefix()))


def blobs():
    with db.read_transaction():
        return list(models.Blob.objects.order_by("id"))


def test_a_store_that_agrees_has_no_findings(mia, entered):
    mia.bring("small.bin", b"abc")
    mia.bring("large.bin", os.urandom(PART + 1))
    mia.started("open.bin", os.urandom(PART + 1))
    upload = mia.started("arrived.bin", b"arrived")
    mia.send(upload, b"arrived")
    before = list_all()
    assert reconciling.reconcile() == {"objects": 3}
    assert list_all() == before
    assert findings() == []


def test_orphans_and_abandoned_sessions_go_and_what_an_open_upload_brought_stays(mia, entered):
    upload = mia.started("arrived.bin", b"arrived")
    mia.send(upload, b"arrived")
    kept = list_all()
    orphans = [put(stray_key()) for _ in range(3)]
    session = stray_key()
    provider.store().create_multipart_upload(session)
    counts = reconciling.reconcile(is_dry=True)
    assert (counts["orphan"], counts["abandoned"]) == (3, 1)
    assert list_all() == kept | set(orphans)
    counts = reconciling.reconcile()
    assert (counts["orphan"], counts["abandoned"], counts["deleted"]) == (3, 1, 3)
    assert list_all() == kept
    assert provider.store().list_multipart_uploads(keys.tenant_prefix()) == []
    assert reconciling.reconcile() == {"objects": 1}


def test_what_is_young_is_left_alone(mia, entered, monkeypatch):
    monkeypatch.setattr(reconciling, "OLD", timedelta(days=1))
    put(stray_key())
    provider.store().create_multipart_upload(stray_key())
    assert reconciling.reconcile() == {"objects": 1}


def test_an_object_that_is_none_of_ours_is_told_and_stays(entered):
    key = put(f"{keys.tenant_prefix()}notes.txt")
    assert reconciling.reconcile()["orphan"] == 1
    assert findings() == [("orphan", "reported", key)]
    assert list_all() == {key}


def test_missing_and_cut_objects_are_told_and_nothing_is_changed(mia, entered):
    for number in range(3):
        mia.bring(f"{number}.bin", os.urandom(10 + number))
    _, cut, missing = blobs()
    put(cut.key, b"x")
    provider.store().delete_objects([missing.key])
    counts = reconciling.reconcile()
    assert (counts["missing"], counts["wrong_size"]) == (1, 1)
    assert findings() == [("missing", "reported", missing.key), ("wrong_size", "reported", cut.key)]
    assert {blob.state for blob in blobs()} == {"live"}


def test_an_object_that_came_back_after_its_deletion_is_deleted_again(mia, entered):
    mia.bring("a.bin", b"abc")
    (blob,) = blobs()
    with db.write_transaction():
        models.Blob.objects.update(state="gone", gone_at=clock.now() - timedelta(hours=1))
    assert reconciling.reconcile()["leftover"] == 1
    assert provider.store().find_object(blob.key) is None


@pytest.mark.parametrize("page", [1, 2, 3, 100])
def test_pages_of_every_size_find_the_same(mia, entered, monkeypatch, page):
    monkeypatch.setattr(reconciling, "PAGE", page)
    for number in range(6):
        mia.bring(f"{number}.bin", os.urandom(10 + number))
    rows = blobs()
    provider.store().delete_objects([rows[0].key, rows[3].key, rows[5].key])
    orphans = [put(stray_key()) for _ in range(4)]
    counts = reconciling.reconcile()
    assert (counts["objects"], counts["missing"], counts["orphan"]) == (7, 3, 4)
    assert list_all() == {row.key for row in rows} - {rows[0].key, rows[3].key, rows[5].key}
    assert {key for kind, _, key in findings() if kind == "orphan"} == set(orphans)


def test_a_run_goes_on_where_its_last_try_died(mia, entered, monkeypatch):
    monkeypatch.setattr(reconciling, "PAGE", 2)
    orphans = [put(stray_key()) for _ in range(7)]
    first = Reconciler(is_dry=False, has_brakes=True)
    places = []

    def die(count, store_id, cursor):
        places.append(cursor)
        if len(places) == 2:
            raise RuntimeError

    with pytest.raises(RuntimeError):
        first.run(cursor="", report=die)
    assert len(list_all()) == 3
    listed = []
    real = provider.ObjectStore.list_page
    with patch.object(
        provider.ObjectStore, "list_page", lambda *a, after, **k: listed.append(after) or real(*a, after=after, **k)
    ):
        counts = Reconciler(is_dry=False, has_brakes=True, run_id=first.notes.run_id).run(cursor=places[-1])
    assert listed[0] == places[-1]
    assert (counts["orphan"], counts["deleted"]) == (7, 7)
    assert list_all() == set()
    (run,) = models.StoreRun.objects.all()
    assert (run.state, {finding.key for finding in run.findings.all()}) == ("done", set(orphans))


def test_a_run_stops_before_it_deletes_unusually_much(entered, monkeypatch):
    monkeypatch.setattr(reconciling, "BRAKE_LEAST", 2)
    for _ in range(3):
        put(stray_key())
    reconciling.reconcile()
    assert len(list_all()) == 3
    assert models.StoreRun.objects.get().state == "stopped"
    assert reconciling.reconcile(has_brakes=False)["deleted"] == 3


def test_the_command_changes_nothing_unless_it_is_told_to(entered, acme, capsys):
    put(stray_key())
    with tenancy.entered(acme):
        call_command("reconcile", "acme")
        assert "orphan 1" in capsys.readouterr().out
        assert len(list_all()) == 1
        call_command("reconcile", "acme", "--apply")
        assert list_all() == set()
