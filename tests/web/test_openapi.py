"""The OpenAPI document is made from what views say of themselves; whatever they say has to be so."""

import ast
import inspect
import json
import textwrap

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from bitvault.gateway import openapi
from bitvault.gateway.examples import EXAMPLES
from bitvault.gateway.openapi import build_document
from bitvault.web.operations import Operation
from tests.support.routes import list_routes

METHODS = ("get", "post", "put", "patch", "delete")


@pytest.fixture(scope="module")
def document() -> dict:
    return json.loads(build_document())


def list_handlers():
    """List each method of each view below /api/v1 with its path as the document writes it."""
    for route in list_routes("bitvault.gateway.urls_bare"):
        if str(route).startswith("api/v1/") and route.view.schema is not None:
            path = "/" + "".join(
                f"{{{part.partition('>')[0].rpartition(':')[2]}}}{part.partition('>')[2]}" if number else part
                for number, part in enumerate(str(route).split("<"))
            )
            for method in METHODS:
                if hasattr(route.view, method):
                    yield path, method, getattr(route.view, method)


HANDLERS = list(list_handlers())
each_handler = pytest.mark.parametrize(
    ("path", "method", "handler"), HANDLERS, ids=[f"{m} {p}" for p, m, _ in HANDLERS]
)


def said_of(handler) -> Operation:
    return handler.__operation__


def all_that_runs(handler) -> str:
    """Give the source of a handler and of the other methods of its view that it calls."""
    text = inspect.getsource(handler)
    view = next(
        route.view for route in list_routes("bitvault.gateway.urls_bare") if handler in vars(route.view).values()
    )
    called = [value for name, value in vars(view).items() if inspect.isfunction(value) and f"self.{name}(" in text]
    return text + "".join(map(inspect.getsource, called))


@each_handler
def test_every_operation_says_what_it_is(path, method, handler):
    assert isinstance(said_of(handler), Operation)
    assert (inspect.getdoc(handler) or "").strip()


@each_handler
def test_every_operation_is_in_the_document(document, path, method, handler):
    described = document["paths"][path][method]
    assert described["description"]
    assert str(said_of(handler).status) in described["responses"]


def test_the_document_describes_nothing_else(document):
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert described == {(path, method) for path, method, _ in HANDLERS}


@each_handler
def test_a_body_is_promised_where_one_is_read(path, method, handler):
    assert (said_of(handler).body is not None) == any(
        call in inspect.getsource(handler) for call in ("body_as(", "self.parse(")
    )


@each_handler
def test_a_query_is_promised_where_one_is_read(path, method, handler):
    source = all_that_runs(handler)
    calls = ("query_as(", "self.paginate(", "self.parse_query(")
    assert (said_of(handler).query is not None) == any(call in source for call in calls)


@each_handler
def test_an_idempotency_key_is_promised_where_it_is_kept(document, path, method, handler):
    tree = ast.parse(textwrap.dedent(inspect.getsource(handler)))
    kept = any(isinstance(node, ast.Attribute) and node.attr == "repeatable" for node in ast.walk(tree))
    offered = {parameter["name"] for parameter in document["paths"][path][method].get("parameters", [])}
    assert kept == said_of(handler).repeatable
    assert ("Idempotency-Key" in offered) == said_of(handler).takes_key
    assert method == "post" or not said_of(handler).takes_key


def test_operations_have_names_of_their_own(document):
    names = [operation["operationId"] for methods in document["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(document):
    def references(part):
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    for reference in set(references(document)):
        target = document
        for word in reference.removeprefix("#/").split("/"):
            target = target[word]
        assert target


def test_every_refusal_is_a_problem(document):
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if int(status) >= 400:
                    schema = response["content"]["application/problem+json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/Problem"}
                    assert response["description"]


def test_public_operations_need_no_credential_and_all_others_do(document):
    for path, method, handler in HANDLERS:
        view = next(
            route.view for route in list_routes("bitvault.gateway.urls_bare") if handler in vars(route.view).values()
        )
        expected = [] if view.is_public() else [{"token": []}, {"session": []}]
        assert document["paths"][path][method].get("security", []) == expected


def test_the_same_code_makes_the_same_document():
    assert build_document() == build_document()


def test_the_document_is_served_to_anybody(db, client):
    response = client.get("/api/v1/schema/", headers={"host": "127.0.0.1"})
    assert (response.status_code, response["Content-Type"]) == (200, "application/json")
    assert response.content == build_document()


def test_a_process_makes_no_document_while_somebody_waits_for_it(db, client, monkeypatch):
    """Half a second of CPU, in which no other thread of the process runs."""
    openapi.read_document.cache_clear()
    monkeypatch.setattr(openapi, "SchemaGenerator", None)
    page = client.get("/docs/", headers={"host": "127.0.0.1"})
    assert page.status_code == 200
    assert b'data-document="/api/v1/schema/"' in page.content
    assert client.get("/api/v1/schema/", headers={"host": "127.0.0.1"}).status_code == 200


def strict(schema):
    """Give a schema with no room for fields that it does not name."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False} if "properties" in schema else {}
    return {**closed, **{name: strict(part) for name, part in schema.items()}}


def faults_of(example, schema, document):
    whole = {**strict(schema), "components": strict({"schemas": document["components"]["schemas"]})}
    return [error.message for error in Draft202012Validator(whole, format_checker=FormatChecker()).iter_errors(example)]


def list_examples(document):
    for methods in document["paths"].values():
        for operation in methods.values():
            parts = [operation.get("requestBody", {}), *operation["responses"].values()]
            for part in parts:
                for media in part.get("content", {}).values():
                    if "example" in media:
                        yield operation["operationId"], media["example"], media["schema"]


def test_each_example_is_what_its_schema_says(document):
    found = list(list_examples(document))
    assert {name for name, _, _ in found} == set(EXAMPLES), "an example of an operation that there is not"
    assert [(name, faults) for name, example, schema in found if (faults := faults_of(example, schema, document))] == []


def test_an_example_with_a_field_too_many_or_too_few_is_found(document):
    _, example, schema = next(found for found in list_examples(document) if found[0] == "node_detail_get")
    assert faults_of({**example, "size": 1}, schema, document)
    assert faults_of({key: value for key, value in example.items() if key != "name"}, schema, document)
    assert faults_of({**example, "id": "nonsense"}, schema, document)


def test_routes_that_programs_use_most_have_examples_of_all_that_they_take_and_give(document):
    for methods in document["paths"].values():
        for operation in methods.values():
            if operation["operationId"] in EXAMPLES:
                parts = [operation.get("requestBody", {})]
                parts += [answer for status, answer in operation["responses"].items() if status in ("200", "201")]
                shown = [media for part in parts for media in part.get("content", {}).values()]
                assert all("example" in media for media in shown), operation["operationId"]


def test_every_operation_tells_of_its_limits(document):
    told = {"RateLimit", "RateLimit-Policy"}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            answers = operation["responses"]
            assert told | {"Retry-After"} == set(answers["429"]["headers"]), (method, path)
            assert set(answers["503"]["headers"]) == {"Retry-After"}, (method, path)
            good = [answer for status, answer in answers.items() if status < "400"]
            assert any(told <= set(answer.get("headers", {})) for answer in good), (method, path)
