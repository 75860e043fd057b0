"""A vault that is in use, and another installation beside it."""

import hashlib
import threading
from contextlib import contextmanager

import pytest
from django.db import connection
from django.db.models import Sum

from apps.billing.models import TENANT_SCOPE, Quota, Reservation, ReservationState
from apps.identity import queries
from bitvault.backup.directories import DirectoryTarget
from bitvault.events import operating
from bitvault.kernel import db, tenancy
from tests.support import databases
from tests.support.own_bucket import own_bucket
from tests.support.sending import Sender, content_hash

PAUSE_SECONDS = 0.1


@pytest.fixture
def bucket(settings):
    """Users' bytes in a bucket of this test's own."""
    with own_bucket(settings) as name:
        yield name


@pytest.fixture
def target(tmp_path):
    return DirectoryTarget(tmp_path / "backups")


@pytest.fixture
def elsewhere(settings, worker_suffix):
    """Another installation, prepared and never migrated, in which the block works: ``with elsewhere(): …``."""

    @contextmanager
    def enter():
        with own_bucket(settings), databases.another(databases.PREPARED, f"bv_elsewhere_{worker_suffix}"):
            queries.forget_remembered()
            try:
                yield
            finally:
                queries.forget_remembered()

    return enter


class Writer(threading.Thread):
    """Somebody who brings, renames and trashes files in a folder of their own until told to stop, and knows what was when."""

    def __init__(self, api, folder):
        super().__init__(daemon=True)
        self.api, self.folder = api, folder
        self.ended, self.error = threading.Event(), None
        self.states: list[tuple[int, dict[str, str], int]] = []
        """After each act its number in the stream, the names in the folder with the hash of each, and all bytes that were brought."""
        self.names, self.brought = {}, 0
        answer = api.post("/folders", {"parent_id": api.get("/me").json()["root_id"], "name": folder})
        self.folder_id = answer.json()["id"]
        self.sender = Sender(api, self.folder_id)
        self._note(answer)

    def _note(self, answer):
        assert answer.status_code < 300, answer.content
        self.states.append((int(answer.headers["BitVault-Seq"]), dict(self.names), self.brought))

    def bring(self, name, content):
        upload = self.sender.started(name, content)
        self.sender.send(upload, content)
        answer = self.sender.commit(upload)
        self.names[name], self.brought = content_hash(content), self.brought + len(content)
        self._note(answer)
        return answer.json()

    def act(self, turn):
        content = hashlib.sha512(f"{self.folder}{turn}".encode()).digest() * (turn % 40)
        node = self.bring(f"{turn}.bin", content)
        if turn % 4 == 1:
            answer = self.api.patch(f"/nodes/{node['id']}", {"name": f"renamed-{turn}.bin"}, revision=node["revision"])
            self.names[f"renamed-{turn}.bin"] = self.names.pop(f"{turn}.bin")
            self._note(answer)
        if turn % 4 == 3:
            answer = self.api.delete(f"/nodes/{node['id']}")
            del self.names[f"{turn}.bin"]
            self._note(answer)

    def run(self):
        turn = 0
        try:
            while not self.ended.wait(PAUSE_SECONDS):
                self.act(turn)
                turn += 1
        except BaseException as error:  # noqa: BLE001 - told by `stop`
            self.error = error
        finally:
            connection.close()

    def stop(self):
        self.ended.set()
        self.join()
        if self.error is not None:
            raise self.error

    def at(self, seq):
        """Tell the names and how many bytes had been brought when the stream was at a number."""
        return [state for state in self.states if state[0] <= seq][-1][1:]


class Consumers(threading.Thread):
    """What workers do: the stream of these tenants is read as it grows."""

    def __init__(self, tenants):
        super().__init__(daemon=True)
        self.tenants, self.ended = tenants, threading.Event()

    def run(self):
        try:
            while not self.ended.wait(0.3):
                for tenant in self.tenants:
                    with tenancy.entered(tenant):
                        operating.catch_up()
        finally:
            connection.close()

    def stop(self):
        self.ended.set()
        self.join()


@contextmanager
def at_work(*threads):
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for thread in threads:
            thread.stop()


def names_in(api, folder_id):
    """List what a folder holds, each file with the hash that its bytes really have."""
    sender = Sender(api, folder_id)
    items = api.get(f"/nodes/{folder_id}/children", limit="1000").json()["items"]
    return {item["name"]: content_hash(sender.fetch(item).data) for item in items}


def audit_up_to(tenant, seq):
    """Read numbers and hashes of the audit log's entries for the events up to one."""
    from tests.apps.files.conftest import fetch

    with tenancy.entered(tenant):
        return fetch("SELECT seq, hash FROM admin_platform_audit_entry WHERE seq <= %s ORDER BY seq", [seq])


def used_bytes(tenant):
    with tenancy.entered(tenant), db.read_transaction():
        return Quota.objects.values_list("used_bytes", flat=True).get(scope=TENANT_SCOPE)


def is_charged(tenant, size_bytes):
    """Tell whether a tenant's quota counts these bytes: what is committed and not charged yet holds its reservation still."""
    used = used_bytes(tenant)
    with tenancy.entered(tenant), db.read_transaction():
        held = Reservation.objects.filter(state=ReservationState.HELD).aggregate(sum=Sum("size_bytes", default=0))[
            "sum"
        ]
    return used <= size_bytes <= used + held
