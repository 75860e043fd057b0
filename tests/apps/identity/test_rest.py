"""The REST surface of identity: shapes of answers, refusals, cookies."""

import json
from datetime import timedelta

import pytest
from django.test import Client

from apps.identity import models
from apps.identity.operations import guesses
from bitvault.kernel import clock
from tests.support.world import ACME, BETA, PASSWORD

JSON = "application/json"


@pytest.fixture
def client(db, address):
    return Client(enforce_csrf_checks=True, REMOTE_ADDR=address, HTTP_HOST="acme.localhost")


def log_in(client, *, email=ACME.people["mia"].email, password=PASSWORD, **headers):
    return client.post(
        "/api/v1/auth/login", json.dumps({"email": email, "password": password}), content_type=JSON, headers=headers
    )


def send(client, method, path, body=None):
    return client.generic(
        method,
        f"/api/v1{path}",
        b"" if body is None else json.dumps(body).encode(),
        content_type=JSON,
        headers={"x-csrftoken": client.cookies["csrftoken"].value, "origin": "http://acme.localhost"},
    )


def in_days(days):
    return (clock.now() + timedelta(days=days)).isoformat()


# --- signing in and out ----------------------------------------------------------------------------------------------------


def test_logging_in_starts_a_session(client):
    answer = log_in(client)
    assert answer.status_code == 200
    assert answer.json()["user_id"] == str(ACME.people["mia"].user_id)
    assert [tenant["slug"] for tenant in answer.json()["tenants"]] == ["acme"]
    assert PASSWORD not in answer.content.decode()
    assert client.get("/api/v1/me").json()["user"]["email"] == "mia@acme.test"


def test_wrong_and_unknown_get_the_same_answer(client, email):
    bodies = []
    for who, password in ((ACME.people["mia"].email, "wrong"), (email, "wrong"), (BETA.people["mona"].email, PASSWORD)):
        answer = log_in(client, email=who, password=password)
        body = answer.json()
        body.pop("request_id")
        headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
        bodies.append((answer.status_code, body, headers, dict(answer.cookies)))
    assert bodies[0] == bodies[1] == bodies[2]
    assert bodies[0][0] == 401
    assert bodies[0][1]["code"] == "identity.invalid_credentials"


def test_too_many_guesses_are_told_when_to_come_back(client, email):
    for _ in range(guesses.PAIR.limit):
        assert log_in(client, email=email).status_code == 401
    answer = log_in(client, email=email)
    assert (answer.status_code, answer.json()["code"]) == (429, "request.rate_limited")
    assert int(answer["Retry-After"]) == answer.json()["retry_after_seconds"] > 0


def test_logging_in_from_a_page_of_somebody_else_is_refused(client):
    for headers in ({"origin": "https://evil.test"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = log_in(client, **headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "identity.csrf_failed")
    assert "session" not in client.cookies


def test_a_form_cannot_log_in(client):
    answer = client.post("/api/v1/auth/login", {"email": "mia@acme.test", "password": PASSWORD})
    assert answer.status_code == 415


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_browser_logs_in_at_a_tenants_host(client, host):
    answer = log_in(client, host=host)
    assert (answer.status_code, answer.json()["code"]) == (422, "identity.tenant_host_needed")


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b'{"email": 1, "password": 2}',
        b'{"email": "a@b.test"}',
        b'{"email": "a@b.test", "password": "x", "tenant": "beta"}',
        b'{"email": "a@b.test", "password": "x", "is_admin": true}',
        b'{"email": "' + b"x" * 1000 + b'", "password": "x"}',
        b'{"email": "a@b.test", "password": "' + b"x" * 2000 + b'"}',
        b'{"email": "\\ud800", "password": "x"}',
        b"\xff",
        b"{",
    ],
)
def test_a_body_that_is_no_log_in_is_refused(client, body):
    answer = client.post("/api/v1/auth/login", body, content_type=JSON)
    assert answer.status_code in (400, 422)
    assert answer["Content-Type"] == "application/problem+json"


def test_the_session_has_another_key_and_the_csrf_token_another_secret_after_logging_in(client):
    log_in(client)
    before = client.cookies["session"].value, client.cookies["csrftoken"].value
    log_in(client)
    after = client.cookies["session"].value, client.cookies["csrftoken"].value
    assert before[0] != after[0]
    assert before[1] != after[1]
    assert models.Session.objects.count() == 1


def test_logging_out_ends_the_session_and_takes_the_cookie_back(client):
    log_in(client)
    key = client.cookies["session"].value
    assert send(client, "POST", "/auth/logout").status_code == 204
    assert client.cookies["session"].value == ""
    assert client.get("/api/v1/sessions").status_code == 401
    client.cookies["session"] = key
    assert client.get("/api/v1/sessions").status_code == 401
    assert not models.Session.objects.exists()


def test_a_token_does_not_log_out(api):
    answer = api("mia").post("/auth/logout")
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.session_needed")


def test_logging_out_is_no_get(client):
    log_in(client)
    answer = client.get("/api/v1/auth/logout")
    assert answer.status_code == 405
    assert client.get("/api/v1/sessions").status_code == 200


# --- who am I --------------------------------------------------------------------------------------------------------------


def test_me_tells_who_the_caller_is(api):
    me = api("mia").get("/me").json()
    assert me["user"] == {
        "id": str(ACME.people["mia"].user_id),
        "email": "mia@acme.test",
        "name": "Mia",
        "email_proved": True,
        "locale": "",
        "time_zone": "",
    }
    assert me["tenant"] == {"id": str(ACME.id), "slug": "acme", "name": "Acme"}
    assert (me["role"], me["scopes"]) == ("member", ["account", "admin", "files:read", "files:write"])
    assert api("mia").get(f"/nodes/{me['root_id']}").json()["kind"] == "folder"
    assert api("mia").get("/me").json()["root_id"] == me["root_id"] != api("adam").get("/me").json()["root_id"]


# --- tokens ----------------------------------------------------------------------------------------------------------------


def test_a_token_is_made_shown_once_used_and_revoked(client):
    log_in(client)
    wish = {"name": "Backup", "scopes": ["files:read", "account"], "expires_at": in_days(30)}
    answer = send(client, "POST", "/tokens", wish)
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "private, no-store"
    assert int(answer["BitVault-Seq"]) > 0
    made = answer.json()
    assert set(made) == {"id", "name", "scopes", "created_at", "expires_at", "last_used_at", "token"}
    assert (made["name"], made["scopes"]) == ("Backup", ["account", "files:read"])
    program = Client()
    headers = {"host": "127.0.0.1", "authorization": f"Bearer {made['token']}"}
    assert program.get("/api/v1/me", headers=headers).json()["scopes"] == ["account", "files:read"]
    listed = client.get("/api/v1/tokens")
    assert made["token"].rpartition("_")[2] not in listed.content.decode()
    assert listed.json()["items"][0] == {
        **{key: value for key, value in made.items() if key != "token"},
        "last_used_at": listed.json()["items"][0]["last_used_at"],
    }
    assert listed.json()["items"][0]["last_used_at"] is not None
    assert send(client, "DELETE", f"/tokens/{made['id']}").status_code == 204
    assert program.get("/api/v1/me", headers=headers).status_code == 401
    assert send(client, "DELETE", f"/tokens/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    "extra",
    [
        {"tenant_id": str(BETA.id)},
        {"user_id": str(ACME.people["olga"].user_id)},
        {"secret_hash": ""},
        {"role": "owner"},
        {"id": str(ACME.id)},
        {"seq": 1},
    ],
)
def test_fields_that_are_not_the_callers_to_set_are_refused(api, extra):
    wish = {"name": "x", "scopes": ["files:read"], "expires_at": in_days(1)} | extra
    assert api("mia").post("/tokens", wish).status_code == 422


@pytest.mark.parametrize(
    "wish",
    [
        {"scopes": ["files:read"], "expires_at": in_days(1)},
        {"name": "x", "expires_at": in_days(1)},
        {"name": "x", "scopes": ["files:read"]},
        {"name": "x", "scopes": [], "expires_at": in_days(1)},
        {"name": "x", "scopes": ["god"], "expires_at": in_days(1)},
        {"name": "x", "scopes": "files:read", "expires_at": in_days(1)},
        {"name": "", "scopes": ["files:read"], "expires_at": in_days(1)},
        {"name": "x", "scopes": ["files:read"], "expires_at": None},
        {"name": "x", "scopes": ["files:read"], "expires_at": "never"},
        {"name": "x", "scopes": ["files:read"], "expires_at": "2030-01-01T00:00:00"},
        {"name": "x", "scopes": ["files:read"], "expires_at": in_days(-1)},
        {"name": "x", "scopes": ["files:read"], "expires_at": in_days(400)},
    ],
)
def test_a_token_that_cannot_be_is_refused(api, wish):
    assert api("mia").post("/tokens", wish).status_code == 422


def test_a_narrow_token_makes_no_wider_one(api, client):
    from tests.support.client import ApiClient

    wish = {"name": "x", "scopes": ["account", "files:read"], "expires_at": in_days(1)}
    narrow = ApiClient(token=api("mia").post("/tokens", wish).json()["token"])
    wider = narrow.post("/tokens", {"name": "y", "scopes": ["files:write"], "expires_at": in_days(1)})
    assert (wider.status_code, wider.json()["code"]) == (403, "identity.scopes_too_wide")
    assert wider.json()["missing"] == ["files:write"]
    assert narrow.post("/tokens", wish).status_code == 201


@pytest.mark.parametrize("query", [{"limit": 0}, {"limit": 1001}, {"limit": "x"}, {"cursor": "x"}, {"page": 2}])
@pytest.mark.parametrize("path", ["/tokens", "/sessions"])
def test_a_query_that_cannot_be_is_refused(api, path, query):
    assert api("mia").get(path, **query).status_code in (400, 422)


# --- sessions and the password ---------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_ended_one_by_one(client, address):
    log_in(client)
    other = Client(REMOTE_ADDR=address, HTTP_HOST="acme.localhost", HTTP_USER_AGENT="Phone")
    log_in(other)
    items = client.get("/api/v1/sessions").json()["items"]
    assert [(item["agent"], item["address"], item["current"]) for item in items] == [
        ("Phone", address, False),
        ("", address, True),
    ]
    assert other.cookies["session"].value not in str(items)
    assert send(client, "DELETE", f"/sessions/{items[0]['id']}").status_code == 204
    assert other.get("/api/v1/sessions").status_code == 401
    assert send(client, "DELETE", f"/sessions/{items[0]['id']}").status_code == 404


def test_changing_the_password_ends_everything_else(client, address):
    log_in(client)
    other = Client(REMOTE_ADDR=address, HTTP_HOST="acme.localhost")
    log_in(other)
    wrong = send(client, "POST", "/auth/password", {"current_password": "x", "new_password": "a sentence of my own"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "identity.invalid_credentials")
    weak = send(client, "POST", "/auth/password", {"current_password": PASSWORD, "new_password": "password123"})
    assert (weak.status_code, weak.json()["code"]) == (422, "identity.weak_password")
    assert weak.json()["reasons"] == ["password_too_common"]
    good = {"current_password": PASSWORD, "new_password": "a sentence of my own"}
    assert send(client, "POST", "/auth/password", good).status_code == 204
    assert client.get("/api/v1/sessions").status_code == 200
    assert other.get("/api/v1/sessions").status_code == 401
    assert log_in(other).status_code == 401
    assert log_in(other, password="a sentence of my own").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/tokens/{}"),
        ("DELETE", "/sessions/{}"),
    ],
)
def test_what_belongs_to_somebody_else_does_not_exist(client, api, address, method, path):
    log_in(client)
    session_id = client.get("/api/v1/sessions").json()["items"][0]["id"]
    of_mia = {"/tokens/{}": ACME.people["mia"].token_id, "/sessions/{}": session_id}[path]
    bodies = set()
    for name in ("olga", "adam", "boris"):
        for target in (of_mia, "01900000-0000-7000-8000-0000000000ff"):
            answer = api(name).request(method, path.format(target))
            bodies.add(json.dumps([answer.status_code, {**answer.json(), "request_id": None}], sort_keys=True))
    assert len(bodies) == 1
    assert '"status": 404' in bodies.pop()
    assert client.get("/api/v1/sessions").status_code == 200
    assert api("mia").get("/tokens").status_code == 200
