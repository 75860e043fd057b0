"""Extracting a zip: what comes out, as whose, with what room; what of it is left out and why; and what is refused before anything is made."""

import io
import stat
import struct
import zipfile
import zlib

import pytest

from apps.billing import api as billing
from apps.identity import policies
from bitvault.gateway import extraction, unpacking
from bitvault.jobs import leasing, running
from bitvault.jobs.models import Job
from bitvault.kernel import clock, tenancy
from tests.apps.files.conftest import assert_events_tell_all, assert_tree_is_sound, fetch
from tests.apps.files.test_copies import Died, children, do_jobs, folder, quota, read, stored
from tests.support.sending import Sender, content_hash
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


def packed(tree, *, compression=zipfile.ZIP_DEFLATED):
    """Make a zip of ``{path or record: bytes}``."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for path, body in tree.items():
            info = path if isinstance(path, zipfile.ZipInfo) else zipfile.ZipInfo(path, (2001, 2, 3, 4, 5, 6))
            info.compress_type = compression
            archive.writestr(info, body)
    return made.getvalue()


def ask(sender, node, **body):
    return sender.api.post(f"/nodes/{node['id']}/extract", body)


def extract(sender, node, **body):
    """Extract an archive, and give its job as it ends."""
    answer = ask(sender, node, **body)
    assert answer.status_code == 202, answer.content
    do_jobs()
    return sender.api.get(f"/jobs/{answer.json()['id']}").json()


def hashes(tree):
    return {name: hashes(what) if isinstance(what, dict) else content_hash(what) for name, what in tree.items()}


def test_a_zip_becomes_a_folder_beside_it_with_names_times_and_room(mia):
    large = bytes(range(256)) * 40_000  # more than one part
    archive = mia.bring(
        "Fotos.zip", packed({"a/": b"", "a/b/x.txt": b"x", "ä 東京.bin": large, "none": b"", "empty/": b""})
    )
    job = extract(mia, archive)
    assert job["state"] == "done", job
    result = job["result"]
    assert (result["file_count"], result["folder_count"], result["left_out_count"]) == (3, 3, 0)
    assert (job["done_count"], job["total_count"]) == (len(large) + 1, len(large) + 1)
    tree = {"a": {"b": {"x.txt": b"x"}}, "ä 東京.bin": large, "none": b"", "empty": {}}
    assert read(mia, result["node_id"]) == hashes(tree)
    top = mia.api.get(f"/nodes/{result['node_id']}").json()
    assert (top["name"], top["parent_id"]) == ("Fotos", mia.parent_id)
    (old,) = (node for node in children(Sender(mia.api, top["id"])) if node["name"] == "none")
    assert old["client_modified_at"] == "2001-02-03T04:05:06Z"
    assert quota() == (stored(), 0)
    assert_tree_is_sound()
    assert_events_tell_all()
    elsewhere = folder(mia, "elsewhere")
    second = extract(mia, archive, parent_id=elsewhere["id"], name="again")
    assert read(mia, elsewhere["id"]) == {"again": hashes(tree)}
    assert extract(mia, archive)["result"]["node_id"] != second["result"]["node_id"]
    assert {node["name"] for node in children(mia)} == {"Fotos", "Fotos (2)", "Fotos.zip", "elsewhere"}


def of_mode(path, mode):
    info = zipfile.ZipInfo(path)
    info.external_attr = mode << 16
    return info


def marked(body, path, offset, value):
    """Change a field of an entry in the archive's table of contents."""
    changed, name = bytearray(body), path.encode()
    at = body.rindex(name) - 46  # where the entry's record begins
    assert changed[at : at + 4] == b"PK\1\2"
    struct.pack_into("<H", changed, at + offset, value)
    return bytes(changed)


def test_what_cannot_be_had_is_left_out_with_its_reason_and_the_rest_comes(mia):
    refused = {
        "../up.txt": "unsafe_path",
        "/etc/passwd": "unsafe_path",
        "C:\\evil.txt": "unsafe_path",
        "a\\..\\..\\b.txt": "unsafe_path",
        "link": "link",
        "pipe": "link",
        "bell\x07.txt": "invalid_name",
        "/".join(["d"] * 200): "too_deep",
        "/".join(["n" * 200] * 30): "files.path_too_long",
        "secret.txt": "encrypted",
        "odd.txt": "unknown_method",
        "broken.txt": "damaged",
        "good.txt": "duplicate_path",
    }
    kinds = {"link": stat.S_IFLNK | 0o777, "pipe": stat.S_IFIFO | 0o644, "good.txt": stat.S_IFREG}
    tree = {"good.txt": b"good", "Good.TXT": b"other", "__MACOSX/._good.txt": b"1", "sub/.DS_Store": b"1"}
    with pytest.warns(UserWarning, match="Duplicate"):
        body = packed(
            tree | {of_mode(path, kinds.get(path, 0)): b"whole" for path in refused}, compression=zipfile.ZIP_STORED
        )
    body = marked(body, "secret.txt", 8, 1)
    body = marked(body, "odd.txt", 10, zipfile.ZIP_LZMA)
    at = body.index(b"whole", body.index(b"broken.txt"))
    archive = mia.bring("all.zip", body[:at] + b"holes" + body[at + 5 :])
    result = extract(mia, archive)["result"]
    assert {each["path"]: each["reason"] for each in result["left_out"]} == {
        path[:200]: reason for path, reason in refused.items()
    }
    assert (result["file_count"], result["left_out_count"]) == (2, len(refused))
    here = read(mia, result["node_id"])
    assert here["good.txt"] == content_hash(b"good")
    assert here["Good (2).TXT"] == content_hash(b"other")
    assert here.keys() == {"good.txt", "Good (2).TXT", "n" * 200}
    assert quota() == (stored(), 0)
    assert_tree_is_sound()


def test_bombs_and_what_is_no_zip_are_refused_before_anything_is_made(mia, monkeypatch):
    monkeypatch.setattr(unpacking, "ENTRIES_LIMIT", 3)
    monkeypatch.setattr(unpacking, "RATIO_FREE_BYTES", 100_000)
    monkeypatch.setattr(unpacking, "DIRECTORY_LIMIT_BYTES", 500)
    refusals = {
        "files.archive_too_large": [
            packed({f"{n}": b"" for n in range(4)}),
            packed({"zeros": bytes(1_000_000)}),
            packed({"n" * 600: b""}),
        ],
        "files.not_an_archive": [b"", b"no zip at all", packed({"a": b"1"})[:-30]],
    }
    for code, bodies in refusals.items():
        for number, body in enumerate(bodies):
            job = extract(mia, mia.bring(f"{code}{number}.zip", body))
            assert (job["state"], job["problem"]["code"]) == ("failed", code)
    assert {node["kind"] for node in children(mia)} == {"file"}
    text = mia.bring("a.txt", b"1")
    assert ask(mia, text).json()["code"] == "files.not_an_archive"
    assert ask(mia, folder(mia, "f.zip")).json()["code"] == "files.not_a_file"


def test_an_entry_never_gives_more_than_it_said_that_it_has(mia):
    """A record that says ten bytes of a stream that has a million: what goes past them is never read."""
    body = packed({"small.bin": bytes(1_000_000)})
    at = body.rindex(b"small.bin") - 46
    lying = bytearray(body)
    struct.pack_into("<LL", lying, at + 16, zlib.crc32(bytes(10)), struct.unpack_from("<L", body, at + 20)[0])
    struct.pack_into("<L", lying, at + 24, 10)
    result = extract(mia, mia.bring("lies.zip", bytes(lying)))["result"]
    assert read(mia, result["node_id"]) in ({}, {"small.bin": content_hash(bytes(10))})
    assert quota() == (stored(), 0)


def test_without_room_nothing_is_made(mia):
    archive = mia.bring("a.zip", packed({"zeros": bytes(100_000)}))
    billing.set_quota(limit_bytes=50_000)
    job = extract(mia, archive)
    assert (job["state"], job["problem"]["code"]) == ("failed", "billing.quota_exceeded")
    assert [node["name"] for node in children(mia)] == ["a.zip"]
    assert quota() == (archive["size_bytes"], 0)


def test_it_needs_download_there_and_add_here_also_when_the_job_runs(mia, api):
    adam = api("adam")
    other = Sender(adam, adam.get("/me").json()["root_id"])
    archive = mia.bring("a.zip", packed({"a": b"1"}))

    def give(role):
        one = {"principal": {"type": "user", "id": str(ACME.people["adam"].user_id)}, "role": role}
        assert mia.api.request("PUT", f"/nodes/{archive['id']}/shares", {"shares": [one]}).status_code == 200

    assert ask(other, archive, parent_id=other.parent_id).status_code == 404
    give("previewer")
    assert ask(other, archive, parent_id=other.parent_id).status_code == 403
    give("viewer")
    assert ask(other, archive).status_code == 404
    assert ask(other, archive, parent_id=mia.parent_id).status_code == 404
    answer = ask(other, archive, parent_id=other.parent_id)
    assert answer.status_code == 202
    give("previewer")
    do_jobs()
    assert adam.get(f"/jobs/{answer.json()['id']}").json()["state"] == "failed"
    assert children(other) == []


@pytest.fixture
def several(mia, monkeypatch):
    """An archive whose files come two by two."""
    monkeypatch.setattr(extraction, "BATCH_COUNT", 2)
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    return mia.bring("many.zip", packed({f"d{n % 3}/{n}": b"%d" % n for n in range(9)}))


def test_a_canceled_one_leaves_its_folder_in_the_trash(mia, several, monkeypatch):
    job_id = ask(mia, several).json()["id"]
    bring, batches = extraction.Extraction._bring_small, []

    def cancel_at_the_second(self, batch):
        batches.append(batch)
        if len(batches) == 2:
            assert mia.api.delete(f"/jobs/{job_id}").status_code == 204
        bring(self, batch)

    monkeypatch.setattr(extraction.Extraction, "_bring_small", cancel_at_the_second)
    do_jobs()
    assert mia.api.get(f"/jobs/{job_id}").json()["state"] == "canceled"
    assert len(batches) == 2
    assert [node["name"] for node in children(mia)] == ["many.zip"]
    assert [item["name"] for item in mia.api.get("/trash").json()["items"]] == ["many"]
    assert quota() == (stored(), 0)


@pytest.mark.parametrize("moment", ["start", "send_whole", "commit"])
def test_one_whose_worker_dies_goes_on_and_makes_nothing_twice(mia, several, monkeypatch, moment):
    job_id = ask(mia, several).json()["id"]
    owner = extraction.handing_in if moment == "send_whole" else extraction.upload_batches
    real, calls = getattr(owner, moment), []

    def die_once(*given, **named):
        calls.append(moment)
        done = real(*given, **named)
        if len(calls) == 3:
            raise Died
        return done

    monkeypatch.setattr(owner, moment, die_once)
    with pytest.raises(Died):
        do_jobs()
    Job.objects.filter(state="running").update(lease_until=clock.now())
    leasing.rescue()
    Job.objects.filter(state="queued").update(run_at=clock.now())
    do_jobs()
    job = mia.api.get(f"/jobs/{job_id}").json()
    assert job["state"] == "done", job
    assert (job["result"]["file_count"], job["result"]["folder_count"]) == (9, 3)
    assert read(mia, job["result"]["node_id"]) == hashes(
        {f"d{d}": {str(n): b"%d" % n for n in range(9) if n % 3 == d} for d in range(3)}
    )
    assert fetch("SELECT used_bytes FROM billing_quota") == [(stored(),)]


def test_one_whose_folder_is_thrown_away_meanwhile_ends(mia, several, monkeypatch):
    job_id = ask(mia, several).json()["id"]
    bring = extraction.Extraction._bring_small

    def throw_away(self, batch):
        mia.api.delete(f"/nodes/{self.top_id}")
        bring(self, batch)

    monkeypatch.setattr(extraction.Extraction, "_bring_small", throw_away)
    do_jobs()
    job = mia.api.get(f"/jobs/{job_id}").json()
    assert (job["state"], job["problem"]["code"]) == ("failed", "files.parent_gone")
    assert quota() == (stored(), 0)


def test_what_the_vault_does_not_take_is_left_out_of_an_archive(mia, api):
    archive = mia.bring(
        "all.zip", packed({"a.txt": b"text", "b/setup.EXE": b"x", "c.pdf": b"123456", "large.exe": bytes(9 << 20)})
    )
    wanted = {"file_types": "except", "file_extensions": ["exe"], "largest_file_bytes": 5}
    try:
        assert api("adam").patch("/tenant", {"policies": wanted}).status_code == 200
        result = extract(mia, archive)["result"]
    finally:
        policies.forget_remembered()
    assert {each["path"]: each["reason"] for each in result["left_out"]} == {
        "b/setup.EXE": "files.type_refused",
        "c.pdf": "files.size_refused",
        "large.exe": "files.type_refused",
    }
    assert read(mia, result["node_id"]) == hashes({"a.txt": b"text", "b": {}})
    assert quota() == (stored(), 0)
