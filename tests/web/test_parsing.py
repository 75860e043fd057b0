"""Bodies and queries are read by their types: what does not fit is refused with the path of the field, never coerced and never ignored."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from bitvault.web.structs import SENTENCE_LIMIT, Body, Query
from bitvault.web.views import View


class Place(Body):
    """A part of a body."""

    parent_id: UUID


class Thing(Body):
    """A body of every kind of field."""

    name: str
    size_bytes: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    ratio: float = 0.0
    public: bool = False
    place: Place | None = None
    labels: list[str] = msgspec.field(default_factory=list)
    anything: Any = None


class Filter(Query):
    """A query."""

    q: str
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200
    deep: bool = False


class Things(View):
    """Gives back what it has read."""

    authentication_classes = []
    permission_classes = [AllowAny]

    def post(self, request):
        return Response(request.body_as(Thing))

    def get(self, request):
        return Response(request.query_as(Filter))


def read(response):
    return msgspec.json.decode(response.content)


def test_a_good_body_is_read(ask):
    response = ask(
        Things,
        "POST",
        {"name": "é", "size_bytes": 2**63 - 1, "labels": ["a"], "place": {"parent_id": str(UUID(int=1))}},
    )
    assert response.status_code == 200
    assert read(response)["place"] == {"parent_id": str(UUID(int=1))}
    assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "name"),
        ({"name": "a", "nmae": "b"}, "nmae"),
        ({"name": "a", "owner_id": 1, "is_admin": True}, "owner_id"),
        ({"name": 1}, "$.name"),
        ({"name": None}, "$.name"),
        ({"name": "a", "size_bytes": "1"}, "$.size_bytes"),
        ({"name": "a", "size_bytes": 1.5}, "$.size_bytes"),
        ({"name": "a", "size_bytes": True}, "$.size_bytes"),
        ({"name": "a", "size_bytes": -1}, "$.size_bytes"),
        ({"name": "a", "size_bytes": 2**63}, "$.size_bytes"),
        ({"name": "a", "size_bytes": 10**30}, "$.size_bytes"),
        ({"name": "a", "public": "true"}, "$.public"),
        ({"name": "a", "public": 1}, "$.public"),
        ({"name": "a", "place": {"parent_id": "not-an-id"}}, "$.place.parent_id"),
        ({"name": "a", "place": {}}, "$.place"),
        ({"name": "a", "place": {"parent_id": str(UUID(int=1)), "more": 1}}, "$.place"),
        ({"name": "a", "labels": ["a", 2]}, "$.labels[1]"),
        ({"name": "a", "labels": "ab"}, "$.labels"),
        ([], "array"),
        ("text", "str"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused_with_its_path(ask, body, path):
    response = ask(Things, "POST", body)
    assert (response.status_code, response.problem["code"]) == (422, "request.invalid")
    assert path in response.problem["detail"]


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 5000], ids=["huge", "tiny", "long"])
def test_a_number_out_of_all_ranges_is_refused(ask, number):
    for field in (b"size_bytes", b"ratio"):
        response = ask(Things, "POST", b'{"name": "a", "' + field + b'": ' + number + b"}")
        assert (response.status_code, response.problem["code"]) == (422, "request.invalid")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"name": "a"',
        b'{"name": "a"} and more',
        b"name=a",
        b"\xff\xfe",
        b"\x00",
        b'{"name": "\xff"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\ud800\\u0041"}',
        b'{"name": "\\udc00\\ud800"}',
        b'{"name": "\\x41"}',
        b'{"name": "a\nb"}',
        b'{"name": "a", "ratio": NaN}',
        b'{"name": "a", "ratio": Infinity}',
        b'{"name": "a", "ratio": 01}',
        b"{'name': 'a'}",
        b'{"name": "a",}',
        b'\xef\xbb\xbf{"name": "a"}',
        '{"name": "a"}'.encode("utf-16"),
    ],
    ids=lambda body: ascii(body[:24]),
)
def test_what_is_not_json_is_malformed(ask, body):
    response = ask(Things, "POST", body)
    assert (response.status_code, response.problem["code"]) == (400, "request.malformed")


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_a_body_nested_too_deep_is_malformed(ask, opening):
    closing = b"]" if opening == b"[" else b"}"
    inner = opening * 100_000 + b"1" + closing * 100_000
    response = ask(Things, "POST", b'{"name": "a", "anything": ' + inner + b"}")
    assert (response.status_code, response.problem["code"]) == (400, "request.malformed")


def test_of_a_field_that_comes_twice_the_last_one_counts(ask):
    assert read(ask(Things, "POST", b'{"name": "a", "name": "b"}'))["name"] == "b"


def test_a_pair_of_surrogates_is_a_character(ask):
    assert read(ask(Things, "POST", b'{"name": "\\ud83d\\ude00"}'))["name"] == "\U0001f600"


def test_a_refusal_does_not_repeat_all_that_was_sent(ask):
    response = ask(Things, "POST", {"x" * 100_000: 1})
    assert response.status_code == 422
    assert len(response.problem["detail"]) <= SENTENCE_LIMIT + 1


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/json",
        "",
        "application/xml",
        "application/json+x",
    ],
)
def test_a_body_that_is_not_declared_as_json_is_not_read(ask, content_type):
    response = ask(Things, "POST", {"name": "a"}, content_type=content_type)
    assert (response.status_code, response.problem["code"]) == (415, "request.unsupported_media_type")


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_declared_in_any_spelling(ask, content_type):
    assert ask(Things, "POST", {"name": "a"}, content_type=content_type).status_code == 200


def test_a_body_over_2_mb_is_refused(ask):
    response = ask(Things, "POST", {"name": "x" * (2 * 1024 * 1024)})
    assert (response.status_code, response.problem["code"]) == (413, "request.too_large")


def test_a_body_of_just_2_mb_is_read(ask):
    frame = len(b'{"name": ""}')
    assert ask(Things, "POST", {"name": "x" * (2 * 1024 * 1024 - frame)}).status_code == 200


# --- queries ---------------------------------------------------------------------------------------------------------------


def test_a_query_is_read_from_texts(ask):
    response = ask(Things, query={"q": "12", "limit": "12", "deep": "true"})
    assert read(response) == {"q": "12", "limit": 12, "deep": True}


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "a", "limitt": "1"},
        {"q": "a", "limit": "0"},
        {"q": "a", "limit": "1001"},
        {"q": "a", "limit": "١٢"},
        {"q": "a", "limit": ""},
        {"q": "a", "limit": "9" * 100},
        {"q": "a", "deep": "maybe"},
        {"q": "a", "__class__": "x"},
    ],
    ids=str,
)
def test_a_query_that_does_not_fit_is_refused(ask, query):
    response = ask(Things, query=query)
    assert (response.status_code, response.problem["code"]) == (422, "request.invalid")


def test_a_parameter_that_comes_twice_is_refused(ask):
    refused = ask(Things, query={"q": ["a", "b"]})
    assert (refused.status_code, read(refused)["code"]) == (422, "request.repeated_parameter")


# --- answers ---------------------------------------------------------------------------------------------------------------


def test_an_answer_without_a_body_has_no_type(rf):
    class Silent(View):
        authentication_classes = []
        permission_classes = [AllowAny]

        def delete(self, request):
            return Response(status=204)

    response = Silent.as_view()(rf.delete("/")).render()
    assert (response.status_code, response.content) == (204, b"")
    assert not response.has_header("Content-Type")


def test_what_a_route_takes_is_told_by_the_document_alone(ask):
    response = ask(Things, "OPTIONS")
    assert (response.status_code, response.problem["code"]) == (405, "request.method_not_allowed")
    assert {"GET", "POST"} <= set(response["Allow"].split(", "))


# --- parameters that stand there twice -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/audit?limit=1&limit=2"),
        ("GET", "/nodes/root/children?sort=name&sort=name"),
        ("GET", "/usage/history?from=2026-01-01&to=2026-01-02&to=2026-01-03"),
        ("GET", "/me?x=1&x=2"),
        ("POST", "/folders?x=1&x="),
        ("GET", "/trash?root_id=&root_id="),
    ],
)
def test_a_parameter_that_stands_there_twice_is_refused(api, method, path):
    answer = api("olga").request(method, path, {} if method == "POST" else None)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.repeated_parameter")


def test_a_refusal_of_repeated_parameters_is_as_short_as_any(api):
    query = "&".join(f"{'n' * 50}{number}=1&{'n' * 50}{number}=2" for number in range(50))
    answer = api("olga").get(f"/me?{query}")
    assert answer.status_code == 422
    assert len(answer.json()["detail"]) < 400
