"""Who makes a request: tokens on any host, sessions at their tenant's, and what neither may do."""

import json
import secrets
from datetime import timedelta

import pytest
from django.test import Client

from apps.identity import api as identity
from apps.identity import models, queries
from bitvault.kernel import clock, tenancy
from bitvault.kernel.actor import Scope
from tests.support.world import ACME, BETA, PASSWORD, SECRET

ACME_HOST, BETA_HOST = "acme.localhost", "beta.localhost"
ORIGIN = f"http://{ACME_HOST}"
JSON = "application/json"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    queries.forget_remembered()
    yield
    queries.forget_remembered()


@pytest.fixture
def address():
    return f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"


@pytest.fixture
def browser(db, address):
    """A browser that checks cookies and CSRF as a real one is checked; signed in at a host."""

    def sign_in(name="mia", host=ACME_HOST) -> Client:
        client = Client(enforce_csrf_checks=True, REMOTE_ADDR=address, HTTP_HOST=host)
        person = {**ACME.people, **BETA.people}[name]
        answer = client.post(
            "/api/v1/auth/login", json.dumps({"email": person.email, "password": PASSWORD}), content_type=JSON
        )
        assert answer.status_code == 200, answer.content
        return client

    return sign_in


def get(token=None, *, host="127.0.0.1", path="/api/v1/tokens", **headers):
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return Client().get(path, headers={"host": host, **headers})


def problem(answer):
    body = answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert body["request_id"] == answer["X-Request-ID"]
    return answer.status_code, body["code"]


# --- tokens ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8000", "localhost", ACME_HOST])
def test_a_token_works_on_any_host_but_another_tenants(db, person_token, host):
    assert get(person_token("mia"), host=host).status_code == 200


@pytest.fixture
def person_token():
    return lambda name: {**ACME.people, **BETA.people}[name].token


def test_a_token_at_another_tenants_host_is_404_cold_and_warm(db, person_token):
    token = person_token("mia")
    bodies = set()
    for _ in range(2):
        answer = get(token, host=BETA_HOST)
        assert problem(answer) == (404, "access.not_found")
        bodies.add(frozenset((key, value) for key, value in answer.json().items() if key != "request_id"))
    assert get(token, host=ACME_HOST).status_code == 200
    for _ in range(2):
        answer = get(token, host=BETA_HOST)
        bodies.add(frozenset((key, value) for key, value in answer.json().items() if key != "request_id"))
    missing = get(token, host=ACME_HOST, path="/api/v1/nodes/01900000-0000-7000-8000-0000000000ff")
    bodies.add(frozenset((key, value) for key, value in missing.json().items() if key != "request_id"))
    assert len(bodies) == 1


@pytest.mark.parametrize(
    "host", ["nobody.localhost", "evil.test", "acme.localhost.evil.test", "a b", "localhost@evil.test"]
)
def test_a_host_that_is_nobodys_is_404(db, person_token, host):
    assert get(person_token("mia"), host=host).status_code == 404


def test_a_host_that_is_nobodys_answers_a_browser_with_a_page_and_a_program_with_a_problem(db, client, settings):
    page = client.get("/files/", headers={"host": "nobody.localhost:8000", "accept": "text/html"})
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert f'href="http://{settings.BITVAULT_BASE_HOST}:8000/"' in page.content.decode()
    for path, accept in (("/api/v1/me", "text/html"), ("/files/", "*/*")):
        problem = client.get(path, headers={"host": "nobody.localhost:8000", "accept": accept})
        assert (problem.status_code, problem["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("name", ["X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-Host"])
def test_no_header_but_host_chooses_the_tenant(db, person_token, name):
    assert get(person_token("mia"), host=ACME_HOST, **{name: BETA_HOST}).status_code == 200
    assert get(person_token("boris"), host=ACME_HOST, **{name: BETA_HOST}).status_code == 404


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer bv_",
        "Bearer null",
        f"Bearer bv_{'0' * 32}_{SECRET}",
        f"Bearer bv_{ACME.people['mia'].token_id.hex}_",
        f"Bearer bv_{ACME.people['mia'].token_id.hex}_{'x' * 43}",
        f"bearer  bv_{ACME.people['mia'].token_id.hex}_{SECRET}x",
        "Basic bWlhQGFjbWUudGVzdDpjb3JyZWN0IGhvcnNlIGJhdHRlcnk=",
        f"Token bv_{ACME.people['mia'].token_id.hex}_{SECRET}",
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "Bearer \x00",
        "Bearer é",
        "Bearer " + "x" * 100_000,
    ],
)
def test_what_is_no_valid_token_is_401(db, header):
    answer = Client().get("/api/v1/tokens", headers={"host": "127.0.0.1", "authorization": header})
    assert problem(answer)[0] == 401
    assert answer["WWW-Authenticate"] == "Bearer"


def test_unknown_and_wrong_tokens_read_the_same(db):
    known = get(f"bv_{ACME.people['mia'].token_id.hex}_{'x' * 43}").json()
    unknown = get(f"bv_{'0' * 32}_{'x' * 43}").json()
    assert known | {"request_id": 0} == unknown | {"request_id": 0}


def test_a_token_in_the_query_is_never_read(db, person_token):
    for name in ("token", "access_token", "authorization", "bearer", "key", "api_key", "ticket"):
        answer = Client().get(f"/api/v1/tokens?{name}={person_token('mia')}", headers={"host": ACME_HOST})
        assert answer.status_code == 401


def test_a_wrong_token_is_not_passed_over_for_a_good_session(browser):
    client = browser()
    assert client.get("/api/v1/tokens").status_code == 200
    assert client.get("/api/v1/tokens", headers={"authorization": "Bearer nonsense"}).status_code == 401


def test_tokens_end_with_what_they_stand_on(db, person_token, acme):
    token = person_token("mia")
    assert get(token).status_code == 200
    identity.suspend_tenant(tenant_id=ACME.id)
    assert problem(get(token)) == (401, "identity.invalid_token")
    assert get(token, host=ACME_HOST).status_code == 404
    identity.activate_tenant(tenant_id=ACME.id)
    assert get(token).status_code == 200
    identity.remove_member(tenant=acme, user_id=ACME.people["mia"].user_id)
    assert problem(get(token)) == (401, "identity.invalid_token")
    models.ApiToken.objects.filter(pk=ACME.people["adam"].token_id).update(expires_at=clock.now())
    assert problem(get(person_token("adam"))) == (401, "identity.invalid_token")
    models.User.objects.filter(pk=ACME.people["vera"].user_id).delete()
    assert problem(get(person_token("vera"))) == (401, "identity.invalid_token")


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        ({Scope.FILES_READ}, "GET", "/nodes/root", 200),
        ({Scope.FILES_READ}, "POST", "/folders", 403),
        ({Scope.FILES_READ}, "GET", "/tokens", 403),
        ({Scope.FILES_READ}, "POST", "/tokens", 403),
        ({Scope.FILES_READ}, "DELETE", f"/tokens/{ACME.people['mia'].token_id}", 403),
        ({Scope.FILES_READ, Scope.FILES_WRITE}, "POST", "/auth/password", 403),
        ({Scope.FILES_READ, Scope.FILES_WRITE}, "GET", "/sessions", 403),
        ({Scope.ACCOUNT}, "GET", "/tokens", 200),
        ({Scope.ACCOUNT}, "GET", "/nodes/root", 403),
        ({Scope.ACCOUNT}, "POST", "/folders", 403),
        ({Scope.ACCOUNT}, "GET", "/me", 200),
        ({Scope.FILES_READ}, "GET", "/me", 200),
        ({Scope.FILES_READ, Scope.FILES_WRITE}, "PATCH", "/me", 403),
        ({Scope.ACCOUNT}, "PATCH", "/me", 200),
    ],
)
def test_a_token_does_only_what_its_scopes_say(db, make_actor, acme, scopes, method, path, status):
    with tenancy.entered(acme):
        made = identity.create_token(
            actor=make_actor("mia"), name="x", scopes=frozenset(scopes), expires_at=clock.now() + timedelta(days=1)
        )
    answer = Client().generic(
        method,
        f"/api/v1{path}",
        b"{}",
        content_type=JSON,
        headers={"host": "127.0.0.1", "authorization": f"Bearer {made.token}"},
    )
    assert answer.status_code == status
    if status == 403:
        assert problem(answer) == (403, "identity.scope_missing")


def test_authentication_by_token_costs_one_query_and_none_while_remembered(db, person_token, django_assert_num_queries):
    get(person_token("mia"))  # notes the first use
    queries.forget_remembered()
    with django_assert_num_queries(1 + 1):  # who holds it, and the list itself
        get(person_token("mia"))
    with django_assert_num_queries(1):
        get(person_token("mia"))


def test_a_request_by_token_needs_no_csrf_token_and_no_cookie(db, person_token):
    client = Client(enforce_csrf_checks=True)
    answer = client.delete(
        "/api/v1/tokens/01900000-0000-7000-8000-0000000000ff",
        headers={"host": "127.0.0.1", "authorization": f"Bearer {person_token('mia')}", "origin": "https://evil.test"},
    )
    assert answer.status_code == 404
    assert answer.cookies == {}


def test_the_tenant_of_one_request_is_not_left_to_the_next(db, person_token):
    assert get(person_token("mia")).status_code == 200
    assert tenancy.find_current() is None
    assert get(person_token("boris")).status_code == 200
    assert get().status_code == 401


# --- sessions --------------------------------------------------------------------------------------------------------------


def test_a_session_of_one_tenant_is_nobodys_at_anothers_host_or_the_bare_one(browser):
    client = browser("mia", ACME_HOST)
    assert client.get("/api/v1/tokens").status_code == 200
    for host in (BETA_HOST, "localhost", "127.0.0.1"):
        assert problem(client.get("/api/v1/tokens", headers={"host": host})) == (401, "identity.unauthenticated")


def test_a_session_is_nobody_at_the_operators_host(browser, settings):
    models.User.objects.filter(pk=ACME.people["mia"].user_id).update(is_staff=True, is_superuser=True)
    client = browser("mia", ACME_HOST)
    answer = client.get("/admin/", headers={"host": settings.BITVAULT_OPERATOR_HOST})
    assert answer.status_code == 302
    assert "/login/" in answer["Location"]


def test_authentication_by_session_costs_a_query_for_the_person_and_one_for_what_they_may_reach(
    browser, django_assert_num_queries
):
    client = browser()
    client.get("/api/v1/tokens")
    with django_assert_num_queries(
        1 + 4 + 1
    ):  # what stands alone in its transaction is four statements in a test's own
        client.get("/api/v1/tokens")


def change(client, *, token=True, method="POST", path="/api/v1/tokens", content_type=JSON, body=b"{}", **headers):
    if token:
        headers.setdefault("x-csrftoken", client.cookies["csrftoken"].value)
    return client.generic(method, path, body, content_type=content_type, headers=headers)


def test_a_change_by_session_needs_the_csrf_token(browser):
    client = browser()
    assert problem(change(client, token=False)) == (403, "identity.csrf_failed")
    assert problem(change(client, **{"x-csrftoken": "x" * 64})) == (403, "identity.csrf_failed")
    assert change(client).status_code == 422
    assert change(client, origin=ORIGIN).status_code == 422


@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "",
        "https://evil.test",
        "http://beta.localhost",
        "http://localhost",
        "https://acme.localhost",
        "http://acme.localhost:81",
        "http://acme.localhost.evil.test",
        "http://x.acme.localhost",
        "http://acme.localhost/",
        "http://ACME.localhost@evil.test",
    ],
)
def test_a_change_from_another_origin_is_refused_even_with_the_token(browser, origin):
    assert problem(change(browser(), origin=origin)) == (403, "identity.csrf_failed")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_what_the_browser_says_another_site_sends_is_refused(browser, site):
    assert problem(change(browser(), **{"sec-fetch-site": site})) == (403, "identity.csrf_failed")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_method_that_changes_something_is_checked(browser, method):
    path = "/api/v1/nodes/01900000-0000-7000-8000-0000000000ff"
    assert problem(change(browser(), token=False, method=method, path=path)) == (403, "identity.csrf_failed")


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", ""]
)
def test_what_a_form_of_another_site_can_send_changes_nothing(browser, content_type):
    client = browser()
    body = b'{"name":"x","scopes":["files:read"],"expires_at":"2030-01-01T00:00:00Z"}'
    assert change(client, token=False, content_type=content_type, body=body).status_code == 403
    assert change(client, content_type=content_type, body=body).status_code == 415


def test_reading_needs_no_csrf_token(browser):
    client = browser()
    assert client.get("/api/v1/sessions", headers={"origin": "https://evil.test"}).status_code == 200
    assert "Access-Control-Allow-Origin" not in client.get("/api/v1/sessions").headers


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(browser, settings):
    client = browser()
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert (session["httponly"], session["samesite"], session["domain"]) == (True, "Lax", "")


def test_default_deny_every_route_of_the_rest_surface_asks_who(db):
    from django.urls import get_resolver

    from bitvault.web.views import View

    def views(patterns):
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                yield from views(pattern.url_patterns)
            elif hasattr(pattern.callback, "cls"):
                yield pattern.callback.cls

    found = [view for view in views(get_resolver("bitvault.gateway.urls_api").url_patterns) if issubclass(view, View)]
    public = {view.__name__ for view in found if view.is_public()}
    assert len(found) > 10
    assert public <= {
        *("LogIn", "SchemaDocument", "ForgottenPassword", "PasswordReset", "PublicInvitation"),
        *("PublicLinkDetail", "PublicLinkUnlock", "PublicLinkChildren", "PublicLinkContent"),
        # The picture carries who looks at it; what a link lets its visitors change is the link's to say (test_link_edits.py).
        *("PublicLinkPreview", "PublicNodeDetail"),
        # It stands on the page for signing in.
        "PublicLogo",
        # Who sends files through a link proves the link and their visit (test_link_uploads.py).
        *("PublicSubmissions", "PublicSubmission", "PublicSubmissionFinish"),
        *("PublicFolders", "PublicUploads", "PublicUploadDetail", "PublicUploadParts", "PublicUploadCommit"),
    }
