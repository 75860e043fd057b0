"""Archives: what is in them, who gets them, for how long, and what is refused before anything is made."""

import io
import zipfile
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from apps.files import limits
from apps.storage import keys, provider
from apps.storage.models import Archive, Blob
from apps.storage.operations import archiving, packing, reconciling
from bitvault.events.models import StreamEvent
from bitvault.jobs import running
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, tenancy
from tests.apps.files.conftest import fetch
from tests.apps.files.test_copies import do_jobs, folder, plant
from tests.support.own_bucket import own_bucket
from tests.support.sending import Sender, pool
from tests.support.shares import by_rest
from tests.support.world import ACME

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture(autouse=True)
def entered(acme):
    with tenancy.entered(acme):
        yield acme


def ask(sender, *nodes, **more):
    return sender.api.post("/archives", {"node_ids": [node["id"] for node in nodes], **more})


def make(sender, *nodes, **more):
    answer = ask(sender, *nodes, **more)
    assert answer.status_code == 202, answer.content
    do_jobs()
    return answer.json()["id"]


def fetch_zip(sender, job_id):
    answer = sender.api.get(f"/jobs/{job_id}/content")
    assert answer.status_code == 302, answer.content
    there = pool.request("GET", answer["Location"])
    return there, zipfile.ZipFile(io.BytesIO(there.data))


def test_a_folder_comes_with_its_folders_empty_ones_its_names_and_its_times(mia):
    top = folder(mia, "Fotos für Łucja 東京")
    plant(mia, {"deep": {"x.txt": b"one", "empty": {}}, "none.bin": b""}, top["id"])
    Sender(mia.api, top["id"]).bring("old.txt", b"old", client_modified_at="2001-02-03T04:05:06Z")
    job_id = make(mia, top)
    there, packed = fetch_zip(mia, job_id)
    assert there.headers["Content-Type"] == "application/zip"
    assert "Fotos%20f%C3%BCr%20%C5%81ucja%20%E6%9D%B1%E4%BA%AC.zip" in there.headers["Content-Disposition"]
    assert packed.testzip() is None
    assert {info.filename: info.file_size for info in packed.infolist()} == {
        f"{top['name']}/": 0,
        f"{top['name']}/deep/": 0,
        f"{top['name']}/deep/empty/": 0,
        f"{top['name']}/deep/x.txt": 3,
        f"{top['name']}/none.bin": 0,
        f"{top['name']}/old.txt": 3,
    }
    old = packed.getinfo(f"{top['name']}/old.txt")
    assert old.date_time == (2001, 2, 3, 4, 5, 6)
    assert int.from_bytes(old.extra[-4:], "little") == datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC).timestamp()
    job = mia.api.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["done_count"], job["total_count"]) == ("done", 6, 6)
    assert job["result"]["size_bytes"] == len(there.data)
    assert (job["result"]["file_count"], job["result"]["folder_count"], job["result"]["missing_count"]) == (3, 3, 0)


def test_of_a_selection_each_has_a_name_of_its_own_and_what_is_chosen_twice_comes_once(mia):
    left, right = folder(mia, "left"), folder(mia, "right")
    one = Sender(mia.api, left["id"]).bring("Same.txt", b"1")
    two = Sender(mia.api, right["id"]).bring("same.txt", b"22")
    tricky = mia.bring("..\\..\\evil.txt", b"333")
    _, packed = fetch_zip(mia, make(mia, one, two, right, right, tricky, name="all of it.zip"))
    assert {info.filename: info.file_size for info in packed.infolist()} == {
        "Same.txt": 1,
        "right/": 0,
        "right/same.txt": 2,
        ".._.._evil.txt": 3,
    }


def test_a_large_archive_goes_in_parts_and_tells_how_far_it_is(mia, monkeypatch):
    """Pieces and parts are small here; the bytes are the same."""
    monkeypatch.setattr(packing, "PIECE_BYTES", 64 * 1024)
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    top = folder(mia, "top")
    content = {f"{number}.bin": bytes([number]) * (3000 + number) for number in range(9)}
    plant(mia, content, top["id"])
    large = bytes(range(256)) * 50_000  # more than one part of the store
    Sender(mia.api, top["id"]).bring("large.bin", large)
    _, packed = fetch_zip(mia, make(mia, top))
    assert {info.filename: packed.read(info) for info in packed.infolist() if not info.is_dir()} == {
        f"top/{name}": body for name, body in {**content, "large.bin": large}.items()
    }


def test_what_is_gone_or_damaged_is_left_out_and_counted(mia):
    whole, damaged = mia.bring("whole.txt", b"whole"), mia.bring("damaged.txt", b"damaged")
    with db.write_transaction():
        Blob.objects.filter(size_bytes=len(b"damaged")).update(damaged_at=clock.now())
    job_id = make(mia, whole, damaged)
    _, packed = fetch_zip(mia, job_id)
    assert packed.namelist() == ["whole.txt"]
    assert mia.api.get(f"/jobs/{job_id}").json()["result"]["missing_count"] == 1


def test_nobody_else_gets_it_not_even_who_administers(mia, api):
    job_id = make(mia, mia.bring("a.txt", b"secret"))
    assert api("adam").get(f"/jobs/{job_id}").status_code == 200
    for name in ("adam", "olga", "vera"):
        assert api(name).get(f"/jobs/{job_id}/content").status_code == 404


def test_a_right_that_was_taken_away_counts_when_it_is_made_and_when_it_is_fetched(mia, api):
    shared = folder(mia, "shared")
    Sender(mia.api, shared["id"]).bring("a.txt", b"a")
    vera = Sender(api("vera"), None)

    def give():
        made = mia.api.post(f"/nodes/{shared['id']}/shares", by_rest(ACME.people["vera"].user_id, "viewer"))
        return made.json()["id"]

    share_id = give()
    made = make(vera, shared)
    assert fetch_zip(vera, made)[1].namelist() == ["shared/", "shared/a.txt"]
    waiting = ask(vera, shared).json()["id"]
    mia.api.delete(f"/shares/{share_id}")
    do_jobs()
    assert vera.api.get(f"/jobs/{waiting}").json()["state"] == "failed"
    assert vera.api.get(f"/jobs/{made}/content").status_code == 404
    previewer = by_rest(ACME.people["vera"].user_id, "previewer")
    assert mia.api.post(f"/nodes/{shared['id']}/shares", previewer).status_code == 201
    assert ask(vera, shared).status_code == 403


def test_limits_are_told_before_anything_is_made(mia, monkeypatch):
    top = folder(mia, "top")
    plant(mia, {"a": b"1", "b": b"22"}, top["id"])
    monkeypatch.setattr(limits, "ARCHIVE_LIMIT_NODES", 2)
    refused = ask(mia, top)
    assert (refused.status_code, refused.json()["code"]) == (413, "files.archive_too_large")
    assert (refused.json()["limit_count"], refused.json()["count"]) == (2, 3)
    monkeypatch.setattr(limits, "ARCHIVE_LIMIT_NODES", 3)
    monkeypatch.setattr(archiving, "ARCHIVES_LIMIT_BYTES", 100)
    refused = ask(mia, top)
    assert (refused.status_code, refused.json()["code"]) == (507, "storage.archives_full")
    assert not Job.objects.exists()
    assert fetch("SELECT count(*) FROM storage_archive") == [(0,)]


def test_it_is_no_part_of_what_is_stored_but_a_download_that_is_told_of(mia):
    node = mia.bring("a.txt", b"abc")
    used = mia.api.get("/quotas").json()
    job_id = make(mia, node)
    fetch_zip(mia, job_id)
    assert mia.api.get("/quotas").json() == used
    told = StreamEvent.objects.get(type="files.archive.signed.v1").payload
    assert told["node_ids"] == [node["id"]]
    assert told["size_bytes"] == mia.api.get(f"/jobs/{job_id}").json()["result"]["size_bytes"]


def test_before_it_is_done_and_after_it_has_expired_there_is_nothing_to_fetch(mia, settings, monkeypatch):
    with own_bucket(settings):
        node = mia.bring("a.txt", b"a")
        job_id = ask(mia, node).json()["id"]
        early = mia.api.get(f"/jobs/{job_id}/content")
        assert (early.status_code, early.json()["code"]) == (409, "jobs.not_done")
        do_jobs()
        fetch_zip(mia, job_id)
        monkeypatch.setattr(reconciling, "OLD", timedelta(seconds=-60))
        reconciling.reconcile()
        fetch_zip(mia, job_id)
        with db.write_transaction():
            Archive.objects.update(expires_at=clock.now() - timedelta(hours=1))
        late = mia.api.get(f"/jobs/{job_id}/content")
        assert (late.status_code, late.json()["code"]) == (410, "storage.archive_gone")
        assert archiving.remove_expired() == 1
        assert [key for key in provider.store().list_keys(keys.tenant_prefix()) if key.endswith("/zip")] == []


def test_one_that_is_canceled_leaves_nothing_in_the_store(mia, settings, monkeypatch):
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    with own_bucket(settings):
        node = mia.bring("a.txt", b"a")
        job_id = ask(mia, node).json()["id"]
        pack = packing.pack
        monkeypatch.setattr(
            packing,
            "pack",
            lambda *args, report, **more: pack(
                *args, report=lambda done: (mia.api.delete(f"/jobs/{job_id}"), report(done)), **more
            ),
        )
        do_jobs()
        assert mia.api.get(f"/jobs/{job_id}").json()["state"] == "canceled"
        store = provider.store()
        assert [key for key in store.list_keys(keys.tenant_prefix()) if key.endswith("/zip")] == []
        assert store.list_multipart_uploads(keys.tenant_prefix()) == []


def test_what_is_not_there_is_not_packed(mia, api):
    node = mia.bring("a.txt", b"a")
    assert mia.api.post("/archives", {"node_ids": [node["id"], str(uuid4())]}).status_code == 404
    assert mia.api.post("/archives", {"node_ids": []}).status_code == 422
    assert ask(Sender(api("vera"), None), node).status_code == 404
