"""Room on the embedded store's disk is judged before bytes move, and a disk that is full all the same is told as such.

Only the system's answer about the disk is made up.
"""

import os
from dataclasses import dataclass, replace

import pytest

from apps.storage import api as storage
from apps.storage import calls, disk, durability, provider
from bitvault.web import valkey
from tests.support import lesser_store
from tests.support.lesser_store import Answer
from tests.support.sending import PART, Sender, sha256

pytestmark = pytest.mark.store

MIB = 1024 * 1024
FLOOR = 400 * MIB


@dataclass(frozen=True)
class Found:
    f_bavail: int
    f_frsize: int = 4096


class Disk:
    """What the system says of the store's disk, and how often it was asked."""

    def __init__(self):
        self.free_mib = 1000.0
        self.looks = 0

    def look(self, _):
        self.looks += 1
        return Found(int(self.free_mib * 256))

    def syncfs(self, _):
        return 0


@pytest.fixture
def machine(settings, monkeypatch, tmp_path):
    settings.BITVAULT_STORE_DISK = {"directory": str(tmp_path), "floor_bytes": FLOOR}
    monkeypatch.setattr(disk, "MEASURE_SECONDS", 0.0)
    monkeypatch.setattr(disk, "_KEY", f"public:storage:announced:{tmp_path}")
    machine = Disk()
    monkeypatch.setattr(os, "statvfs", machine.look)
    monkeypatch.setattr(durability, "_libc", lambda: machine)
    yield machine
    valkey.client().delete(disk._KEY)


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def start(sender, size_bytes, name="file.bin"):
    return sender.api.post("/uploads", {"parent_id": sender.parent_id, "name": name, "size_bytes": size_bytes})


def room(sender):
    (quota,) = sender.api.get("/quotas").json()["items"]
    return quota["used_bytes"], quota["reserved_bytes"]


def is_refused(answer, *, free=None, needed=None):
    assert (answer.status_code, answer.json()["code"]) == (507, "storage.disk_full"), answer.content
    facts = answer.json()
    assert free is None or facts["free_bytes"] == free
    assert needed is None or facts["needed_bytes"] == needed
    return True


def test_a_file_that_would_take_the_last_room_is_refused_before_any_byte_moves(mia, machine):
    machine.free_mib = 405
    assert start(mia, 5 * MIB, "fits.bin").status_code == 201
    assert is_refused(start(mia, 5 * MIB + 1), free=5 * MIB, needed=5 * MIB + 1)
    assert room(mia) == (0, 5 * MIB), "what was refused reserves nothing"


def test_a_file_of_several_parts_needs_room_for_the_object_beside_its_parts(mia, machine):
    machine.free_mib = 400 + 2 * 100
    assert is_refused(start(mia, 100 * MIB + 1), needed=200 * MIB + 2)
    assert start(mia, 100 * MIB).status_code == 201


def test_what_is_on_its_way_counts_and_what_is_given_up_does_not(mia, machine):
    machine.free_mib = 400 + 2 * 150
    first = start(mia, 100 * MIB, "first.bin").json()
    assert is_refused(start(mia, 100 * MIB, "second.bin"), free=100 * MIB, needed=200 * MIB)
    assert mia.api.delete(f"/uploads/{first['id']}").status_code == 204
    assert start(mia, 100 * MIB, "second.bin").status_code == 201


def test_what_has_come_is_counted_by_the_disk_alone(mia, machine):
    mia.bring("first.bin", os.urandom(PART + 1))
    assert storage.find_disk_room().announced_bytes == 0


def test_what_signs_nothing_any_more_does_not_count(mia, machine, monkeypatch):
    machine.free_mib = 400 + 2 * 150
    monkeypatch.setattr(disk, "ANNOUNCED_SECONDS", -1)
    assert start(mia, 100 * MIB, "first.bin").status_code == 201
    assert start(mia, 100 * MIB, "second.bin").status_code == 201


def test_files_of_one_part_that_come_in_one_go_count(mia, machine, monkeypatch):
    monkeypatch.setattr(disk, "MEASURE_SECONDS", 60.0)
    machine.free_mib = 400 + 20
    answers = [start(mia, 8 * MIB, f"{number}.bin").status_code for number in range(4)]
    assert answers == [201, 201, 507, 507]


def test_known_content_needs_no_room(mia, machine):
    content = os.urandom(100)
    mia.bring("first.bin", content)
    machine.free_mib = 0
    second = mia.started("second.bin", content)
    assert mia.commit(second).status_code == 201


def test_the_disk_is_looked_at_once_a_second_at_most(mia, machine, monkeypatch):
    monkeypatch.setattr(disk, "MEASURE_SECONDS", 60.0)
    for number in range(5):
        assert start(mia, 10, f"{number}.bin").status_code == 201
    assert machine.looks == 1


def test_parts_find_room_when_they_are_signed_whatever_else_is_on_its_way(mia, machine):
    machine.free_mib = 400 + 100
    upload = start(mia, 20 * MIB).json()
    announced = {"parts": [{"number": 1, "sha256": "0" * 64}]}
    machine.free_mib = 400 + 8
    assert mia.api.post(f"/uploads/{upload['id']}/parts", announced).status_code == 200
    machine.free_mib = 400 + 7
    assert is_refused(mia.api.post(f"/uploads/{upload['id']}/parts", announced), free=7 * MIB, needed=8 * MIB)


def test_parts_that_a_full_disk_did_not_take_are_told_as_that(mia, machine):
    content = os.urandom(100)
    upload = mia.started("file.bin", content)
    machine.free_mib = 10
    assert is_refused(mia.commit(upload), free=0, needed=100)
    machine.free_mib = 1000
    assert mia.commit(upload).status_code == 409
    mia.send(upload, content)
    assert mia.commit(upload).status_code == 201


@pytest.mark.parametrize("status", [500, 507])
def test_a_store_that_fails_on_a_full_disk_is_a_full_disk(mia, machine, monkeypatch, status):
    content = os.urandom(PART + 1)
    upload = mia.started("file.bin", content)
    mia.send(upload, content)
    with lesser_store.running() as lesser, monkeypatch.context() as patch:
        failing = Answer(
            status, (("Content-Type", "application/xml"),), b"<Error><Code>InsufficientStorage</Code></Error>"
        )
        lesser.behaviour = lambda asked, forward: failing if asked.method == "POST" else forward()
        lesser.store.patience = replace(calls.OF_REQUESTS)
        patch.setattr(provider, "store", lambda: lesser.store)
        machine.free_mib = 401
        assert is_refused(mia.commit(upload), free=MIB, needed=PART + 1)
    machine.free_mib = 1000
    assert mia.commit(upload).status_code == 201


def test_who_asks_is_told_of_the_room_and_of_none_where_the_store_is_elsewhere(machine, settings):
    machine.free_mib = 401
    found = storage.find_disk_room()
    assert (found.free_bytes, found.floor_bytes, found.is_low) == (401 * MIB, FLOOR, False)
    machine.free_mib = 400
    assert storage.find_disk_room().is_low
    settings.BITVAULT_STORE_DISK = {"directory": "", "floor_bytes": FLOOR}
    assert storage.find_disk_room() is None


def test_a_store_elsewhere_is_not_judged_by_this_disk(mia, machine, settings):
    machine.free_mib = 0
    settings.BITVAULT_STORE_DISK = {"directory": "", "floor_bytes": FLOOR}
    upload = mia.started("file.bin", b"1")
    assert upload["parts"][0]["sha256"] == sha256(b"1")
    assert machine.looks == 0
