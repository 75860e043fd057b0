"""The end of a tenant: wished by an owner or an operator, taken back or carried out, step by step, whoever is killed in the middle."""

from datetime import timedelta

import pytest
from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import connection
from django.test import Client

from apps.identity import api as identity
from apps.identity import deletions, models, queries
from apps.storage import api as storage
from apps.storage.provider import store
from bitvault.gateway import removing_tenants
from bitvault.kernel import clock, tenancy
from bitvault.kernel.models import PublicModel
from tests.apps.identity.posting import deliver
from tests.support.client import ApiClient
from tests.support.own_bucket import own_bucket
from tests.support.sending import Sender
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.committed


@pytest.fixture(autouse=True)
def _bucket(settings):
    """What is deleted here are all objects of a tenant: those of tests beside it are not to be among them."""
    with own_bucket(settings):
        yield


@pytest.fixture(autouse=True)
def _forget():
    yield
    queries.forget_remembered()
    deletions.forget_remembered()


def ask(name):
    return ApiClient(token=ACME.people[name].token, raise_request_exception=False)


def enter(name):
    browser = Client(headers={"host": "acme.localhost"})
    assert browser.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD}).status_code == 302
    return browser


def request_deletion(name="olga", vault="Acme"):
    return ask(name).post("/tenant/deletion", {"name": vault})


def run_later(days):
    with clock.fixed_at(clock.now() + timedelta(days=days)):
        removing_tenants.remove_tenants()


def run_until_done(days=15):
    """Close the tenant, and carry the deletion out when addresses that were signed before are over."""
    run_later(days)
    run_later(days + 0.1)


def rows_left(tenant):
    """Tell in which tables of all tenants something of a tenant is left."""
    left = set()
    for table in apps.get_models():
        if not issubclass(table, PublicModel) or table is models.TenantDeletion:
            continue
        try:
            table._meta.get_field("tenant_id")
        except FieldDoesNotExist:
            try:
                table._meta.get_field("tenant")
            except FieldDoesNotExist:
                continue
        if table.objects.filter(tenant_id=tenant.id).exists():
            left.add(table._meta.label)
    if models.Tenant.objects.filter(pk=tenant.id).exists():
        left.add("identity.Tenant")
    return left


def has(catalogue, name):
    with connection.cursor() as cursor:
        column = {"pg_namespace": "nspname", "pg_roles": "rolname"}[catalogue]
        cursor.execute(f"SELECT count(*) FROM {catalogue} WHERE {column} = %s", [name])
        return cursor.fetchone()[0] == 1


def has_schema(tenant):
    return has("pg_namespace", tenant.schema)


def keys_of(tenant):
    with tenancy.entered(tenant):
        return store().list_keys(f"{tenant.id.hex}/")


def test_an_owner_who_types_the_name_has_the_vault_deleted_and_one_click_takes_it_back(api, acme, event_types):
    refused = request_deletion("adam")
    assert (refused.status_code, refused.json()["code"]) == (403, "identity.permission_missing")
    assert request_deletion(vault="acme").json()["code"] == "identity.name_differs"
    made = request_deletion()
    assert made.status_code == 201
    assert request_deletion().json()["code"] == "identity.deletion_pending"
    page = enter("mia").get("/settings/").content.decode()
    assert "vault-banner" in page, "everybody reads of it on every page"
    assert 'data-team="keep-vault"' not in page
    assert 'data-team="keep-vault"' in enter("olga").get("/settings/").content.decode()
    assert ask("mia").get("/nodes/root/children").status_code == 200, "everything works until then"
    with tenancy.entered(acme):
        told = {letter.to[0] for letter in deliver() if letter.subject == "Acme is to be deleted"}
    assert told == {"olga@acme.test", "adam@acme.test"}
    assert ask("adam").delete("/tenant/deletion").status_code == 403
    assert ask("olga").delete("/tenant/deletion").status_code == 204
    assert ask("olga").delete("/tenant/deletion").status_code == 404
    assert "vault-banner" not in enter("mia").get("/settings/").content.decode()
    with tenancy.entered(acme):
        told = {letter.to[0] for letter in deliver() if letter.subject == "Acme is not to be deleted any more"}
    assert told == {"olga@acme.test", "adam@acme.test"}
    run_until_done()
    assert identity.find_tenant(tenant_id=acme.id) is not None
    assert event_types(acme) == ["identity.tenant.deletion_requested.v1", "identity.tenant.deletion_withdrawn.v1"]


@pytest.fixture
def event_types():
    from bitvault.events.models import StreamEvent

    def read(tenant):
        rows = StreamEvent.objects.filter(tenant_id=tenant.id, type__startswith="identity.tenant.").order_by("seq")
        return list(rows.values_list("type", flat=True))

    return read


def test_when_its_time_has_come_nothing_of_it_is_left_and_others_notice_nothing(api, acme, beta, use_store):
    mia = ask("mia")
    root_id = mia.get("/me").json()["root_id"]
    Sender(mia, root_id).bring("a.txt", b"of a tenant that goes")
    boris = api("boris")
    theirs = Sender(boris, boris.get("/me").json()["root_id"]).bring("b.txt", b"of one that stays")
    assert ask("olga").put("/features/previews.engine", {"value": "none"}).status_code in (200, 422)
    assert keys_of(acme)
    request_deletion()
    run_later(13)
    assert identity.find_tenant(tenant_id=acme.id) is not None, "its time has not come"
    run_later(15)
    queries.forget_remembered()
    assert ask("olga").get("/me").status_code == 401
    assert keys_of(acme), "addresses that were signed before are good for some minutes yet"
    run_later(15.1)
    assert rows_left(acme) == set()
    assert not has_schema(acme)
    assert keys_of(acme) == []
    kept = models.TenantDeletion.objects.get(tenant_id=acme.id)
    assert (kept.state, kept.slug, kept.people_count) == ("done", "acme", len(ACME.people))
    assert boris.get(f"/nodes/{theirs['id']}").status_code == 200
    assert keys_of(beta)
    run_later(16)
    assert models.TenantDeletion.objects.get(tenant_id=acme.id).ended_at == kept.ended_at


@pytest.mark.parametrize("broken", [name for name, _ in removing_tenants.STEPS])
@pytest.mark.parametrize("when", ["before", "after"])
def test_who_is_killed_at_a_step_leaves_the_rest_to_the_next_run(api, acme, monkeypatch, broken, when):
    Sender(ask("mia"), ask("mia").get("/me").json()["root_id"]).bring("a.txt", b"something")
    request_deletion()
    run_later(15)
    steps = removing_tenants.STEPS

    def stumble(name, forget):
        def act(tenant_id):
            if when == "after":
                forget(tenant_id)
            raise RuntimeError(name)

        return act if name == broken else forget

    monkeypatch.setattr(removing_tenants, "STEPS", tuple((name, stumble(name, act)) for name, act in steps))
    run_later(15.1)
    assert models.TenantDeletion.objects.get(tenant_id=acme.id).state == "removing"
    monkeypatch.setattr(removing_tenants, "STEPS", steps)
    run_later(15.101)
    assert models.TenantDeletion.objects.get(tenant_id=acme.id).state == "removing", "another worker may be at it yet"
    run_later(15.2)
    assert rows_left(acme) == set()
    assert not has_schema(acme)
    assert keys_of(acme) == []


def test_the_role_of_a_schema_goes_with_it_unless_another_database_of_the_server_needs_it(acme):
    made = identity.create_tenant(slug="brief", name="Brief", owner_email="o@brief.test", owner_password=PASSWORD)
    schema = tenancy.schema_of(made.id)
    assert has("pg_roles", schema)
    for _ in range(2):
        identity.drop_tenant_schema(tenant_id=made.id)
        assert not has("pg_namespace", schema)
        assert not has("pg_roles", schema)


def test_many_objects_take_several_runs(api, acme, monkeypatch):
    for number in range(3):
        Sender(ask("mia"), ask("mia").get("/me").json()["root_id"]).bring(f"{number}.txt", b"%d" % number * 100)
    assert len(keys_of(acme)) == 3
    from apps.storage.operations import removing

    monkeypatch.setattr(removing, "DELETE_BATCH", 1)
    monkeypatch.setattr(removing_tenants, "OBJECTS_AT_ONCE", 2)
    request_deletion()
    run_until_done()
    assert len(keys_of(acme)) == 1
    assert has_schema(acme)
    run_later(15.2)
    assert keys_of(acme) == []
    assert not has_schema(acme)


def test_a_backup_that_is_being_taken_holds_its_objects_back(api, acme):
    Sender(ask("mia"), ask("mia").get("/me").json()["root_id"]).bring("a.txt", b"something")
    storage.hold_deletions(reason="a backup", lasts=timedelta(days=1))
    request_deletion()
    run_until_done()
    assert keys_of(acme)
    storage.release_holds(reason="a backup")
    run_later(15.2)
    assert keys_of(acme) == []
    assert not has_schema(acme)


@pytest.fixture
def operator():
    user = models.User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    return client


def press(operator, act, **form):
    page = "suspension" if act in ("suspend", "resume") else "deletion"
    answer = operator.post(f"/admin/deletions/{page}", {"q": "acme", "act": act, **form}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_operators_suspend_with_a_reason_and_resume(operator, acme):
    assert "Say why" in press(operator, "suspend", reason=" ")
    page = press(operator, "suspend", reason="Unpaid since May")
    assert "suspended: Unpaid since May" in page
    queries.forget_remembered()
    assert ask("olga").get("/me").status_code == 401
    assert "let in again" in press(operator, "resume")
    queries.forget_remembered()
    assert ask("olga").get("/me").status_code == 200
    assert models.Tenant.objects.get(pk=acme.id).suspended_for == ""


def test_operators_see_what_a_deletion_takes_before_they_ask_for_it(operator, acme):
    Sender(ask("mia"), ask("mia").get("/me").json()["root_id"]).bring("a.txt", b"something")
    page = operator.get("/admin/deletions/?q=acme").content.decode()
    assert f"{len(ACME.people)} (their accounts stay)" in page
    assert "There is no tenant nothing" in operator.get("/admin/deletions/?q=nothing").content.decode()
    assert "Say why" in press(operator, "delete", slug="acme")
    assert "not the name" in press(operator, "delete", slug="acmee", reason="Asked by letter")
    assert "The deletion waits" in press(operator, "delete", slug="acme", reason="Asked by letter")
    assert "Asked by letter" in operator.get("/admin/deletions/").content.decode()
    assert ask("olga").delete("/tenant/deletion").status_code == 204, "an owner takes back what operators wished, too"
    press(operator, "delete", slug="acme", reason="Again")
    assert "taken back" in press(operator, "keep")
    assert "no such action" in press(operator, "explode")


def test_the_page_of_operators_is_for_operators_alone(acme):
    stranger = Client(headers={"host": "admin.localhost"})
    assert stranger.get("/admin/deletions/?q=acme").status_code == 302
    assert (
        stranger.post("/admin/deletions/suspension", {"q": "acme", "act": "suspend", "reason": "x"}).status_code == 302
    )
    assert models.Tenant.objects.get(pk=acme.id).state == "active"
