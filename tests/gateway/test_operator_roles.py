"""Roles of operators: every page and action names what it needs, and each role gets what is written here, no more and no less."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.admin.sites import site
from django.contrib.auth.models import Group, Permission
from django.test import Client

from apps.identity import models, operator_roles
from bitvault.kernel.ids import uuid7
from tests.support.routes import list_routes
from tests.support.world import ACME, PASSWORD

URLCONF = "bitvault.gateway.urls_operators"
PAGES = {
    "admin/figures": "identity.view_installation",
    "admin/doctor/": "identity.view_installation",
    "admin/tenants/": "identity.view_tenant",
    "admin/plans/": "billing.view_plan",
    "admin/plans/give": "billing.change_plan",
    "admin/plans/history/<slug:slug>": "billing.view_plan",
    "admin/statements/": "billing.view_plan",
    "admin/statements/<uuid:tenant_id>/<str:month>.pdf": "billing.view_plan",
    "admin/stream/": "events.view_deadletter",
    "admin/stream/act": "events.change_deadletter",
    "admin/search/": "events.view_deadletter",
    "admin/search/build": "events.change_deadletter",
    "admin/search/read-again": "events.change_deadletter",
    "admin/placement/": "storage.view_placement",
    "admin/placement/place": "storage.change_placement",
    "admin/placement/<uuid:tenant_id>/": "storage.view_placement",
    "admin/placement/<uuid:tenant_id>/move": "storage.change_placement",
    "admin/uploads/": "storage.view_sweep",
    "admin/uploads/<uuid:tenant_id>/": "storage.view_sweep",
    "admin/uploads/<uuid:tenant_id>/cancel": "storage.change_sweep",
    "admin/payment/": "billing.view_plan",
    "admin/payment/act": "billing.change_plan",
    "admin/payment/notices/": "billing.view_plan",
    "admin/payment/notices/retry": "billing.change_plan",
    "admin/siem/": "admin_platform.view_config",
    "admin/siem/act": "admin_platform.change_config",
    "admin/mails/": "jobs.view_job",
    "admin/mails/again": "jobs.change_job",
    "admin/impersonations/": "identity.impersonate",
    "admin/impersonations/begin": "identity.impersonate",
    "admin/impersonations/end": "identity.impersonate",
    "admin/deletions/": "identity.view_tenant",
    "admin/deletions/suspension": "identity.suspend_tenant",
    "admin/deletions/deletion": "identity.delete_tenant",
}
UNGUARDED = {"/", "healthz", "readyz", "beatz", "metrics", "admin/"}
"""Pages that are everybody's or have guards of their own: health, and the index, which shows figures to who may see them."""
ADMIN_ITSELF = ("login/", "logout/", "password_change/", "password_change/done/", "autocomplete/", "jsi18n/", "")
FIGURES = {
    *("identity.view_installation", "identity.view_tenant", "identity.view_domain"),
    *("storage.view_placement", "storage.view_store"),
    *("storage.view_provider", "storage.view_storefinding", "storage.view_storerun", "storage.view_sweep"),
    *("events.view_deadletter", "events.view_pausedconsumer", "jobs.view_job", "jobs.view_pausedkind"),
    "backup.view_backuprun",
}
ALLOWED = {
    "support": {
        *FIGURES,
        *("identity.view_user", "identity.view_membership", "identity.view_session", "identity.view_apitoken"),
        "identity.suspend_tenant",
        "identity.impersonate",
    },
    "billing": {
        *("identity.view_tenant", "billing.view_plan", "billing.view_planversion"),
        *("billing.add_plan", "billing.change_plan"),
    },
    "read_only": {
        *FIGURES,
        *("billing.view_plan", "billing.view_planversion", "admin_platform.view_flag", "admin_platform.view_config"),
        *("admin_platform.view_flagversion", "admin_platform.view_configversion", "admin.view_logentry"),
    },
    "nobody": set(),
}
"""What operators of each role have, as it was decided; the catalogue is held against it."""


def sign_in(role):
    person = models.User.objects.create_superuser(email=f"{role}@operators.test", password=PASSWORD)
    models.User.objects.filter(pk=person.pk).update(is_superuser=role == "full")
    if role not in ("full", "nobody"):
        person.groups.add(Group.objects.get(name=role))
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(person)
    client.person = person
    return client


@pytest.fixture
def as_role(db, acme, beta):
    return sign_in


def own_pages():
    return [route for route in list_routes(URLCONF) if getattr(route.callback, "operator_permission", None)]


def screens_of(route):
    """The screen of Django admin's that a route is of; ``None`` for what is none's."""
    found = re.match(r"admin/(\w+)/(\w+)/", str(route))
    return next(
        (
            one
            for model, one in site._registry.items()
            if found and (model._meta.app_label, model._meta.model_name) == found.groups()
        ),
        None,
    )


def test_every_page_of_operators_names_what_it_needs():
    assert {str(route): route.callback.operator_permission for route in own_pages()} == PAGES
    for route in list_routes(URLCONF):
        text = str(route)
        if text in PAGES or text in UNGUARDED or screens_of(route) is not None:
            continue
        rest = text.removeprefix("admin/")
        assert rest in ADMIN_ITSELF or rest.startswith(("r/", "^(?P<app_label>", "(?P<", "(.*)", "^")), text


def test_the_groups_are_as_the_catalogue_and_as_it_was_decided(db):
    assert {role.name for role in operator_roles.ROLES} == set(ALLOWED) - {"nobody"}
    for role in operator_roles.ROLES:
        held = Permission.objects.filter(group__name=role.name).values_list("content_type__app_label", "codename")
        assert {f"{label}.{codename}" for label, codename in held} == set(role.permissions) == ALLOWED[role.name]


def test_migrating_again_brings_groups_back_to_the_catalogue_and_leaves_others_alone(db):
    group = Group.objects.get(name="billing")
    group.permissions.add(Permission.objects.get(codename="delete_tenant"))
    own = Group.objects.create(name="made by hand")
    own.permissions.add(Permission.objects.get(codename="view_tenant"))
    operator_roles.ensure_groups()
    assert not group.permissions.filter(codename="delete_tenant").exists()
    assert own.permissions.count() == 1


@pytest.mark.parametrize("role", [*ALLOWED, "full"])
def test_each_page_lets_in_who_has_what_it_needs(as_role, role):
    client = as_role(role)
    for route in own_pages():
        path = route.path.replace("0000000000ff", str(ACME.id)[-12:]) if "uuid" in str(route) else route.path
        needs = PAGES[str(route)]
        may = role == "full" or needs in ALLOWED[role]
        for method in ("get", "post"):
            answer = getattr(client, method)(path, {"tenant_id": uuid7(), "q": "nothing"})
            assert (answer.status_code != 403) is may, (role, method, path, answer.status_code)
    strangers = Client(headers={"host": "admin.localhost"})
    assert {strangers.get(route.path).status_code for route in own_pages()} == {302}


@pytest.mark.parametrize("role", [*ALLOWED, "full"])
def test_each_screen_shows_adds_changes_and_deletes_for_who_may(as_role, role):
    client = as_role(role)
    for model, screen in site._registry.items():
        label, name = model._meta.app_label, model._meta.model_name
        may = {verb: role == "full" or f"{label}.{verb}_{name}" in ALLOWED[role] for verb in ("view", "add", "change")}
        seen = client.get(f"/admin/{label}/{name}/")
        if role == "full" or may["view"] or not may["change"]:
            assert (seen.status_code == 200) is may["view"], (role, label, name, seen.status_code)
        added = client.get(f"/admin/{label}/{name}/add/").status_code
        assert added in ((200, 403) if may["add"] else (403,)), (role, label, name)
        if role != "full":
            row = model._default_manager.order_by("pk").first()
            if row is not None:
                assert client.post(f"/admin/{label}/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
                if not may["change"]:
                    assert client.post(f"/admin/{label}/{name}/{row.pk}/change/", {}).status_code == 403
            if not may["change"] and not may["add"]:
                shown = seen.content.decode() if seen.status_code == 200 else ""
                assert 'name="action"' not in shown, (role, label, name)
        assert screen is not None


@pytest.mark.parametrize("role", ["support", "billing", "read_only"])
def test_the_frame_offers_what_the_role_may_open_and_nothing_else(as_role, role):
    client = as_role(role)
    page = client.get("/admin/").content.decode()
    links = set(re.findall(r'href="(/admin/[^"?]*)"', page)) - {"/admin/password_change/"}
    assert "/admin/tenants/" in links
    assert ("/admin/plans/" in links) is (role != "support")
    assert ("data-overview" in page) is (role != "billing")
    for link in links:
        assert client.get(link).status_code == 200, (role, link)
    for path in ("/admin/tenants/", "/admin/deletions/?q=acme"):
        shown = client.get(path).content.decode()
        assert [
            link for link in re.findall(r'href="(/admin/[^"]*)"', shown) if client.get(link).status_code != 200
        ] == []


def test_support_suspends_and_lets_in_again_and_deletes_nothing(as_role, acme):
    client = as_role("support")
    shown = client.get("/admin/deletions/?q=acme").content.decode()
    assert 'value="suspend"' in shown
    assert 'value="delete"' not in shown
    client.post("/admin/deletions/suspension", {"q": "acme", "act": "suspend", "reason": "asked"})
    assert models.Tenant.objects.get(pk=acme.id).state == "suspended"
    assert (
        client.post(
            "/admin/deletions/suspension", {"q": "acme", "act": "delete", "slug": "acme", "reason": "x"}
        ).status_code
        == 302
    )
    assert not models.TenantDeletion.objects.exists()
    client.post("/admin/deletions/suspension", {"q": "acme", "act": "resume"})
    assert models.Tenant.objects.get(pk=acme.id).state == "active"


def test_who_only_looks_is_shown_no_button_that_changes(as_role):
    client = as_role("read_only")
    for path in ("/admin/stream/", "/admin/plans/", "/admin/search/", "/admin/uploads/", "/admin/deletions/?q=acme"):
        text = client.get(path).content.decode().replace('action="/admin/logout/"', "")
        body = text[text.index('id="content-main"') :]
        assert "csrfmiddlewaretoken" not in body, path


# --- giving roles ----------------------------------------------------------------------------------------------------------


def form(person, **more):
    return {
        "name": person.name,
        "is_active": "on",
        "new_password": "",
        "memberships-TOTAL_FORMS": 0,
        "memberships-INITIAL_FORMS": 0,
        **more,
    }


def test_full_operators_give_and_take_roles_and_the_journal_says_who_did(as_role):
    client, other = as_role("full"), as_role("nobody")
    path = f"/admin/identity/user/{other.person.pk}/change/"
    assert "Support: Looks at tenants" in client.get(path).content.decode()
    answer = client.post(path, form(other.person, is_staff="on", roles=["support"]), follow=True)
    assert answer.status_code == 200
    assert other.get("/admin/stream/").status_code == 200
    assert "Support" in client.get("/admin/identity/user/?q=nobody").content.decode()
    entry = LogEntry.objects.get(object_id=str(other.person.pk))
    assert (entry.user_id, entry.change_message) == (
        client.person.pk,
        "Rights of operators: signing in alone → support.",
    )
    client.post(path, form(other.person, is_staff="on", roles=["support"]))
    assert LogEntry.objects.filter(object_id=str(other.person.pk)).count() == 1, "nothing changed"
    client.post(path, form(other.person))
    assert other.get("/admin/stream/").status_code == 302
    assert not other.person.groups.exists()
    journal = client.get("/admin/admin/logentry/").content.decode()
    assert "Rights of operators: support → none." in journal
    assert "full@operators.test" in journal


def test_a_role_without_staff_status_and_a_group_of_another_kind_are_refused(as_role):
    client, other = as_role("full"), as_role("nobody")
    path = f"/admin/identity/user/{other.person.pk}/change/"
    own = Group.objects.create(name="made by hand")
    other.person.groups.add(own)
    assert "give staff status as well" in client.post(path, form(other.person, roles=["support"])).content.decode()
    answer = client.post(path, form(other.person, is_staff="on", roles=["made by hand"]))
    assert "Select a valid choice" in answer.content.decode()
    client.post(path, form(other.person, is_staff="on", roles=["support"]))
    assert set(other.person.groups.values_list("name", flat=True)) == {"support", "made by hand"}


@pytest.mark.parametrize("role", ["support", "billing", "read_only"])
def test_nobody_with_a_role_gives_themselves_another(as_role, role):
    client = as_role(role)
    path = f"/admin/identity/user/{client.person.pk}/change/"
    roles = [role.name for role in operator_roles.ROLES]
    answer = client.post(path, form(client.person, is_staff="on", is_superuser="on", roles=roles))
    assert answer.status_code == 403
    client.person.refresh_from_db()
    assert not client.person.is_superuser
    assert client.person.groups.count() == 1
