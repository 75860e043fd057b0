"""What no file holds leaves the store after its time, and nothing else does, whoever commits meanwhile."""

import os
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from apps.files import api as files
from apps.storage import models, provider
from apps.storage.operations import collecting, completing, references
from bitvault.events import consuming
from bitvault.events.models import StreamEvent
from bitvault.kernel import clock, db, tenancy
from tests.apps.files.conftest import fetch
from tests.support.sending import PART, Sender

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture(autouse=True)
def at_once(settings):
    """Nothing waits: whoever relies on time alone is found out."""
    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 0}


@pytest.fixture
def mia(api, acme) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def run(acme):
    """Let the stream be read and the collector run."""

    def run(**wishes):
        with tenancy.entered(acme):
            consuming.consume(references.CONSUMER)
            return collecting.collect(**wishes)

    return run


def delete(sender, node):
    assert sender.api.delete(f"/nodes/{node['id']}").status_code == 204
    assert sender.api.delete(f"/trash/{node['id']}").status_code == 204


def blobs(acme):
    with tenancy.entered(acme), db.read_transaction():
        return {blob.id: blob for blob in models.Blob.objects.all()}


def states(acme):
    return sorted(blob.state for blob in blobs(acme).values())


def are_there(acme):
    """Tell which blobs have their object in the store."""
    return {key for key, blob in blobs(acme).items() if provider.store().find_object(blob.key) is not None}


_delete_batch = provider.ObjectStore.delete_batch


def delete_now(store, keys):
    """Delete at the time that the store's clock shows: it refuses what is signed in the future."""
    with clock.fixed_at(datetime.now(UTC)):
        return _delete_batch(store, keys)


def every_version_has_its_bytes(sender, acme, content):
    """Tell whether every file can be read, and no version names a blob that is condemned: that Files is asked again is the second net."""
    for node in sender.api.get(f"/nodes/{sender.parent_id}/children").json()["items"]:
        if sender.api.get(f"/nodes/{node['id']}/content").status_code != 302 or sender.fetch(node).data != content:
            return False
    with tenancy.entered(acme):
        named = {blob_id for (blob_id,) in fetch("SELECT blob_id FROM files_version")}
    return {blob.state for key, blob in blobs(acme).items() if key in named} <= {"pending", "live"}


@pytest.mark.parametrize("size", [0, 5000, PART + 1])
def test_what_is_deleted_leaves_the_store_and_what_is_kept_stays(mia, acme, run, size):
    gone, kept = mia.bring("gone.bin", os.urandom(size)), mia.bring("kept.bin", os.urandom(size + 1))
    assert run() == {}
    delete(mia, gone)
    counts = run()
    assert (counts["condemned"], counts["removed"], counts.get("removed_bytes", 0)) == (1, 1, size)
    assert states(acme) == ["gone", "live"]
    assert len(are_there(acme)) == 1
    assert mia.fetch(kept).status == 200
    assert run() == {}


def test_the_room_in_each_store_comes_back(mia, acme, run, each_store):
    nodes = [mia.bring(f"{number}.bin", os.urandom(size)) for number, size in enumerate([10, 5000, PART + 1])]
    with tenancy.entered(acme):
        prefix = tenancy.key("").replace(":", "/")
    before = {blob.key for blob in blobs(acme).values()}
    assert before <= set(provider.store().list_keys(prefix))
    for node in nodes:
        delete(mia, node)
    assert run()["removed_bytes"] == 10 + 5000 + PART + 1
    assert before & set(provider.store().list_keys(prefix)) == set()
    assert run() == {}


def test_two_files_of_one_content_keep_it_until_both_are_gone(mia, acme, run):
    content = os.urandom(100)
    first, second = mia.bring("first.bin", content), mia.bring("second.bin", content)
    assert mia.puts == 1
    delete(mia, first)
    run()
    assert mia.fetch(second).data == content
    delete(mia, second)
    run()
    assert states(acme) == ["gone"]
    assert are_there(acme) == set()


def test_nothing_goes_before_its_grace_is_over_nor_while_its_urls_live(mia, acme, run, settings):
    settings.BITVAULT_COLLECTION = {"grace_seconds": 3600, "wait_seconds": 600}
    delete(mia, mia.bring("a.bin", b"abc"))
    now = clock.now()
    with clock.fixed_at(now):
        assert run() == {}
    with clock.fixed_at(now + timedelta(minutes=59)):
        assert run() == {}
    with clock.fixed_at(now + timedelta(minutes=61)):
        assert run() == {"condemned": 1}
    with clock.fixed_at(now + timedelta(minutes=70)):
        assert run() == {}
    assert len(are_there(acme)) == 1
    with clock.fixed_at(now + timedelta(minutes=72)), patch.object(provider.ObjectStore, "delete_batch", delete_now):
        assert run()["removed"] == 1
    assert are_there(acme) == set()


def test_content_that_was_just_collected_has_to_be_sent_again(mia, run):
    content = os.urandom(100)
    delete(mia, mia.bring("a.bin", content))
    run()
    upload = mia.started("a.bin", content)
    assert [part["state"] for part in upload["parts"]] == ["send"]
    mia.send(upload, content)
    assert mia.fetch(mia.commit(upload).json()).data == content


def test_content_that_is_condemned_while_it_is_announced_has_to_be_sent_after_all(mia, acme, run):
    """Its file goes after the start, and so does the lease: somebody has planted that it is not seen."""
    content = os.urandom(100)
    node = mia.bring("a.bin", content)
    upload = mia.started("b.bin", content)
    assert [part["state"] for part in upload["parts"]] == ["present"]
    delete(mia, node)
    with patch.object(collecting, "find_leased", lambda _: set()):
        run()
    answer = mia.commit(upload)
    assert (answer.status_code, answer.json()["missing_parts"]) == (409, [1])
    (part,) = mia.sign(upload, content, [1])
    assert part["state"] == "send"
    mia.send({**upload, "parts": [part]}, content)
    assert mia.fetch(mia.commit(upload).json()).data == content
    assert states(acme) == ["gone", "live"]


def test_an_open_upload_of_known_content_keeps_it(mia, acme, run):
    content = os.urandom(100)
    node = mia.bring("a.bin", content)
    upload = mia.started("b.bin", content)
    delete(mia, node)
    assert run() == {"postponed": 1}
    assert mia.fetch(mia.commit(upload).json()).data == content
    assert states(acme) == ["live"]


def test_a_batch_that_the_store_deletes_by_half_is_gone_by_half(mia, acme, run):
    for number in range(4):
        delete(mia, mia.bring(f"{number}.bin", os.urandom(10 + number)))
    real = provider.ObjectStore.delete_batch

    def delete_half(self, keys):
        real(self, keys[::2])
        return dict.fromkeys(keys[1::2], "AccessDenied")

    with patch.object(provider.ObjectStore, "delete_batch", delete_half):
        counts = run()
    assert (counts["removed"], counts["refused"]) == (2, 2)
    assert states(acme) == ["condemned", "condemned", "gone", "gone"]
    assert {key for key, blob in blobs(acme).items() if blob.state == "condemned"} == are_there(acme)
    assert run()["removed"] == 2
    assert are_there(acme) == set()


def test_the_audit_log_is_told_of_each_blob_once(mia, acme, run):
    for number in range(3):
        delete(mia, mia.bring(f"{number}.bin", os.urandom(10)))
    run()
    run()
    told = StreamEvent.objects.filter(tenant_id=acme.id, type="storage.blobs.collected.v1")
    assert sorted(blob_id for event in told for blob_id in event.payload["blob_ids"]) == sorted(
        str(key) for key in blobs(acme)
    )


def test_a_dry_run_changes_nothing(mia, acme, run):
    delete(mia, mia.bring("a.bin", b"abc"))
    assert run(is_dry=True) == {"would_condemn": 1, "would_condemn_bytes": 3}
    assert states(acme) == ["live"]
    (noted,) = models.StoreRun.objects.all()
    assert (noted.kind, noted.state, noted.is_dry) == ("gc", "done", True)


def test_rows_of_collected_blobs_are_forgotten_like_those_of_uploads(mia, acme, run):
    delete(mia, mia.bring("a.bin", b"abc"))
    run()
    with clock.fixed_at(clock.now() + timedelta(days=31)):
        assert run() == {"forgotten": 1}
    assert blobs(acme) == {}


# --- the brake -------------------------------------------------------------------------------------------------------------


def forget_references(acme):
    with tenancy.entered(acme):
        with db.write_transaction():
            models.BlobReference.objects.all().delete()
            models.Blob.objects.update(created_at=clock.now() - timedelta(days=2))
        references.correct_hints()


def test_a_run_stops_before_it_condemns_unusually_much_that_no_event_explains(mia, acme, run, monkeypatch):
    monkeypatch.setattr(collecting, "BRAKE_LEAST", 2)
    for number in range(3):
        mia.bring(f"{number}.bin", os.urandom(10))
    run()
    forget_references(acme)
    with patch.object(files, "find_held_blobs", lambda **_: frozenset()):
        assert run() == {}
    assert states(acme) == ["live"] * 3
    assert models.StoreRun.objects.get().state == "stopped"
    assert run(has_brakes=False) == {"held": 3, "postponed": 3}


def test_no_brake_stops_what_people_have_deleted(mia, acme, run, monkeypatch):
    monkeypatch.setattr(collecting, "BRAKE_LEAST", 2)
    for number in range(4):
        delete(mia, mia.bring(f"{number}.bin", os.urandom(10)))
    assert run()["removed"] == 4


# --- commits that come in between ------------------------------------------------------------------------------------------


class Between:
    """Calls something at one place of a run of the collector, once."""

    def __init__(self, place: str, act) -> None:
        self._place, self._act = place, act

    @contextmanager
    def installed(self):
        owner, name, when = PLACES[self._place]
        real = getattr(owner, name)

        def call(*args, **kwargs):
            if when == "before":
                self._once()
            answer = real(*args, **kwargs)
            if when == "after":
                self._once()
            return answer

        with patch.object(owner, name, call):
            yield

    def _once(self):
        act, self._act = self._act, lambda: None
        act()


PLACES = {
    "before anything is read": (collecting, "_require_usual", "before"),
    "before Files is asked": (files, "find_held_blobs", "before"),
    "after Files was asked": (files, "find_held_blobs", "after"),
    "before it is condemned": (collecting, "_condemn", "before"),
    "after it is condemned": (collecting, "_condemn", "after"),
    "before it is deleted": (collecting, "_remove", "before"),
    "after it is deleted": (collecting, "_remove", "after"),
}


def commit_whatever_it_takes(sender, upload, content):
    """Commit as a client does, which sends what it is told to be missing."""
    answer = sender.commit(upload)
    if answer.status_code == 409:
        part = sender.sign(upload, content, [1])[0]
        sender.send({**upload, "parts": [part]}, content)
        answer = sender.commit(upload)
    assert answer.status_code == 201, answer.content


def survives(sender, acme, run, *, place: str, is_begun_before: bool) -> bool:
    """Let a commit of known content, whose only file is just deleted, come at one place of a run; tells whether all files have their bytes."""
    content = os.urandom(64)
    node = sender.bring("first.bin", content)
    upload = sender.started("second.bin", content)
    if not is_begun_before:
        with tenancy.entered(acme), db.write_transaction():
            models.Upload.objects.filter(id=upload["id"]).update(state="aborted", swept_at=clock.now())
    delete(sender, node)
    with tenancy.entered(acme):
        consuming.consume(references.CONSUMER)

    def commit():
        with tenancy.entered(acme), db.write_transaction():
            models.Upload.objects.filter(id=upload["id"]).update(state="started", swept_at=None)
        commit_whatever_it_takes(sender, upload, content)

    with Between(place, commit).installed():
        run()
    with tenancy.entered(acme):
        collecting.collect()  # the stream has not told of it yet
    run()
    return every_version_has_its_bytes(sender, acme, content)


@pytest.mark.parametrize("is_begun_before", [True, False])
@pytest.mark.parametrize("place", PLACES)
def test_a_commit_of_known_content_may_come_at_any_moment_of_a_run(mia, acme, run, place, is_begun_before):
    assert survives(mia, acme, run, place=place, is_begun_before=is_begun_before)


def condemn_without_a_look(free, left):
    with db.write_transaction():
        models.Blob.objects.filter(id__in=[one.id for one in free]).update(state="condemned", condemned_at=clock.now())
    return [one.id for one in free]


FAULTS = {
    "it condemns what it has read, whatever became of it": lambda: patch.object(
        collecting, "_condemn", condemn_without_a_look
    ),
    "taking a blob over leaves no trace in its row": lambda: patch.object(
        completing,
        "FREEZE_KNOWN",
        completing.FREEZE_KNOWN.replace("ELSE %(now)s::timestamptz END", "ELSE b.unreferenced_at END"),
    ),
    "condemned content is taken over": lambda: patch.object(
        completing,
        "FREEZE_KNOWN",
        completing.FREEZE_KNOWN.replace("('pending', 'live')", "('pending', 'live', 'condemned', 'gone')"),
    ),
    "Files is never asked": lambda: patch.object(files, "find_held_blobs", lambda **_: frozenset()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_loses_bytes_at_some_moment(mia, acme, run, fault):
    outcomes = []
    for place in PLACES:
        for is_begun_before in (True, False):
            with FAULTS[fault]() if fault else nullcontext():
                outcomes.append(survives(mia, acme, run, place=place, is_begun_before=is_begun_before))
            for node in mia.api.get(f"/nodes/{mia.parent_id}/children").json()["items"]:
                delete(mia, node)
    assert not all(outcomes)


# --- deaths ----------------------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Nothing catches this."""


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("where", ["_condemn", "_remove", "find_held_blobs", "delete_batch", "publish"])
def test_a_run_that_dies_anywhere_leaves_no_version_without_bytes_and_the_next_one_ends_it(mia, acme, run, where, when):
    content = os.urandom(50)
    kept = mia.bring("kept.bin", content)
    for number in range(3):
        delete(mia, mia.bring(f"{number}.bin", os.urandom(10 + number)))
    owner = {"find_held_blobs": files, "delete_batch": provider.ObjectStore}.get(where, collecting)
    real = getattr(owner, where)

    def die(*args, **kwargs):
        if when == "after":
            real(*args, **kwargs)
        raise Killed

    with pytest.raises(Killed), patch.object(owner, where, die):
        run()
    assert mia.fetch(kept).data == content
    run()
    assert states(acme) == ["gone"] * 3 + ["live"]
    assert len(are_there(acme)) == 1
    assert mia.fetch(kept).data == content
