"""The operators' screens: on their own host, for operators only, without a secret on any of them."""

import re
from urllib.parse import urljoin, urlsplit

import pytest
from django.contrib.admin.sites import site
from django.db import connection
from django.test import Client

from apps.identity import api, credentials, models
from apps.identity.errors import InvalidToken
from apps.identity.operations import guesses
from apps.identity.roles import Choice
from bitvault.kernel.actor import Role
from bitvault.web import wakeups
from bitvault.web.wakeups import Bond, bond
from tests.support.world import ACME, PASSWORD, SECRET

SCREENS = ["tenant", "domain", "user", "membership", "apitoken", "session"]


@pytest.fixture
def operator(db, email):
    return models.User.objects.create_superuser(email=email, password=PASSWORD)


@pytest.fixture
def browser(db, address, settings):
    return Client(REMOTE_ADDR=address, HTTP_HOST=settings.BITVAULT_OPERATOR_HOST)


@pytest.fixture
def client(browser, operator):
    answer = log_in(browser, operator.email)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    return browser


def log_in(browser, email, password=PASSWORD, **more):
    return browser.post("/admin/login/?next=/admin/", {"username": email, "password": password, **more})


def act(client, screen, action, *rows):
    return client.post(
        f"/admin/identity/{screen}/", {"action": action, "_selected_action": [str(row) for row in rows]}, follow=True
    )


# --- who comes in ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["acme.localhost", "localhost", "127.0.0.1"])
def test_the_screens_are_on_the_operators_host_alone(client, host):
    for path in ("/admin/", "/admin/login/", "/admin/identity/user/"):
        assert client.get(path, headers={"host": host}).status_code == 404


def test_members_and_owners_are_no_operators(browser):
    answer = log_in(browser, ACME.people["olga"].email)
    assert answer.status_code == 200
    assert browser.get("/admin/identity/tenant/").status_code == 302


def test_wrong_passwords_are_counted_before_they_are_compared(browser, operator):
    for _ in range(guesses.PAIR.limit):
        assert "Too many" not in log_in(browser, operator.email, "wrong").content.decode()
    refused = log_in(browser, operator.email)
    assert refused.status_code == 200
    assert "Too many tries" in refused.content.decode()


def test_right_passwords_use_no_limit_up(browser, operator):
    for _ in range(guesses.PAIR.limit + 2):
        assert log_in(browser, operator.email).status_code == 302


def test_after_signing_in_only_own_paths_are_followed(browser, operator, settings):
    for target in ("//evil.test", "https:evil.test", "\\evil.test", "/\\evil.test", "https://evil.test/"):
        answer = browser.post(f"/admin/login/?next={target}", {"username": operator.email, "password": PASSWORD})
        assert answer.status_code == 302
        where = urlsplit(urljoin(f"http://{settings.BITVAULT_OPERATOR_HOST}/admin/login/", answer["Location"]))
        assert where.hostname == settings.BITVAULT_OPERATOR_HOST


def test_the_session_of_an_operator_is_kept_hashed_and_ends_with_the_password(client, operator):
    key = client.cookies["session"].value
    row = models.Session.objects.get(user=operator)
    assert key not in f"{row.session_key}{row.session_data}"
    operator.set_password("another sentence of my own")
    operator.save()
    assert client.get("/admin/").status_code == 302


def test_the_session_of_an_operator_is_nobodys_at_a_tenants_host(client, operator, acme):
    api.add_member(tenant=acme, email=operator.email, role=Role.OWNER)
    assert client.get("/api/v1/tokens", headers={"host": "acme.localhost"}).status_code == 401


# --- what they show --------------------------------------------------------------------------------------------------------


@pytest.fixture
def world(db, acme, address):
    from apps.identity.session_store import SessionStore

    store = SessionStore()
    signed_in = api.sign_in(email="mia@acme.test", password=PASSWORD, tenant=acme, address=address)
    api.start_session(session=store, signed_in=signed_in, tenant=acme, address=address, agent="Firefox")
    return store


@pytest.mark.parametrize("screen", SCREENS)
def test_lists_and_rows_show_no_secret_and_no_hash(client, world, screen):
    pages = [client.get(f"/admin/identity/{screen}/")]
    links = re.findall(rf'href="(/admin/identity/{screen}/[^"?]+/change/)', pages[0].content.decode())
    pages += [client.get(link) for link in links]
    pages.append(client.get(f"/admin/identity/{screen}/?q=acme"))
    assert len(pages) > 2
    secret_hash = credentials.hash_secret(SECRET)
    session = models.Session.objects.get(agent="Firefox")
    hidden = [
        SECRET,
        secret_hash.hex(),
        str(secret_hash),
        world.session_key,
        session.session_key,
        session.session_data,
        *models.User.objects.values_list("password", flat=True),
        "argon2",
    ]
    for page in pages:
        assert page.status_code == 200
        text = page.content.decode()
        assert [value for value in hidden if value and value in text] == []


@pytest.mark.parametrize("screen", SCREENS)
def test_a_list_costs_the_same_queries_whatever_its_length(client, world, screen, django_assert_max_num_queries):
    with django_assert_max_num_queries(10):
        assert client.get(f"/admin/identity/{screen}/").status_code == 200


def test_rows_are_found_by_what_operators_know_of_them(client, world):
    for screen, wanted in {
        "tenant": "acme",
        "domain": "acme.localhost",
        "user": "mia@acme.test",
        "membership": "mia@acme.test",
        "apitoken": str(ACME.people["mia"].token_id),
        "session": "mia@acme.test",
    }.items():
        text = client.get(f"/admin/identity/{screen}/", {"q": wanted}).content.decode()
        assert re.search(r"\b1 (tenant|domain|person|membership|API token|session)", text), screen


def test_nothing_is_deleted_by_a_click(client, world):
    for screen in SCREENS:
        model = next(model for model in site._registry if model._meta.model_name == screen)
        row = model.objects.first()
        assert client.post(f"/admin/identity/{screen}/{row.pk}/delete/", {"post": "yes"}).status_code == 403
        assert "delete_selected" not in client.get(f"/admin/identity/{screen}/").content.decode()


# --- what they change ------------------------------------------------------------------------------------------------------


def test_no_tenant_is_suspended_here_without_a_reason(client, events):
    page = client.get("/admin/identity/tenant/").content.decode()
    assert 'value="suspend"' not in page
    act(client, "tenant", "suspend", ACME.id)
    assert api.find_tenant_by_host(host="acme.localhost") is not None
    assert events(ACME.id) == []


def test_a_tenant_is_made_whole(client, email):
    wish = {
        "slug": "newco",
        "name": "Newco",
        "owner_email": f"x{email}",
        "owner_name": "Nora",
        "owner_password": PASSWORD,
    }
    answer = client.post("/admin/identity/tenant/add/", wish, follow=True)
    assert answer.status_code == 200
    tenant = api.find_tenant_by_host(host="newco.localhost")
    assert tenant is not None
    assert PASSWORD not in answer.content.decode()
    assert models.Membership.objects.get(tenant_id=tenant.id).user.name == "Nora"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"slug": "www"}, "kept for the installation"),
        ({"owner_password": "short"}, "too short"),
        ({"owner_email": "mia@acme.test", "owner_password": "not hers at all"}, "wrong"),
    ],
)
def test_a_tenant_that_cannot_be_made_is_refused_with_a_sentence(client, email, change, sentence):
    wish = {
        "slug": "newco",
        "name": "Newco",
        "owner_email": f"x{email}",
        "owner_name": "",
        "owner_password": PASSWORD,
    } | change
    answer = client.post("/admin/identity/tenant/add/", wish, follow=True)
    assert sentence in answer.content.decode()
    assert models.Tenant.objects.count() == 2


def management(prefix, total=0, initial=0):
    return {f"{prefix}-TOTAL_FORMS": total, f"{prefix}-INITIAL_FORMS": initial}


def test_a_tenant_gets_a_domain_of_its_own_and_no_other(client):
    row = models.Domain.objects.get(tenant_id=ACME.id)
    form = {
        "name": "Acme Inc.",
        **management("domains", 2, 1),
        **management("memberships"),
        **management("invitation_set"),
        "domains-0-id": row.id,
        "domains-0-tenant": ACME.id,
        "domains-0-domain": row.domain,
        "domains-0-is_primary": "on",
        "domains-1-tenant": ACME.id,
        "domains-1-domain": "Files.Acme.example",
    }
    answer = client.post(f"/admin/identity/tenant/{ACME.id}/change/", form, follow=True)
    assert api.find_tenant_by_host(host="files.acme.example").name == "Acme Inc.", answer.content.decode()
    bad = form | management("domains", 2, 1) | {"domains-1-domain": "beta.localhost"}
    assert "host name of your own" in client.post(f"/admin/identity/tenant/{ACME.id}/change/", bad).content.decode()


def test_roles_are_changed_and_the_last_owner_kept(client, acme):
    rows = {row.user.email: row for row in models.Membership.objects.filter(tenant_id=ACME.id).select_related("user")}
    act(client, "membership", "make_viewer", rows["mia@acme.test"].id)
    rows["mia@acme.test"].refresh_from_db()
    assert rows["mia@acme.test"].role == "viewer"
    answer = act(client, "membership", "remove", rows["olga@acme.test"].id, rows["vera@acme.test"].id)
    assert "at least one owner" in answer.content.decode()
    assert set(models.Membership.objects.filter(tenant_id=ACME.id).values_list("user__email", flat=True)) == {
        "olga@acme.test",
        "adam@acme.test",
        "mia@acme.test",
    }


def test_tokens_and_sessions_are_ended(client, world, acme, events):
    token = ACME.people["mia"].token
    assert api.get_actor_by_token(text=token, address=None)
    act(client, "apitoken", "revoke", ACME.people["mia"].token_id)
    with pytest.raises(Exception, match="token"):
        api.get_actor_by_token(text=token, address=None)
    act(client, "session", "end", *models.Session.objects.filter(agent="Firefox").values_list("pk", flat=True))
    assert api.find_actor_by_session(session=world, tenant=acme, address=None) is None
    assert [type_ for type_, _ in events(ACME.id)][1:] == ["identity.token.revoked.v1", "identity.session.ended.v1"]


def person_form(**changes):
    return {"name": "Mia", "is_active": "on", "new_password": "", **management("memberships"), **changes}


def test_a_password_is_replaced_and_never_shown(client, world, acme, address):
    path = f"/admin/identity/user/{ACME.people['mia'].user_id}/change/"
    client.post(path, person_form(new_password="a sentence set by an operator"))
    assert api.sign_in(email="mia@acme.test", password="a sentence set by an operator", tenant=acme, address=address)
    assert api.find_actor_by_session(session=world, tenant=acme, address=None) is None
    weak = client.post(path, person_form(new_password="short"), follow=True)
    assert "too short" in weak.content.decode()


def shut_out(client, name="mia"):
    form = person_form()
    form.pop("is_active")
    return client.post(f"/admin/identity/user/{ACME.people[name].user_id}/change/", form, follow=True)


def test_who_is_made_inactive_is_shut_out(client, world, acme):
    shut_out(client)
    assert api.find_actor_by_session(session=world, tenant=acme, address=None) is None
    with pytest.raises(InvalidToken):
        api.get_actor_by_token(text=ACME.people["mia"].token, address=None)


def test_each_tenant_is_told_of_who_is_shut_out_and_let_in_again(client, world, operator, events):
    before = len(events(ACME.id))
    shut_out(client)
    client.post(f"/admin/identity/user/{ACME.people['mia'].user_id}/change/", person_form())
    told = events(ACME.id)[before:]
    assert [type_ for type_, _ in told] == [
        "identity.session.ended.v1",
        "identity.person.deactivated.v1",
        "identity.person.reactivated.v1",
    ]
    api.get_actor_by_token(text=ACME.people["mia"].token, address=None)


@pytest.mark.committed
def test_sockets_are_told_after_the_commit_that_somebody_is_shut_out(settings, address, email, monkeypatch):
    models.User.objects.create_superuser(email=email, password=PASSWORD)
    browser = Client(REMOTE_ADDR=address, HTTP_HOST=settings.BITVAULT_OPERATOR_HOST)
    log_in(browser, email)
    told = []

    def note(tenant_id, bonds):
        told.append((tenant_id, set(bonds), models.User.objects.get(pk=ACME.people["mia"].user_id).is_active))
        assert not connection.in_atomic_block

    monkeypatch.setattr(wakeups, "announce_ended", note)
    shut_out(browser)
    assert (ACME.id, {bond(Bond.USER, ACME.people["mia"].user_id)}, False) in told


def test_what_an_operation_refuses_is_said_and_nothing_is_called_done(client, world):
    weak = client.post(
        f"/admin/identity/user/{ACME.people['mia'].user_id}/change/", person_form(new_password="short"), follow=True
    )
    assert "too short" in weak.content.decode()
    assert "was changed successfully" not in weak.content.decode()


def test_staff_with_rights_to_look_changes_nothing(browser, operator, world):
    from django.contrib.auth.models import Permission

    models.User.objects.filter(pk=operator.pk).update(is_superuser=False)
    operator.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    log_in(browser, operator.email)
    rows = {
        "membership": ("remove", models.Membership),
        "apitoken": ("revoke", models.ApiToken),
    }
    for screen, (action, model) in rows.items():
        assert browser.get(f"/admin/identity/{screen}/").status_code == 200
        act(browser, screen, action, model.objects.first().pk)
    assert models.Membership.objects.count() == 6
    assert not models.ApiToken.objects.exclude(revoked_at=None).exists()


def test_staff_cannot_make_themselves_superusers(browser, operator):
    from django.contrib.auth.models import Permission

    models.User.objects.filter(pk=operator.pk).update(is_superuser=False)
    operator.user_permissions.set(Permission.objects.all())
    log_in(browser, operator.email)
    answer = browser.post(f"/admin/identity/user/{operator.pk}/change/", person_form(is_staff="on", is_superuser="on"))
    assert answer.status_code == 403
    operator.refresh_from_db()
    assert not operator.is_superuser


def test_the_screen_of_a_tenant_shows_its_people_and_who_is_invited_without_what_a_code_is_made_of(client, acme):
    from apps.identity.operations import invitations
    from bitvault.kernel.actor import Role

    invitations.invite(
        tenant=acme, email="nina@elsewhere.test", choice=Choice(Role.VIEWER), message="", invited_by=None
    )
    row = models.Invitation.objects.get(email="nina@elsewhere.test")
    shown = client.get(f"/admin/identity/tenant/{ACME.id}/change/").content.decode()
    assert "mia@acme.test" in shown
    assert "nina@elsewhere.test" in shown
    assert str(row.code_id) not in shown
