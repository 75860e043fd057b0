"""Nothing but the surface is served: no debug page, no file of the installation, no figures without their key, no inside of an error."""

import importlib
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from tests.support.client import ApiClient
from tests.support.world import ACME

ROOT = Path(__file__).resolve().parents[2]
HOSTS = ["acme.localhost", "localhost", "127.0.0.1", "admin.localhost"]

PROBES = [
    "/.env", "/.git/config", "/.git/HEAD", "/.ci/run", "/manage.py", "/Makefile", "/requirements.txt", "/pyproject.toml", "/var/demo.json",
    "/var/secrets.json", "/debug", "/debug/", "/__debug__/", "/__debug__/render_panel/", "/silk/", "/_profiler", "/console", "/metrics",
    "/metrics/", "/server-status", "/phpinfo.php", "/actuator/env", "/api/v1/debug", "/api/v1/metrics", "/api/v2/me", "/api/", "/graphql",
    "/swagger.json", "/openapi.json", "/static/", "/static/../manage.py", "/static/..%2fmanage.py", "/static/%2e%2e/manage.py",
    "/static/..\\manage.py", "/static//etc/passwd", "/static/staticfiles.json.bak", "/media/", "/media/../manage.py", "/tests/",
    "/static/rest_framework/docs/", "/%00", "/..%00", "/admin.localhost/", "/api/v1/nodes/..%2f..%2fetc%2fpasswd",
    "/api/v1/nodes/%2e%2e/%2e%2e", "/api/v1/../../manage.py", "/%c0%ae%c0%ae/", "/%ff%fe",
]  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_else_is_there(db, host):
    client = Client(raise_request_exception=False, headers={"host": host})
    for path in PROBES:
        answer = client.get(path)
        assert answer.status_code in (400, 404), (path, answer.status_code)
        text = answer.content.decode(errors="replace")
        for inside in (
            "Traceback",
            "DJANGO_SETTINGS",
            "BITVAULT_",
            "SECRET_KEY",
            "urlpatterns",
            str(ROOT),
            "site-packages",
            "postgres",
        ):
            assert inside not in text, (path, inside)


def test_admin_is_on_the_operators_host_alone(db):
    for host in HOSTS:
        answer = Client(headers={"host": host}).get("/admin/")
        assert answer.status_code == (302 if host == "admin.localhost" else 404), host


@pytest.mark.parametrize("route", ["/api/v1/me", "/files/", "/sign-in/"])
def test_the_operators_host_serves_no_vault(db, route):
    answer = Client(headers={"host": "admin.localhost", "authorization": f"Bearer {ACME.people['mia'].token}"}).get(
        route
    )
    assert answer.status_code == 404


def test_figures_need_their_key(db, settings):
    client = Client(headers={"host": "localhost"})
    assert client.get("/metrics").status_code == 404, "no key is set: nobody has it"
    settings.BITVAULT_METRICS_KEY = "a key of the operators"
    for header in ("", "Bearer", "Bearer ", "Bearer wrong", "a key of the operators", "Basic a key of the operators"):
        assert client.get("/metrics", headers={"authorization": header}).status_code == 404
    answer = client.get("/metrics", headers={"authorization": "Bearer a key of the operators"})
    assert answer.status_code == 200
    assert b"acme" not in answer.content, "figures name no tenant, person or file"
    assert (
        Client(headers={"host": "acme.localhost", "authorization": "Bearer a key of the operators"})
        .get("/metrics")
        .status_code
        == 404
    )


@pytest.mark.parametrize("name", ["base", "local", "production", "test"])
def test_debug_is_off_in_every_settings_module(name):
    assert importlib.import_module(f"bitvault.settings.{name}").DEBUG is False


def test_no_installed_application_is_one_for_debugging():
    for name in settings.INSTALLED_APPS:
        assert not any(word in name for word in ("debug", "silk", "extensions", "runserver", "profil"))


def test_a_defect_shows_an_id_and_nothing_of_the_inside(db, monkeypatch):
    from apps.files import api as files

    canary = "canary-of-the-inside"

    def fail(**_):
        secret_local = canary
        raise RuntimeError(secret_local)

    monkeypatch.setattr(files, "get_node", fail)
    client = ApiClient(token=ACME.people["mia"].token, raise_request_exception=False)
    answer = client.get("/nodes/root", headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "platform.internal_error"
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    text = answer.content.decode()
    for inside in (canary, "Traceback", "RuntimeError", ".py", "apps."):
        assert inside not in text


def test_every_page_and_answer_carries_the_headers_of_defence(db):
    for host, path in (
        ("acme.localhost", "/sign-in/"),
        ("localhost", "/sign-up/"),
        ("localhost", "/docs/"),
        ("acme.localhost", "/nowhere"),
    ):
        answer = Client(headers={"host": host, "accept": "text/html"}).get(path)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "script-src 'self';" in f"{policy};"
        assert not {"*", "http:", "https:", "ws:", "wss:", "blob:"} & set(policy.replace(";", " ").split())
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["X-Frame-Options"] == "DENY"
        assert answer["Referrer-Policy"] == "same-origin"
        assert "Server" not in answer.headers
        assert "X-Powered-By" not in answer.headers
    answer = ApiClient(token=ACME.people["mia"].token).get("/me")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "no-store" in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "DEBUG", "PUT", "PATCH", "DELETE", "POST"])
def test_a_method_that_a_route_does_not_take_is_405(db, method):
    answer = ApiClient(token=ACME.people["mia"].token).request(method, "/usage")
    assert answer.status_code == 405
    assert answer.json()["code"] == "request.method_not_allowed"
