"""Errors become problem answers (RFC 9457) in one place, and defects tell nothing about the inside."""

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.db import DataError, InterfaceError, OperationalError, connection
from django.http import Http404, UnreadablePostError
from django.test import Client
from rest_framework import exceptions as drf
from rest_framework.permissions import AllowAny

from bitvault.kernel import db, errors
from bitvault.kernel.request import set_request_id
from bitvault.web import problems
from bitvault.web.views import View

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.BitVaultError)]


def make(kind: type[errors.BitVaultError], **facts) -> errors.BitVaultError:
    return kind(retry_after_seconds=7, **facts) if kind is errors.TooManyRequests else kind(**facts)


def raising(error: Exception) -> type[View]:
    """Make a view that raises."""

    class Raising(View):
        authentication_classes = []
        permission_classes = [AllowAny]

        def get(self, request):
            raise error

    return Raising


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_has_its_answer(ask, kind):
    set_request_id("01900000-0000-7000-8000-0000000000aa")
    response = ask(raising(make(kind, node_id=UUID(int=1), limit_bytes=5)))
    assert response.status_code == kind.status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"
    assert response.problem == {
        **({"retry_after_seconds": 7} if kind is errors.TooManyRequests else {}),
        "node_id": "00000000-0000-0000-0000-000000000001",
        "limit_bytes": 5,
        "type": f"urn:bitvault:problem:{kind.code}",
        "code": kind.code,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.title,
        "request_id": "01900000-0000-7000-8000-0000000000aa",
    }


def test_facts_are_typed_and_cannot_pass_for_the_answers_own_members():
    error = errors.Conflict("Taken.", at=datetime(2026, 1, 2, tzinfo=UTC), status="fine", type="x", items=[UUID(int=1)])
    body = json.loads(problems.render(error).content)
    assert (body["status"], body["type"]) == (409, "urn:bitvault:problem:request.conflict")
    assert (body["at"], body["items"]) == ("2026-01-02T00:00:00Z", ["00000000-0000-0000-0000-000000000001"])


def test_who_goes_too_fast_is_told_when_to_come_back(ask):
    assert ask(raising(errors.TooManyRequests(retry_after_seconds=7)))["Retry-After"] == "7"


def test_who_meets_a_silent_service_is_told_when_to_come_back(ask):
    assert ask(raising(errors.Unavailable()))["Retry-After"] == "2"


def test_who_is_not_known_is_told_how_to_prove_themselves(ask):
    assert ask(raising(errors.Unauthenticated()))["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in ask(raising(errors.Forbidden()))


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404(), 404, "access.not_found"),
        (PermissionDenied(), 403, "access.forbidden"),
        (drf.NotFound(), 404, "access.not_found"),
        (drf.NotAuthenticated(), 401, "identity.unauthenticated"),
        (drf.AuthenticationFailed(), 401, "identity.unauthenticated"),
        (drf.PermissionDenied(), 403, "access.forbidden"),
        (drf.UnsupportedMediaType("x/y"), 415, "request.unsupported_media_type"),
        (drf.ParseError(), 400, "request.malformed"),
        (RequestDataTooBig(), 413, "request.too_large"),
        (UnreadablePostError(), 400, "request.malformed"),
        (OperationalError("canceling statement due to lock timeout\nCONTEXT: secret"), 503, "platform.busy"),
        (OperationalError(), 503, "platform.busy"),
        (InterfaceError("connection already closed"), 503, "platform.busy"),
        (DataError("integer out of range"), 422, "request.invalid"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_what_libraries_raise_has_its_answer(ask, error, status, code):
    response = ask(raising(error))
    assert (response.status_code, response.problem["code"]) == (status, code)
    assert "secret" not in response.content.decode()


def test_a_database_that_takes_too_long_is_busy(ask, tenant):
    class Slow(View):
        authentication_classes = []
        permission_classes = [AllowAny]

        def get(self, request):
            with db.read_transaction(), connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 20")
                cursor.execute("SELECT pg_sleep(5)")

    response = ask(Slow)
    assert (response.status_code, response.problem["code"], response["Retry-After"]) == (503, "platform.busy", "2")


@pytest.mark.parametrize("value", ["a\x00b", 10**30])
def test_a_value_that_the_database_cannot_keep_is_refused(ask, tenant, value):
    class Keeping(View):
        authentication_classes = []
        permission_classes = [AllowAny]

        def get(self, request):
            with db.read_transaction(), connection.cursor() as cursor:
                cursor.execute("SELECT %s::text" if isinstance(value, str) else "SELECT %s::bigint", [value])

    response = ask(Keeping)
    assert (response.status_code, response.problem["code"]) == (422, "request.invalid")


def test_a_method_that_a_route_does_not_take_names_those_that_it_takes(ask):
    response = ask(raising(errors.NotFound()), "POST", {})
    assert (response.status_code, response.problem["code"]) == (405, "request.method_not_allowed")
    assert "GET" in response["Allow"]


def test_a_defect_tells_nothing_about_the_inside(db, monkeypatch):
    from bitvault.gateway import health

    def fail(*_):
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(health.readiness, "start", fail)
    client = Client(raise_request_exception=False)
    response = client.get("/readyz", headers={"host": "127.0.0.1"})
    body = json.loads(response.content)
    assert (response.status_code, body["code"]) == (500, "platform.internal_error")
    assert set(body) == {"type", "code", "title", "status", "detail", "request_id"}
    assert "secret" not in response.content.decode()
    assert body["request_id"] == response["X-Request-ID"]


def test_a_broken_rule_of_the_house_is_a_defect():
    assert problems.find_known(errors.ProgrammingError("a rule")) is None
    assert problems.find_known(RuntimeError()) is None


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/me", "/api/", "/.env", "/debug", "/__debug__/"])
@pytest.mark.parametrize("host", ["127.0.0.1", "acme.localhost", "localhost"])
def test_a_path_that_no_route_takes_is_a_problem_too(db, path, host):
    response = Client().get(path, headers={"host": host})
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert json.loads(response.content)["code"] == "access.not_found"


def test_a_browser_gets_a_page_instead(db):
    response = Client().get("/nothing", headers={"host": "acme.localhost", "accept": "text/html"})
    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")
