"""Copies: of files, of small trees at once, of large ones by a job that goes on where it was; charged right, told by events, no bytes moved."""

import pytest

from apps.files import limits
from apps.files.api import copies
from apps.storage.models import Blob
from bitvault.jobs import leasing, running
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, tenancy
from tests.apps.files.conftest import assert_events_tell_all, assert_tree_is_sound, events, fetch
from tests.support.sending import Sender
from tests.support.world import ACME

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def entered(acme):
    with tenancy.entered(acme):
        yield acme


def folder(sender, name, parent_id=None):
    return sender.api.post("/folders", {"parent_id": parent_id or sender.parent_id, "name": name}).json()


def copy(sender, node, parent_id=None, **wishes):
    return sender.api.post(f"/nodes/{node['id']}/copy", {"parent_id": parent_id or sender.parent_id, **wishes})


def plant(sender, tree, parent_id=None):
    """Make folders (dicts) and files (bytes) by name."""
    for name, what in tree.items():
        if isinstance(what, dict):
            plant(sender, what, folder(sender, name, parent_id)["id"])
        else:
            Sender(sender.api, parent_id or sender.parent_id).bring(name, what)


def read(sender, node_id):
    """Read a tree as (name, content hash) or (name, tree)."""
    items = sender.api.get(f"/nodes/{node_id}/children", limit=1000).json()["items"]
    return {
        item["name"]: read(sender, item["id"]) if item["kind"] == "folder" else item["content_hash"] for item in items
    }


def quota():
    return fetch("SELECT used_bytes, reserved_bytes FROM billing_quota")[0]


def stored():
    return fetch("SELECT coalesce(sum(size_bytes), 0) FROM files_version")[0][0]


def count_blobs():
    with db.read_transaction():
        return Blob.objects.count()


def do_jobs(lane="bulk"):
    count = 0
    while running.run_next(lane):
        count += 1
    return count


def test_a_copy_of_a_file_has_its_bytes_and_a_history_of_its_own(mia, entered):
    original = mia.bring("a.txt", b"one", client_modified_at="2020-01-01T00:00:00Z")
    mia.bring("a.txt", b"two", mode="overwrite")
    blobs = count_blobs()
    answer = copy(mia, original, name="b.md")
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["name"], made["size_bytes"], made["revision"]) == ("b.md", 3, 1)
    assert made["media_type"] == "text/markdown"
    assert answer["BitVault-Seq"]
    versions = mia.api.get(f"/nodes/{made['id']}/versions").json()["items"]
    assert [(version["is_current"], version["restored_from_id"]) for version in versions] == [(True, None)]
    assert len(mia.api.get(f"/nodes/{original['id']}/versions").json()["items"]) == 2
    assert count_blobs() == blobs
    assert quota() == (stored(), 0)
    assert_tree_is_sound()
    assert_events_tell_all()


def test_a_taken_name_is_refused_or_numbered_and_a_copy_beside_itself_is_one(mia, entered):
    original = mia.bring("a.txt", b"one")
    refused = copy(mia, original)
    assert (refused.status_code, refused.json()["code"]) == (409, "files.name_taken")
    assert copy(mia, original, autorename=True).json()["name"] == "a (2).txt"
    assert copy(mia, original, autorename=True).json()["name"] == "a (3).txt"
    assert quota() == (9, 0)


def test_a_small_tree_is_copied_at_once(mia, entered):
    top = folder(mia, "top")
    plant(mia, {"x": {"deep": {"a": b"1"}, "empty": {}}, "b": b"22"}, top["id"])
    answer = copy(mia, top, name="copy")
    assert answer.status_code == 201
    assert read(mia, answer.json()["id"]) == read(mia, top["id"])
    assert quota() == (stored(), 0) == (6, 0)
    assert not Job.objects.exists()
    assert_tree_is_sound()
    assert_events_tell_all()


def test_nothing_is_copied_into_itself_or_into_a_file(mia, entered):
    top = folder(mia, "top")
    inner = folder(mia, "inner", top["id"])
    for into in (top, inner):
        refused = copy(mia, top, into["id"], autorename=True)
        assert (refused.status_code, refused.json()["code"]) == (409, "files.move_cycle")
    file = mia.bring("a.txt", b"1")
    assert copy(mia, top, file["id"]).json()["code"] == "files.not_a_folder"
    assert quota() == (1, 0)


def test_a_copy_needs_download_there_and_add_here(mia, api):
    adam = api("adam")
    other = Sender(adam, adam.get("/me").json()["root_id"])
    secret = mia.bring("a.txt", b"1")
    assert copy(other, secret).status_code == 404
    share = {"principal": {"type": "user", "id": str(ACME.people["adam"].user_id)}, "role": "previewer"}
    shared = mia.api.post(f"/nodes/{secret['id']}/shares", share)
    assert shared.status_code in (200, 201), shared.content
    assert copy(other, secret).status_code == 403
    viewer = {**share, "role": "viewer"}
    mia.api.request("PUT", f"/nodes/{secret['id']}/shares", {"shares": [viewer]})
    assert copy(other, secret).status_code == 201
    assert copy(other, other.bring("mine.txt", b"1"), mia.parent_id).status_code == 404


def test_a_copy_that_finds_no_room_is_refused_and_leaves_nothing(mia, entered):
    from apps.billing import api as billing

    top = folder(mia, "top")
    plant(mia, {"a": b"x" * 100}, top["id"])
    billing.set_quota(limit_bytes=150)
    refused = copy(mia, top, name="copy")
    assert refused.status_code == 413
    assert read(mia, mia.parent_id).keys() == {"top"}
    assert quota() == (100, 0)


def test_a_repeated_request_makes_no_second_copy(mia, entered):
    original = mia.bring("a.txt", b"one")
    body = {"parent_id": mia.parent_id, "autorename": True}
    answers = [
        mia.api.post(f"/nodes/{original['id']}/copy", body, headers={"Idempotency-Key": "once"}) for _ in range(2)
    ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert read(mia, mia.parent_id).keys() == {"a.txt", "a (2).txt"}


@pytest.fixture
def large(mia, monkeypatch):
    """A tree that a job copies, in many pages."""
    monkeypatch.setattr(limits, "COPY_AT_ONCE", 3)
    monkeypatch.setattr(limits, "COPY_BATCH", 2)
    top = folder(mia, "top")
    plant(
        mia, {"x": {"y": {"a": b"1", "b": b"22", "c": b"333"}, "d": b"4444"}, "z": {}, "e": b"5", "f": b"6"}, top["id"]
    )
    return top


def test_a_large_tree_is_copied_by_a_job(mia, entered, large):
    answer = copy(mia, large, name="copy")
    assert answer.status_code == 202, answer.content
    assert answer["Location"] == f"/api/v1/jobs/{answer.json()['id']}"
    assert do_jobs() == 1
    job = mia.api.get(f"/jobs/{answer.json()['id']}").json()
    assert (job["state"], job["done_count"], job["total_count"]) == ("done", 10, 10)
    assert read(mia, job["result"]["node_id"]) == read(mia, large["id"])
    assert quota() == (stored(), 0)
    assert_tree_is_sound()
    assert_events_tell_all()
    again = mia.api.post(
        f"/nodes/{large['id']}/copy", {"parent_id": mia.parent_id, "name": "k"}, headers={"Idempotency-Key": "k"}
    )
    repeated = mia.api.post(
        f"/nodes/{large['id']}/copy", {"parent_id": mia.parent_id, "name": "k"}, headers={"Idempotency-Key": "k"}
    )
    assert (again.status_code, repeated.status_code) == (202, 202)
    assert again.json()["id"] == repeated.json()["id"]


class Died(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("page", range(1, 8))
def test_a_copy_whose_worker_dies_goes_on_and_charges_once(mia, entered, large, monkeypatch, page):
    from apps.billing import api as billing

    answer = copy(mia, large, name="copy")
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    settle, seen = billing.settle, []

    def die_once(**charge):
        seen.append(charge)
        if len(seen) == page:
            raise Died
        settle(**charge)

    monkeypatch.setattr("bitvault.gateway.copying.billing.settle", die_once)
    with pytest.raises(Died):
        do_jobs()
    Job.objects.filter(state="running").update(lease_until=clock.now())
    leasing.rescue()
    Job.objects.filter(state="queued").update(run_at=clock.now())
    do_jobs()
    job = mia.api.get(f"/jobs/{answer.json()['id']}").json()
    assert job["state"] == "done"
    assert read(mia, job["result"]["node_id"]) == read(mia, large["id"])
    assert quota() == (stored(), 0)


def test_a_canceled_copy_stops_and_what_it_has_copied_is_charged(mia, entered, large, monkeypatch):
    answer = copy(mia, large, name="copy")
    monkeypatch.setattr(running, "TELL_SECONDS", 0.0)
    copy_page, pages = copies.copy_page, []

    def cancel_at_the_third(**page):
        pages.append(page)
        if len(pages) == 3:
            assert mia.api.delete(f"/jobs/{answer.json()['id']}").status_code == 204
        return copy_page(**page)

    monkeypatch.setattr("bitvault.gateway.copying.copies.copy_page", cancel_at_the_third)
    do_jobs()
    assert mia.api.get(f"/jobs/{answer.json()['id']}").json()["state"] == "canceled"
    assert len(pages) == 3
    assert quota() == (stored(), 0)


def test_a_copy_that_is_thrown_away_or_put_into_its_original_meanwhile_ends(mia, entered, large):
    first = copy(mia, large, name="first")
    (first_id,) = (node["id"] for node in children(mia) if node["name"] == "first")
    mia.api.delete(f"/nodes/{first_id}")
    second = copy(mia, large, name="second")
    (second_id,) = (node["id"] for node in children(mia) if node["name"] == "second")
    moved = mia.api.patch(f"/nodes/{second_id}", {"parent_id": large["id"]}, revision=1)
    assert moved.status_code == 200, moved.content
    do_jobs()
    for answer in (first, second):
        assert mia.api.get(f"/jobs/{answer.json()['id']}").json()["state"] == "done"
    made = read(mia, second_id)
    assert made == {name: what for name, what in read(mia, large["id"]).items() if name != "second"}
    assert_tree_is_sound()


def children(sender):
    return sender.api.get(f"/nodes/{sender.parent_id}/children").json()["items"]


def test_a_copy_is_no_upload_to_the_meter(mia, entered):
    original = mia.bring("a.txt", b"one")
    copy(mia, original, name="b.txt")
    told = [payload for kind, payload in events() if kind == "files.version.committed.v1"]
    assert [one["copied_from_id"] is not None for one in told] == [False, True]
    assert told[1]["copied_from_id"] == original["version_id"]
