"""One tenant goes back to where it was, beside others who go on working."""

import os

import msgspec
import pytest
from django.core.management import CommandError, call_command

from apps.identity import queries
from apps.identity.models import Domain, Tenant
from apps.storage import provider
from bitvault.backup import database, restoring_tenant, swapping, taking
from bitvault.backup.errors import BackupError
from bitvault.backup.manifest import TableFacts
from bitvault.events.models import StreamEvent, StreamHead
from tests.backup.conftest import Writer, names_in
from tests.support.sending import content_hash
from tests.support.world import ACME

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    """No other process has to be waited for."""
    monkeypatch.setattr(restoring_tenant, "SUSPENDED_SECONDS", 0.0)


@pytest.fixture
def people(api, bucket):
    mia, boris = (Writer(api(name), f"of {name}") for name in ("mia", "boris"))
    mia.bring("kept.bin", os.urandom(3000))
    mia.bring("large.bin", os.urandom(9 * 1024**2))
    boris.bring("his.bin", b"his")
    return mia, boris


def head_of(tenant):
    return StreamHead.objects.get(tenant_id=tenant.id).last_seq


def forget(acme):
    """Delete a tenant as if it had never been, but for accounts."""
    with database.connect() as line, line.transaction():
        line.execute("SET CONSTRAINTS ALL DEFERRED")
        line.execute(
            "DELETE FROM identity_group_member WHERE group_id IN (SELECT id FROM identity_group WHERE tenant_id = %s)",
            [acme.id],
        )
        for (table,) in line.execute(swapping._OF_TENANT).fetchall():
            line.execute(f"DELETE FROM public.{table} WHERE tenant_id = %s", [acme.id])
        line.execute("DELETE FROM identity_tenant WHERE id = %s", [acme.id])
        line.execute(f'DROP SCHEMA "{acme.schema}" CASCADE')
    provider.store().delete_objects(provider.store().list_keys(f"{acme.id.hex}/"))
    queries.forget_remembered()


def test_a_tenant_goes_back_and_nobody_else_does(api, acme, beta, people, target):
    mia, boris = people
    device = api("mia").post("/sync/devices", {"name": "Laptop", "platform": "linux"}).json()
    taken = taking.take(target)
    before = dict(mia.names)
    node = mia.bring("later.bin", b"later")
    (kept,) = (
        each
        for each in api("mia").get(f"/nodes/{mia.folder_id}/children").json()["items"]
        if each["name"] == "kept.bin"
    )
    assert api("mia").delete(f"/nodes/{kept['id']}").status_code == 204
    boris.bring("also later.bin", b"his too")
    # Somebody is let out after the backup.
    vera = next(each for each in api("olga").get("/members").json()["items"] if each["role"] == "viewer")
    answer = api("olga").delete(f"/members/{vera['id']}", successor_id=str(ACME.people["olga"].user_id))
    assert answer.status_code < 300, answer.content
    assert api("vera").get("/me").status_code == 401

    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", target.name, tenant="acme")
    assert names_in(api("mia"), mia.folder_id)["later.bin"] == content_hash(b"later")
    call_command("restore", target.name, tenant="acme", replace=True)

    assert names_in(api("mia"), mia.folder_id) == before
    assert api("mia").get(f"/nodes/{node['id']}").status_code == 404
    assert names_in(api("boris"), boris.folder_id) == boris.names
    assert api("vera").get("/me").status_code == 401
    assert api("mia").get("/sync/changes", cursor=device["cursor"]).status_code == 410
    seq = next(each.seq for each in taken.tenants if each.id == acme.id)
    told = StreamEvent.objects.get(tenant_id=acme.id, type="events.backup.restored.v1")
    assert (told.seq, told.payload["backup_id"]) == (seq + 1, taken.id)
    mia.bring("after.bin", b"after")
    assert api("olga").get("/audit/verify").json()["intact"]


def test_a_tenant_that_is_gone_comes_back_with_its_people(api, acme, beta, people, target):
    mia, boris = people
    taken = taking.take(target)
    forget(acme)
    assert api("mia").get("/me").status_code == 401
    _, proof = restoring_tenant.restore(target, taken, slug="acme", replaces=False)
    assert proof.wrong == []
    queries.forget_remembered()
    assert names_in(api("mia"), mia.folder_id) == mia.names
    assert names_in(api("boris"), boris.folder_id) == boris.names
    assert Domain.objects.filter(tenant_id=acme.id).count() == 1


def test_a_restore_that_fails_leaves_the_tenant_as_it_is(api, acme, people, target):
    mia, _ = people
    taken = taking.take(target)
    mia.bring("later.bin", b"later")
    wrong = [
        msgspec.structs.replace(each, tables={**each.tables, "files_node": TableFacts(rows=1, digest="1")})
        for each in taken.tenants
    ]
    with pytest.raises(BackupError, match="files_node"):
        restoring_tenant.restore(target, msgspec.structs.replace(taken, tenants=wrong), slug="acme", replaces=True)
    assert Tenant.objects.get(id=acme.id).state == "active"
    assert names_in(api("mia"), mia.folder_id) == mia.names
    with pytest.raises(BackupError, match="no tenant elsewhere"):
        restoring_tenant.restore(target, taken, slug="elsewhere", replaces=True)


def test_a_restore_that_was_killed_is_taken_back_by_the_next(api, acme, people, target, monkeypatch):
    mia, _ = people
    taken = taking.take(target)
    mia.bring("later.bin", b"later")

    class Killed(BaseException):
        """The process is no more."""

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(swapping, "swap", die)
        patch.setattr(restoring_tenant, "_take_back", lambda *_: None)
        patch.setattr(restoring_tenant.identity, "activate_tenant", lambda **_: None)
        with pytest.raises(Killed):
            restoring_tenant.restore(target, taken, slug="acme", replaces=True)
    assert Tenant.objects.get(id=acme.id).state == "suspended"
    _, proof = restoring_tenant.restore(target, taken, slug="acme", replaces=True)
    assert proof.wrong == []
    assert Tenant.objects.get(id=acme.id).state == "active"
    assert "later.bin" not in names_in(api("mia"), mia.folder_id)
