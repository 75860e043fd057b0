"""A whole backup is taken while everybody works, is killed in the middle and gone on with, and is restored elsewhere as it was."""

import os
import subprocess
import sys
import time

import pytest

from apps.identity.models import Session
from apps.storage import provider
from apps.storage.models import Blob, BlobState
from apps.storage.operations import collecting, references
from bitvault.backup import checking, manifest, restoring, runs, taking
from bitvault.backup.errors import BackupError
from bitvault.events import consuming
from bitvault.kernel import db, tenancy
from bitvault.stack.layout import ROOT
from tests.backup.conftest import Consumers, Writer, at_work, audit_up_to, is_charged, names_in

pytestmark = [pytest.mark.store, pytest.mark.committed]

COLLECTING_SECONDS = 60.0
KILLED_AT = 12

PROGRAM = """
import os, signal, sys, django
django.setup()
from bitvault.backup import taking
from bitvault.backup.configured import open_configured

def report(what, done, total):
    if what == "objects" and done >= int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)

taking.take(open_configured(sys.argv[1], writes=True), report=report)
"""


def take_and_die(target, bucket):
    """Take a backup in a process that is killed when it has copied some objects."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, target.name, str(KILLED_AT)],
        cwd=ROOT,
        env={**os.environ, "BITVAULT_S3_BUCKET": bucket},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -9, done.stderr.decode()[-2000:]


def collect(tenant):
    with tenancy.entered(tenant):
        consuming.consume(references.CONSUMER)
        return collecting.collect()


def collections(tenant):
    """Collect again and again, since consumers may not have read yet what was purged; gives what each did."""
    end = time.monotonic() + COLLECTING_SECONDS
    while time.monotonic() < end:
        time.sleep(0.1)
        yield collect(tenant)
    pytest.fail("what was purged is not collected")


def condemned_keys(tenant):
    with tenancy.entered(tenant), db.read_transaction():
        return list(Blob.objects.filter(state=BlobState.CONDEMNED).values_list("key", flat=True))


def test_a_backup_under_load_survives_a_kill_and_is_restored_as_it_was(
    api, acme, beta, bucket, settings, target, elsewhere
):
    settings.BITVAULT_COLLECTION = {"grace_seconds": 0, "wait_seconds": 0}
    mia, olga, boris = (Writer(api(name), f"of {name}") for name in ("mia", "olga", "boris"))
    mia.bring("large.bin", os.urandom(17 * 1024**2))
    doomed = [mia.bring(f"doomed-{number}.bin", os.urandom(100 + number)) for number in range(KILLED_AT)]
    device = api("mia").post("/sync/devices", {"name": "Laptop", "platform": "linux"}).json()
    consumers = Consumers([acme, beta])
    with at_work(consumers, olga, boris):
        take_and_die(target, bucket)
        (begun,) = manifest.list_ids(target)
        assert manifest.list_finished(target) == []
        # What the snapshot names goes away meanwhile; its bytes must not.
        for node in doomed:
            assert api("mia").delete(f"/nodes/{node['id']}").status_code == 204
            assert api("mia").delete(f"/trash/{node['id']}").status_code == 204
        condemned = 0
        for counted in collections(acme):
            condemned += counted.get("condemned", 0)
            if condemned >= len(doomed):
                break
        assert any(counted.get("held_back", 0) >= len(doomed) for counted in collections(acme))
        keys = condemned_keys(acme)
        assert all(provider.store().find_object(key) for key in keys)
        taken = taking.take(target, keep=3)
    assert taken.id == begun
    assert taken.lost_count == 0
    assert 0 < taken.copied_count <= taken.object_count - KILLED_AT + taking.COPIES_AT_ONCE
    assert list(checking.verify(target, taken)) == []
    assert runs.find_last().object_count == taken.object_count
    # The hold is over with the backup.
    assert collect(acme)["removed"] >= len(doomed)
    assert not any(provider.store().find_object(key) for key in keys)

    seqs = {tenant.id: tenant.seq for tenant in taken.tenants}
    chains = {tenant.id: audit_up_to(tenant, seqs[tenant.id]) for tenant in (acme, beta)}
    assert olga.states[-1][0] > seqs[acme.id], "work has gone on while the backup was taken"
    with elsewhere():
        brought, proofs = restoring.restore(target, taken)
        assert [proof.wrong for proof in proofs] == [[], []]
        assert brought.written_count == taken.object_count
        for writer, tenant in ((mia, acme), (olga, acme), (boris, beta)):
            names, _ = writer.at(seqs[tenant.id])
            assert names_in(writer.api, writer.folder_id) == names
        assert is_charged(acme, sum(writer.at(seqs[acme.id])[1] for writer in (mia, olga)))
        assert is_charged(beta, boris.at(seqs[beta.id])[1])
        for tenant in (acme, beta):
            assert audit_up_to(tenant, seqs[tenant.id]) == chains[tenant.id]
        assert not Session.objects.exists()
        # Devices have seen what never was: they take a fresh snapshot and go on from there.
        assert api("mia").get("/sync/changes", cursor=device["cursor"]).status_code == 410
        page = api("mia").get("/sync/snapshot", device_id=device["id"], limit="1000").json()
        assert {item["name"] for item in page["items"]} >= set(mia.at(seqs[acme.id])[0])
        mia.bring("afterwards.bin", b"new")
        with pytest.raises(BackupError, match="tenants or people"):
            restoring.restore(target, taken, discards_demo=True)
        assert names_in(boris.api, boris.folder_id) == boris.at(seqs[beta.id])[0]
