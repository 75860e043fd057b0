"""Rule 5 of docs/architecture.md: no bytes through the gateway. Every route of every surface is walked.

Static files are no exception to it but no route either: WhiteNoise answers them in front of all routes, from a directory that
is filled when the program is installed.
"""

import types

import pytest
from django.conf import settings
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from bitvault.web.parsers import StructParser
from bitvault.web.views import View
from tests.support.routes import Route, list_routes

SURFACES = {
    "acme.localhost": "bitvault.gateway.urls",
    "127.0.0.1": "bitvault.gateway.urls_bare",
    "admin.localhost": "bitvault.gateway.urls_operators",
}
"""Hosts, and what answers there."""

ROUTES = {host: list_routes(urlconf) for host, urlconf in SURFACES.items()}
LIMIT = 2 * 1024 * 1024

on_every_host = pytest.mark.parametrize("host", SURFACES)


def find_foreign_parsers(route: Route) -> list[type]:
    """Name the parsers of a REST view that read anything but JSON."""
    view = route.view
    if not (isinstance(view, type) and issubclass(view, APIView)):
        return []
    return [parser for parser in view.parser_classes if parser is not StructParser]


def carries_bytes(response) -> bool:
    """Tell whether an answer is of the kind that carries a file."""
    return response.streaming or isinstance(response, FileResponse | StreamingHttpResponse)


@pytest.fixture(scope="module")
def client() -> Client:
    """One for all: each new one builds the chain of middleware anew."""
    return Client(raise_request_exception=False)


# --- what comes in ---------------------------------------------------------------------------------------------------------


def test_the_surfaces_are_those_that_a_host_can_choose():
    assert SURFACES["acme.localhost"] == settings.ROOT_URLCONF
    assert settings.BITVAULT_OPERATOR_HOST == "admin.localhost"


@on_every_host
def test_rest_views_read_json_alone(host):
    assert {str(route): find_foreign_parsers(route) for route in ROUTES[host] if find_foreign_parsers(route)} == {}


@on_every_host
def test_everything_below_the_api_is_a_view_of_the_toolkit(host):
    strangers = [route for route in ROUTES[host] if str(route).startswith("api/") and not issubclass(route.view, View)]
    assert strangers == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@on_every_host
def test_more_than_2_mb_is_refused_on_every_route(client, host, method):
    body = b'{"name": "' + b"x" * LIMIT + b'"}'
    for route in ROUTES[host]:
        response = client.generic(method, route.path, body, content_type="application/json", headers={"host": host})
        assert (response.status_code, response.json()["code"]) == (413, "request.too_large"), route
        assert response["Content-Type"] == "application/problem+json", route


@on_every_host
def test_a_file_in_a_form_is_refused_unread_on_every_route(client, host):
    """Django would read the files of a form to their end, however long they are."""
    head = b'--part\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    body = head + b"x" * LIMIT + b"\r\n--part--\r\n"
    for route in ROUTES[host]:
        response = client.generic(
            "POST", route.path, body, content_type="multipart/form-data; boundary=part", headers={"host": host}
        )
        assert response.status_code == 413, route


@pytest.mark.parametrize("length", ["-1", "1e3", "٣", "x", "1 2"])
def test_a_length_that_is_no_number_is_refused(client, length):
    response = client.post("/api/v1/folders", b"{}", content_type="application/json", CONTENT_LENGTH=length)
    assert (response.status_code, response.json()["code"]) == (400, "request.malformed")


@pytest.mark.parametrize("length", [str(LIMIT + 1), "9" * 19, "9" * 5000])
def test_a_length_over_the_limit_is_refused_whatever_it_says(client, length):
    response = client.post("/api/v1/folders", b"{}", content_type="application/json", CONTENT_LENGTH=length)
    assert response.status_code == 413


def test_nothing_stands_ready_to_take_a_file():
    assert settings.FILE_UPLOAD_HANDLERS == []
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == LIMIT
    assert settings.REST_FRAMEWORK["DEFAULT_PARSER_CLASSES"] == ["bitvault.web.parsers.StructParser"]


# --- what goes out ---------------------------------------------------------------------------------------------------------


@on_every_host
def test_no_route_answers_with_a_file(db, client, host):
    for route in ROUTES[host]:
        response = client.get(route.path, headers={"host": host})
        assert not carries_bytes(response), route
        assert len(response.content) < LIMIT, route


def test_no_route_answers_with_a_file_to_a_member(api):
    client = api("mia")
    for route in ROUTES["127.0.0.1"]:
        if str(route).startswith("api/v1/"):
            response = client.get(route.path.removeprefix("/api/v1"))
            assert not carries_bytes(response), route
            assert response.status_code < 500, route


# --- planted breaches ------------------------------------------------------------------------------------------------------


class Upload(APIView):
    """Takes a file through Django."""

    authentication_classes = []
    parser_classes = [StructParser, MultiPartParser]

    def post(self, request):
        return HttpResponse()


class Download(View):
    """Gives a file through Django."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def get(self, request):
        return StreamingHttpResponse(iter([b"bytes"]))


@pytest.fixture
def planted():
    urlconf = types.ModuleType("planted")
    urlconf.urlpatterns = [path("up", Upload.as_view()), path("down", Download.as_view())]
    return {route.pattern: route for route in list_routes(urlconf)}


def test_a_planted_parser_of_files_is_found(planted):
    assert find_foreign_parsers(planted["up"]) == [MultiPartParser]
    assert not issubclass(planted["up"].view, View)


def test_a_planted_answer_with_bytes_is_found(planted, rf):
    assert carries_bytes(planted["down"].callback(rf.get("/down")))


def test_without_the_limit_a_large_body_would_get_through(client, settings):
    """The check of the route finds it when the middleware is taken out."""
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.endswith(".Body")]
    response = Client().generic(
        "POST", "/healthz", b"x" * (LIMIT + 1), content_type="application/json", headers={"host": "127.0.0.1"}
    )
    assert response.status_code != 413
