"""A restore that is killed at any of its steps and begun again ends as one that was never interrupted: the same tree, bytes and audit log."""

import json
import os
import subprocess
import sys

import pytest

from apps.identity.models import Session, Tenant
from bitvault.backup import database, manifest, restoring_tenant, taking
from bitvault.events import operating
from bitvault.events.models import StreamEvent
from bitvault.kernel import tenancy
from bitvault.stack.layout import ROOT
from tests.backup.conftest import Writer, audit_up_to, names_in, used_bytes

pytestmark = [pytest.mark.store, pytest.mark.committed]

# Loads everything once, and forks for each restore: one line of input says at which step it dies (0: at none), one of output how it ended.
PROGRAM = """
import json, os, signal, sys, django
django.setup()
from apps.identity import api as identity
from bitvault.backup import arriving, checking, manifest, restoring, restoring_tenant, runs, swapping
from bitvault.backup.configured import open_configured

WHOLE = [(checking, "require_files"), (identity, "prepare_restore"), (arriving, "load_schema"), (arriving, "bring_objects"),
    (restoring, "_load_public"), (restoring, "call_command"), (identity, "end_all_sessions"), (runs, "end_interrupted"),
    (arriving, "settle"), (arriving, "prove")]
ONE = [(checking, "require_files"), (arriving, "bring_objects"), (identity, "prepare_restore"), (identity, "suspend_tenant"),
    (arriving, "load_schema"), (swapping, "swap"), (restoring_tenant, "call_command"), (arriving, "settle"),
    (identity, "activate_tenant"), (arriving, "prove")]
arguments = json.loads(sys.argv[1])
restoring_tenant.SUSPENDED_SECONDS = 0.0

def live(die_at, told):
    steps = []
    def reach(name):
        steps.append(name)
        if len(steps) == die_at:
            os.write(told, json.dumps(steps).encode())
            os.kill(os.getpid(), signal.SIGKILL)
    def around(owner, name):
        real = getattr(owner, name)
        def call(*args, **kwargs):
            answer = real(*args, **kwargs)
            reach(name)
            return answer
        setattr(owner, name, call)
    for owner, name in ONE if arguments["tenant"] else WHOLE:
        around(owner, name)
    target = open_configured(arguments["target"], writes=False)
    taken = manifest.get(target, None)
    if arguments["tenant"]:
        proofs = [restoring_tenant.restore(target, taken, slug=arguments["tenant"], replaces=True)[1]]
    else:
        proofs = restoring.restore(target, taken)[1]
    assert [proof.wrong for proof in proofs] == [[] for _ in proofs], proofs
    os.write(told, json.dumps(steps).encode())

for line in sys.stdin:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            live(int(line), writing)
            code = 0
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        steps = pipe.read()
    print(json.dumps([os.waitpid(child, 0)[1], json.loads(steps or "[]")]), flush=True)
"""


class Restorer:
    """Restores in processes of their own."""

    def __init__(self, target, bucket, tenant=None):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, json.dumps({"target": target.name, "tenant": tenant})],
            cwd=ROOT,
            env={**os.environ, "BITVAULT_S3_BUCKET": bucket},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, die_at):
        self.process.stdin.write(f"{die_at}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def die_at_each_step(self):
        """Restore again and again, each time one step further on what the one before has left; then to the end."""
        killed = 0
        while (ended := self.run(killed + 1))[0] == 9:
            killed += 1
        assert (ended[0], len(ended[1])) == (0, killed), ended
        return ended[1]

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        self.process.stdout.close()


def test_a_whole_restore_may_die_at_each_step_and_is_begun_again(api, acme, beta, bucket, target, elsewhere, settings):
    mia, boris = (Writer(api(name), f"of {name}") for name in ("mia", "boris"))
    for writer in (mia, boris):
        for turn in range(6):
            writer.act(turn)
    mia.bring("large.bin", os.urandom(9 * 1024**2))
    for tenant in (acme, beta):
        with tenancy.entered(tenant):
            assert operating.catch_up()
    taken = taking.take(target)
    seqs = {tenant.id: tenant.seq for tenant in taken.tenants}
    chains = {tenant.id: audit_up_to(tenant, seqs[tenant.id]) for tenant in (acme, beta)}
    with elsewhere():
        restorer = Restorer(target, settings.BITVAULT_STORE["bucket"])
        steps = restorer.die_at_each_step()
        restorer.close()
        assert {"bring_objects", "_load_public", "end_all_sessions", "settle"} <= set(steps)
        for writer, tenant in ((mia, acme), (boris, beta)):
            assert names_in(writer.api, writer.folder_id) == writer.names
            assert used_bytes(tenant) == writer.brought
            assert audit_up_to(tenant, seqs[tenant.id]) == chains[tenant.id]
            # The restore is told of once, however often it was begun.
            told = StreamEvent.objects.get(tenant_id=tenant.id, type="events.backup.restored.v1")
            assert told.seq == seqs[tenant.id] + 1
        assert not Session.objects.exists()
        with database.connect() as line:
            assert line.execute("SELECT to_regnamespace('bitvault_restore')").fetchone() == (None,)
        mia.bring("afterwards.bin", b"new")
        assert api("olga").get("/audit/verify").json()["intact"]


def test_a_restore_of_one_tenant_may_die_at_each_step_and_lets_people_in_again(api, acme, bucket, target, settings):
    mia = Writer(api("mia"), "of mia")
    for turn in range(6):
        mia.act(turn)
    taking.take(target)
    before = dict(mia.names)
    mia.bring("later.bin", b"later")
    restorer = Restorer(target, settings.BITVAULT_STORE["bucket"], tenant="acme")
    steps = restorer.die_at_each_step()
    restorer.close()
    assert {"swap", "settle", "activate_tenant"} <= set(steps)
    assert Tenant.objects.get(id=acme.id).state == "active"
    assert names_in(api("mia"), mia.folder_id) == before
    assert api("olga").get("/audit/verify").json()["intact"]
    with pytest.raises(restoring_tenant.BackupError, match="acme is here"):
        restoring_tenant.restore(target, manifest.get(target, None), slug="acme", replaces=False)
