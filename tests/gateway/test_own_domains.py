"""A tenant's own domain: served like its label below the bare host, from the moment that it is entered and no longer than that."""

import json
import secrets
import time
from datetime import timedelta

import pytest
from django.test import Client

from apps.identity import api as identity
from apps.identity import queries
from apps.identity.models import Domain
from apps.sync.sockets import admission, handshake
from bitvault.kernel import clock, remembered
from bitvault.settings import production
from bitvault.web.address import page_origin
from tests.support.world import ACME, BETA, PASSWORD

OWN = "files.example.org"
JSON = "application/json"


@pytest.fixture(autouse=True)
def domain(db):
    queries.forget_remembered()
    yield Domain.objects.create(tenant_id=ACME.id, domain=OWN, is_primary=False)
    queries.forget_remembered()


@pytest.fixture
def browser():
    address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    client = Client(enforce_csrf_checks=True, REMOTE_ADDR=address, HTTP_HOST=OWN)
    body = {"email": ACME.people["mia"].email, "password": PASSWORD}
    assert client.post("/api/v1/auth/login", json.dumps(body), content_type=JSON).status_code == 200
    return client


def change(browser, *, origin):
    headers = {"x-csrftoken": browser.cookies["csrftoken"].value, "origin": origin}
    expires_at = (clock.now() + timedelta(days=30)).isoformat()
    body = {"name": "key", "scopes": ["files:read"], "expires_at": expires_at}
    return browser.post("/api/v1/tokens", json.dumps(body), content_type=JSON, headers=headers)


def test_pages_and_rest_answer_there(browser):
    assert Client(HTTP_HOST=OWN).get("/")["Location"] == "/files/"
    assert browser.get("/files/").status_code == 200
    token = f"Bearer {ACME.people['mia'].token}"
    assert Client(HTTP_HOST=OWN).get("/api/v1/me", headers={"authorization": token}).status_code == 200
    assert Client(HTTP_HOST=f"{OWN}:8443").get("/")["Location"] == "/files/"


def test_it_is_the_tenants_host_and_nothing_else(browser):
    token = f"Bearer {BETA.people['boris'].token}"
    assert Client(HTTP_HOST=OWN).get("/api/v1/me", headers={"authorization": token}).status_code == 404
    for path in ("/admin/", "/metrics", "/beatz", "/sign-up/"):
        assert Client(HTTP_HOST=OWN).get(path).status_code == 404, path


def test_a_change_by_session_comes_from_exactly_there(browser):
    assert change(browser, origin=f"http://{OWN}").status_code == 201
    for origin in (
        f"https://{OWN}",
        f"http://{OWN}:8443",
        f"http://evil.{OWN}",
        "http://acme.localhost",
        "http://example.org",
        "null",
    ):
        assert change(browser, origin=origin).status_code == 403, origin


@pytest.mark.parametrize(
    "host", ["example.org", f"www.{OWN}", f"{OWN}.evil.example", f"evil{OWN}", f"{OWN}@evil.example", "*", "."]
)
def test_what_looks_like_it_is_nobodys(host):
    assert Client(HTTP_HOST=host).get("/").status_code == 404


def test_it_ends_with_its_row_and_with_its_tenant_within_a_second(domain):
    client = Client(HTTP_HOST=OWN)
    assert client.get("/").status_code == 302
    domain.delete()
    time.sleep(remembered.LIFETIME_SECONDS)
    assert client.get("/").status_code == 404
    Domain.objects.create(tenant_id=ACME.id, domain=OWN, is_primary=False)
    assert client.get("/").status_code == 302
    identity.suspend_tenant(tenant_id=ACME.id)
    assert client.get("/").status_code == 404


def test_the_hosts_of_the_installation_cannot_be_taken_by_a_row():
    for host in ("admin.localhost", "localhost", "127.0.0.1"):
        Domain.objects.create(tenant_id=BETA.id, domain=host, is_primary=False)
    assert Client(HTTP_HOST="admin.localhost").get("/")["Location"] == "/admin/"
    for host in ("localhost", "127.0.0.1"):
        assert Client(HTTP_HOST=host).get("/")["Location"] == "/vaults/"


def test_a_socket_opens_to_pages_of_exactly_this_origin(browser):
    def ask(origin, host=OWN):
        asked = handshake.Handshake(
            host=host,
            origin=origin,
            ticket=None,
            session_key=browser.cookies["session"].value,
            address=browser.defaults["REMOTE_ADDR"],
        )
        place = admission.find_place(asked)
        return place if isinstance(place, admission.Refusal) else admission.judge(asked, place.tenant)

    assert isinstance(ask(page_origin(OWN)), admission.Guest)
    for origin in (f"http://evil.{OWN}", "http://acme.localhost", page_origin(OWN) + "1", None):
        assert ask(origin) == admission.Refusal()
    assert ask(page_origin("nobody.example"), host="nobody.example") == admission.Refusal()


def test_production_admits_the_same_hosts(settings):
    assert settings.ALLOWED_HOSTS[:1] == ["*"]
    assert production.ALLOWED_HOSTS == ["*"]
    middleware = production.MIDDLEWARE
    believers = ("SessionMiddleware", "CommonMiddleware", "CsrfViewMiddleware", "CSPMiddleware")
    host_choice = middleware.index("bitvault.gateway.middleware.HostChoice")
    assert all(host_choice < index for index, name in enumerate(middleware) if name.endswith(believers))
    assert production.SECURE_SSL_REDIRECT is False, (
        "SecurityMiddleware stands before the choice and must not use the host"
    )
    assert production.USE_X_FORWARDED_HOST is False
