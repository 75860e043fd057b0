"""What clients write: fields that are not theirs, text that attacks, and sizes without end, tried on every body and query there is."""

import json
import os

import pytest

from bitvault.events import operating
from bitvault.kernel import tenancy
from tests.support.client import ApiClient
from tests.support.surface import fields_of, holds, operations, routes
from tests.support.world import ACME

NEVER_TAKEN = [
    "id", "owner_id", "user_id", "created_by", "tenant", "tenant_id", "schema", "schema_name", "size", "refs", "seq", "revision", "state",
    "is_admin", "is_staff", "is_superuser", "admin", "role", "rights", "permissions", "content_hash", "blob_id", "key", "secret", "secret_hash",
    "token", "created_at", "modified_at", "trashed_at", "used_bytes", "limit_bytes", "reserved_bytes", "_state", "__class__", "__proto__",
    "_connector", "_negated", "pk", "parent__name", "node__tenant", "constructor", "$where", "';--", "\u0000", "\ud800",
]  # fmt: skip
"""Names of columns, of rights, and of what Django and other frameworks have read out of a body before (THR 19, 37)."""

ID = "01900000-0000-7000-8000-0000000000ff"
SAMPLES = {str: "x", int: 1, bool: False, list: []}


def smallest(body):
    """Make a body that has every field that must be there, of the right type."""
    made = {}
    for field in fields_of(body):
        if field.required:
            made[field.name] = next((sample for kind, sample in SAMPLES.items() if holds(field.type, kind)), ID)
    return made


WITH_BODY = [
    pytest.param(route, method, operation.body, id=f"{method} {route.path}")
    for route, method, operation in operations()
    if operation.body
]
WITH_QUERY = [
    pytest.param(route, method, operation.query, id=f"{method} {route.path}")
    for route, method, operation in operations()
    if operation.query
]


def at(route):
    return route.at(**dict.fromkeys(route.parameters, ID))


def written(value):
    return json.dumps(value).encode()


def caller(route, api, name="mia"):
    """Who asks: somebody by token, or, where a session begins, nobody yet at a tenant's host."""
    return ApiClient(host="acme.localhost") if route.path == "/auth/login" else api(name)


@pytest.mark.parametrize(("route", "method", "body"), WITH_BODY)
def test_a_field_that_is_not_the_callers_is_refused(api, route, method, body):
    client = caller(route, api, "olga")
    own = {field.name for field in fields_of(body)}
    for name in NEVER_TAKEN:
        if name in own:
            continue
        answer = client.request(method, at(route), written({**smallest(body), name: ID}))
        assert answer.status_code in (400, 422), (name, answer.content)
        assert answer.json()["code"] in ("request.invalid", "request.malformed")


@pytest.mark.parametrize(("route", "method", "query"), WITH_QUERY)
def test_a_parameter_that_is_none_is_refused(api, route, method, query):
    client = api("olga")
    own = {field.name for field in fields_of(query)}
    for name in [*NEVER_TAKEN[:-1], "sort__id", "order_by", "fields", "expand", "format", "callback", "page", "offset"]:
        if name in own:
            continue
        answer = client.request(method, at(route), **{name: "1"})
        assert answer.status_code == 422, (name, answer.content)


ATTACKS = {
    "nul": "\x00",
    "nul inside": "a\x00b",
    "lone surrogate": "\ud800",
    "newline": "a\r\nSet-Cookie: x=1",
    "sql": "x'; DROP TABLE files_node; --",
    "sql comment": "x' OR 1=1 /*",
    "like": "%_%",
    "traversal": "../../etc/passwd",
    "format": "%s%n{0}{__class__}",
    "template": "{{7*7}}{% debug %}${7*7}",
    "script": "<script>alert(1)</script>",
    "right to left": "\u202egpj.exe",
    "very long": "a" * 100_000,
    "many marks": "e" + "\u0301" * 5000,
    "emoji": "👩‍👩‍👧‍👦" * 255,
    "spaces": "   ",
    "number": 10**40,
    "negative": -1,
    "float": 1.5,
    "nothing": None,
    "list": ["x"],
    "object": {"$gt": ""},
    "true": True,
}


@pytest.mark.parametrize(("route", "method", "body"), WITH_BODY)
def test_no_value_of_any_field_makes_a_defect(api, route, method, body):
    """Refused or taken, each with a plain answer."""
    client = caller(route, api)
    root_id = api("mia").get("/me").json()["root_id"]
    for field in fields_of(body):
        for attack, value in ATTACKS.items():
            wanted = {
                **smallest(body),
                **({"parent_id": root_id} if "parent_id" in body.__struct_fields__ else {}),
                field.name: value,
            }
            answer = client.request(method, at(route), written(wanted), headers={"if-match": '"1"'})
            assert answer.status_code < 500, (field.name, attack, answer.content)
            if answer.status_code >= 400:
                assert answer["Content-Type"] == "application/problem+json", (field.name, attack)
                assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(("route", "method", "query"), WITH_QUERY)
def test_no_value_of_any_parameter_makes_a_defect(api, acme, route, method, query):
    for client in (api("mia"), api("olga")):
        root_id = client.get("/me").json()["root_id"]
        with tenancy.entered(acme):
            assert operating.catch_up(), "what asks for history waits for its consumer"
        place = route.at(**dict.fromkeys(route.parameters, root_id))
        for field in fields_of(query):
            for attack, value in ATTACKS.items():
                if attack == "lone surrogate":
                    continue  # no URL can hold one; the broken encodings are below
                answer = client.request(method, place, **{field.name: str(value)})
                assert answer.status_code < 500, (field.name, attack, answer.content)


@pytest.mark.parametrize(
    "query",
    [
        "limit=%ff",
        "cursor=%00",
        "cursor=%ed%a0%80",
        "%ff=1",
        "limit=1&limit=1000000000",
        "limit=0x10",
        "limit=٣",
        "limit=+1",
        "limit=1e2",
        "limit=1_0",
    ],
)
def test_a_query_in_broken_encodings_is_no_defect(api, query):
    answer = api("mia").request("GET", f"/nodes/root/children?{query}")
    assert answer.status_code in (200, 400, 422)


@pytest.mark.parametrize(("route", "method", "body"), WITH_BODY)
def test_only_json_of_a_sane_size_and_shape_is_read(api, route, method, body):
    """THR 30, 40: forms, other types, deep nesting, endless lists, and bodies over 2 MB."""
    client = caller(route, api, "olga")  # who may do all of it
    place = at(route)
    for media_type in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "",
    ):
        answer = client.request(method, place, b"{}", headers={"content-type": media_type})
        assert answer.status_code == 415, (media_type, answer.content)
    deep = b"[" * 50_000 + b"]" * 50_000
    for content, statuses in {
        b"": (422,), b"{": (400,), b"null": (422,), b"[]": (422,), b"\xff\xfe": (400,), b'{"a": NaN}': (400, 422), deep: (400, 422),
        b'{"a": ' * 50_000 + b"1" + b"}" * 50_000: (400, 422), b" " * (2 * 1024 * 1024 + 1): (413,),
    }.items():  # fmt: skip
        answer = client.request(method, place, content)
        # Where every field may be missing, so may the body; what it then asks for may not be the caller's.
        expected = {*statuses, *((200, 201, 204, 403, 404) if not smallest(body) and content == b"" else ())}
        assert answer.status_code in expected, (content[:30], answer.status_code, answer.content[:200])


def test_limits_are_limits(api):
    """THR 40: nobody asks for more than a page, a batch or a name holds."""
    client = api("mia")
    root_id = client.get("/me").json()["root_id"]
    for limit in (0, -1, 1001, 10**9, 10**30):
        assert client.get("/nodes/root/children", limit=limit).status_code == 422
        assert client.get("/trash", limit=limit).status_code == 422
        assert client.get("/tokens", limit=limit).status_code == 422
    assert client.post("/folders", {"parent_id": root_id, "name": "n" * 10_000}).status_code == 422
    assert (
        client.post("/uploads", {"parent_id": root_id, "name": "big", "size_bytes": 5 * 1024**4 + 1}).status_code == 413
    )
    assert client.post("/uploads", {"parent_id": root_id, "name": "big", "size_bytes": 2**70}).status_code in (413, 422)
    many = {"parent_id": root_id, "name": "many", "size_bytes": 1, "part_hashes": ["0" * 64] * 10_001}
    assert client.post("/uploads", many).status_code == 422
    assert client.get("/nodes/by-path", path="/" + "a/" * 10_000).status_code == 422
    assert client.get("/nodes/by-path", path="/a" * 100).status_code in (404, 422)


def test_reading_changes_nothing(api):
    """THR 30: no GET or HEAD has an effect that the stream would tell of, whatever it is asked with."""
    from bitvault.events.models import StreamHead

    client = api("mia")
    root_id = client.get("/me").json()["root_id"]

    def heads():
        return list(StreamHead.objects.order_by("tenant_id").values_list("tenant_id", "last_seq"))

    before = heads()
    for route in routes():
        for method in ("GET", "HEAD"):
            answer = client.request(method, route.at(**dict.fromkeys(route.parameters, root_id)), _method="DELETE")
            assert "BitVault-Seq" not in answer.headers
            client.request(
                method,
                route.at(**dict.fromkeys(route.parameters, root_id)),
                headers={"x-http-method-override": "DELETE"},
            )
    assert heads() == before


def test_a_name_is_one_line_in_a_log(api, capfd):
    """THR 35: what a person writes cannot begin a line of its own in a log, or colour one."""
    client = api("mia")
    root_id = client.get("/me").json()["root_id"]
    forged = '\n{"event": "forged", "level": "info"}\x1b[31m'
    client.post("/folders", {"parent_id": root_id, "name": forged})
    client.request(
        "GET", "/nodes/by-path", path=f"/{forged}", headers={"x-request-id": "a\nforged", "user-agent": forged}
    )
    written_out = capfd.readouterr()
    assert "forged" not in written_out.err + written_out.out


def test_random_bytes_for_a_token_are_nobody(api):
    """THR 1: no spelling of a credential is ever taken for somebody's (also see tests/apps/identity/test_credentials.py)."""
    for _ in range(200):
        noise = os.urandom(20).hex()
        for text in (f"bv_{ACME.people['mia'].token_id.hex}_{noise}", f"bv_{noise}_{noise}", noise, f"bv__{noise}"):
            assert ApiClient(token=text).get("/me").status_code == 401
