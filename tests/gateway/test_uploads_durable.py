"""No commit is acknowledged before its bytes are on the disk, where the store leaves that to us; what was never flushed is sent again.

Flushes are counted, delayed and failed at the system call itself.
"""

import ctypes
import errno
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection

from apps.storage import durability
from apps.storage.errors import StoreUnavailable
from bitvault.kernel import db
from bitvault.kernel.deadlines import background
from tests.support.sending import PART, Sender, put

pytestmark = [pytest.mark.store, pytest.mark.committed]


class System:
    """Stands where libc does: counts calls of ``syncfs``, takes as long as it is told, and fails when it is told."""

    def __init__(self):
        self.flushes = 0
        self.fails_with = 0
        self.seconds = 0.0
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def syncfs(self, folder):
        assert os.fstat(folder)
        time.sleep(self.seconds)
        self.may_go_on.wait(30)
        self.flushes += 1
        ctypes.set_errno(self.fails_with)
        return -1 if self.fails_with else 0


@pytest.fixture
def system(settings, tmp_path, monkeypatch):
    settings.BITVAULT_STORE_DISK = {"directory": str(tmp_path), "floor_bytes": 0}
    system = System()
    monkeypatch.setattr(durability, "_libc", lambda: system)
    yield system
    system.may_go_on.set()


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def sent(mia):
    def send(size=30, name="file.bin"):
        content = os.urandom(size)
        upload = mia.started(name, content)
        mia.send(upload, content)
        return upload, content

    return send


def names(sender):
    return [node["name"] for node in sender.api.get(f"/nodes/{sender.parent_id}/children").json()["items"]]


@pytest.mark.parametrize("size", [30, PART + 30])
def test_a_commit_is_acknowledged_after_one_flush(mia, sent, system, size):
    upload, content = sent(size)
    assert system.flushes == 0, "bytes of unfinished uploads are not flushed"
    answer = mia.commit_once(upload)
    assert (answer.status_code, system.flushes) == (201, 1)
    assert mia.fetch(answer.json()).data == content
    assert mia.commit_once(upload).status_code == 200
    assert system.flushes == 1


def test_no_version_is_there_before_the_flush_is_through(mia, sent, system):
    upload, _ = sent()
    system.may_go_on.clear()
    assert mia.commit_once(upload).status_code == 202
    assert names(mia) == []
    system.may_go_on.set()
    assert mia.commit(upload).status_code == 201


@pytest.mark.parametrize(
    ("error", "answer"),
    [(errno.EIO, (503, "storage.store_unavailable")), (errno.ENOSPC, (507, "storage.disk_full"))],
)
def test_a_flush_that_failed_is_a_commit_that_failed(mia, sent, system, error, answer):
    upload, content = sent()
    system.fails_with = error
    refused = mia.commit_once(upload)
    assert (refused.status_code, refused.json()["code"]) == answer
    assert names(mia) == []
    system.fails_with = 0
    done = mia.commit_once(upload)
    assert done.status_code == 201
    assert mia.fetch(done.json()).data == content


def test_commits_that_come_at_once_share_their_flushes(mia, sent, system):
    uploads = [sent(name=f"{number}.bin")[0] for number in range(20)]
    system.seconds = 0.03

    def commit(upload):
        try:
            return mia.commit(upload).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as threads:
        assert list(threads.map(commit, uploads)) == [201] * 20
    assert 1 <= system.flushes < 20


def test_a_flush_that_has_begun_covers_nobody_who_comes_later(system, tmp_path):
    group = durability.GroupFlush(str(tmp_path))
    system.may_go_on.clear()
    waiting = [threading.Thread(target=group.flush, kwargs={"deadline": time.monotonic() + 20}) for _ in range(5)]
    waiting[0].start()
    while not group._begun:
        time.sleep(0.001)
    for thread in waiting[1:]:
        thread.start()
    time.sleep(0.1)
    system.may_go_on.set()
    for thread in waiting:
        thread.join()
    assert system.flushes == 2, "one for the first, one for all who came while it ran"


def test_everybody_who_shares_a_flush_is_told_that_it_failed(system, tmp_path):
    group = durability.GroupFlush(str(tmp_path))
    system.seconds, system.fails_with = 0.1, errno.EIO
    told = []

    def flush():
        try:
            group.flush(deadline=time.monotonic() + 20)
        except OSError as error:
            told.append(error.errno)

    threads = [threading.Thread(target=flush) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [errno.EIO] * 6


def test_a_disk_that_stands_still_holds_up_no_request(mia, sent, system):
    uploads = [sent(name=f"{number}.bin")[0] for number in range(4)]
    system.may_go_on.clear()
    took = []
    for upload in uploads:
        begun = time.monotonic()
        assert mia.commit_once(upload).status_code == 202
        took.append(time.monotonic() - begun)
    assert took[0] < 3 * durability.STALL_SECONDS
    assert sorted(took[1:])[1] < 0.9 * durability.STALL_SECONDS, "who comes while it stands still is told at once"
    system.may_go_on.set()
    assert [mia.commit(upload).status_code for upload in uploads] == [201] * 4


def test_a_worker_waits_for_the_disk(system):
    system.seconds = durability.STALL_SECONDS + 0.3
    with background():
        durability.flush(None)
    assert system.flushes == 1


def test_a_store_that_is_durable_by_itself_is_not_flushed(mia, sent, system, settings):
    settings.BITVAULT_STORE_DISK = {"directory": "", "floor_bytes": 0}
    upload, _ = sent()
    assert mia.commit_once(upload).status_code == 201
    assert system.flushes == 0


def test_the_system_flushes_a_real_folder_and_a_missing_one_is_no_acknowledgement(settings, tmp_path):
    folder = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    durability.sync_file_system(folder)
    os.close(folder)
    with pytest.raises(OSError, match="Bad file descriptor"):
        durability.sync_file_system(folder)
    settings.BITVAULT_STORE_DISK = {"directory": str(tmp_path / "missing"), "floor_bytes": 0}
    with pytest.raises(StoreUnavailable):
        durability.flush(None)


def test_nothing_is_flushed_inside_a_transaction(tenant, system):
    with db.write_transaction(), pytest.raises(db.OutsideWorldInTransaction):
        durability.flush(None)


# --- another boot ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def power_cut(monkeypatch):
    """Start the machine anew, as far as anybody here can tell."""

    def cut():
        boot_id = uuid4()
        monkeypatch.setattr(durability, "_read_boot_id", lambda: boot_id)

    return cut


@pytest.mark.parametrize("size", [30, PART + 30])
def test_parts_from_before_a_power_cut_are_sent_again(mia, sent, system, power_cut, size):
    upload, content = sent(size)
    power_cut()
    assert mia.api.get(f"/uploads/{upload['id']}").json()["parts"] == []
    refused = mia.commit_once(upload)
    missing = list(range(1, upload["part_count"] + 1))
    assert (refused.status_code, refused.json()["missing_parts"]) == (409, missing)
    again = mia.sign(upload, content, missing)
    for part in again:
        assert put(part, content[(part["number"] - 1) * PART :][: part["size_bytes"]]).status == 200
    done = mia.commit_once(upload)
    assert done.status_code == 201
    assert mia.fetch(done.json()).data == content


def test_parts_from_before_a_power_cut_do_not_stand_beside_new_ones(mia, sent, system, power_cut):
    upload, content = sent(PART + 30)
    power_cut()
    (part,) = mia.sign(upload, content, [2])
    assert put(part, content[PART:]).status == 200
    refused = mia.commit_once(upload)
    assert (refused.status_code, refused.json()["missing_parts"]) == (409, [1])


def test_an_object_that_was_put_together_before_a_power_cut_and_not_flushed_is_not_taken(mia, sent, system, power_cut):
    upload, _ = sent(PART + 30)
    system.fails_with = errno.EIO
    assert mia.commit_once(upload).status_code == 503
    system.fails_with = 0
    power_cut()
    refused = mia.commit_once(upload)
    assert (refused.status_code, refused.json()["missing_parts"]) == (409, [1, 2])


def test_known_content_needs_no_bytes_after_a_power_cut_either(mia, sent, system, power_cut):
    upload, content = sent()
    assert mia.commit_once(upload).status_code == 201
    second = mia.started("second.bin", content)
    power_cut()
    assert mia.commit_once(second).status_code == 201


def test_a_verified_upload_is_committed_after_a_power_cut(mia, sent, system, power_cut, monkeypatch):
    from apps.files import api as files

    upload, content = sent()

    def die(**_):
        raise SystemExit

    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(files, "commit_upload", die)
        mia.commit_once(upload)
    power_cut()
    answer = mia.commit_once(upload)
    assert answer.status_code == 201
    assert mia.fetch(answer.json()).data == content
