"""The REST surface of nodes, folders and the trash, as docs/openapi.json says it."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.apps.files.conftest import Tree

NODE_FIELDS = {
    "id",
    "kind",
    "name",
    "parent_id",
    "revision",
    "size_bytes",
    "media_type",
    "content_hash",
    "version_id",
    "created_at",
    "modified_at",
    "client_modified_at",
    "created_by",
    "tags",
    "favourite",
    "lock",
    "trashed_at",
    "capabilities",
    "name_problems",
}


@pytest.fixture
def mia(api):
    return api("mia")


@pytest.fixture
def root_id(mia):
    return mia.get("/nodes/root").json()["id"]


@pytest.fixture
def make_folder(mia, root_id):
    def make(name, parent_id=None):
        response = mia.post("/folders", {"parent_id": parent_id or root_id, "name": name})
        assert response.status_code == 201, response.content
        return response.json()

    return make


@pytest.fixture
def make_file(acme, make_actor):
    """Make files through the doors: bytes are the gateway's business."""

    def make(name, parent_id=None, content=b"abc"):
        from bitvault.kernel import tenancy

        with tenancy.entered(acme):
            return Tree(make_actor("mia")).file(name, UUID(parent_id) if parent_id else None, content)

    return make


def problem(response, status, code):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == code
    return response.json()


# --- nodes -----------------------------------------------------------------------------------------------------------------


def test_a_node_has_the_fields_of_the_contract(mia, make_folder, make_file):
    folder = make_folder("Reports")
    assert set(folder) == NODE_FIELDS
    assert (folder["kind"], folder["tags"], folder["size_bytes"], folder["trashed_at"]) == ("folder", [], None, None)
    assert folder["capabilities"] == ["view", "download", "comment", "add", "edit", "share", "manage"]
    assert datetime.fromisoformat(folder["created_at"]).tzinfo == UTC
    file = make_file("a.txt")
    body = mia.get(f"/nodes/{file.id}").json()
    assert set(body) == NODE_FIELDS
    assert (body["kind"], body["size_bytes"], body["media_type"]) == ("file", 3, "text/plain")


def test_a_single_node_carries_its_etag_and_is_not_sent_twice(mia, make_folder):
    folder = make_folder("x")
    response = mia.get(f"/nodes/{folder['id']}")
    assert (response.status_code, response["ETag"], response.json()) == (200, '"1"', folder)
    for fresh in ('"1"', 'W/"1"', '"0", "1"', "*"):
        again = mia.request("GET", f"/nodes/{folder['id']}", headers={"if-none-match": fresh})
        assert (again.status_code, again.content, again["ETag"]) == (304, b"", '"1"')
    assert mia.request("GET", f"/nodes/{folder['id']}", headers={"if-none-match": '"2"'}).status_code == 200


def test_a_mutation_answers_with_its_number_in_the_stream(mia, make_folder, root_id):
    first = mia.post("/folders", {"parent_id": root_id, "name": "a"})["BitVault-Seq"]
    second = mia.post("/folders", {"parent_id": root_id, "name": "b"})["BitVault-Seq"]
    assert int(second) == int(first) + 1
    assert not mia.get("/nodes/root").has_header("BitVault-Seq")


def test_a_mutation_that_is_sent_again_answers_with_a_number_too(mia, make_folder):
    """Whoever lost the first answer can wait for what it did."""
    folder = make_folder("x")
    first = mia.patch(f"/nodes/{folder['id']}", {"name": "y"}, revision=1)
    again = mia.patch(f"/nodes/{folder['id']}", {"name": "y"}, revision=1)
    assert (again.status_code, again.json()) == (200, first.json())
    assert int(again["BitVault-Seq"]) >= int(first["BitVault-Seq"])


def test_rename_and_move_in_one_patch(mia, make_folder):
    folder, target = make_folder("x"), make_folder("target")
    response = mia.patch(f"/nodes/{folder['id']}", {"name": "y", "parent_id": target["id"]}, revision=1)
    assert response.status_code == 200
    assert (response.json()["name"], response.json()["parent_id"], response["ETag"]) == ("y", target["id"], '"2"')


def test_a_patch_needs_the_etag_and_the_right_one(mia, make_folder):
    folder = make_folder("x")
    path = f"/nodes/{folder['id']}"
    problem(mia.patch(path, {"name": "y"}), 428, "request.precondition_required")
    mia.patch(path, {"name": "y"}, revision=1)
    stale = problem(mia.patch(path, {"name": "z"}, revision=1), 412, "files.revision_mismatch")
    assert stale["revision"] == 2
    for tag in ('W/"2"', '"two"', '"99999999999999999999"', '"1", "3"', '"1", W/"2"', '"2,3"', '"2,", "02"'):
        problem(mia.patch(path, {"name": "z"}, headers={"if-match": tag}), 412, "files.revision_mismatch")
    for tag in ("2", "", '"2', ", ,", '"2" "3"', '"2", *', '"2", 3', 'w/"2"'):
        problem(mia.patch(path, {"name": "z"}, headers={"if-match": tag}), 400, "request.bad_condition")
    assert mia.patch(path, {"name": "z"}, headers={"if-match": "*"}).json()["revision"] == 3


@pytest.mark.parametrize("tags", ['"1", "7"', '"7","1"', ' "7" ,, "1",', '"a,b", "1"', 'W/"1", "1"'])
def test_one_of_several_etags_is_enough(mia, make_folder, tags):
    folder = make_folder("x")
    path = f"/nodes/{folder['id']}"
    assert mia.patch(path, {"name": "y"}, headers={"if-match": tags}).json()["revision"] == 2
    problem(mia.patch(path, {"name": "z"}, headers={"if-match": tags}), 412, "files.revision_mismatch")
    problem(mia.delete(path, headers={"if-match": tags}), 412, "files.revision_mismatch")
    assert mia.delete(path, headers={"if-match": f'{tags}, "2"'.replace(",,", ",")}).status_code == 204


@pytest.mark.parametrize(("tags", "status"), [('W/"1"', 304), ('"0", W/"1"', 304), ('"0,1"', 200), ("1", 400)])
def test_a_reader_may_know_several_states(mia, make_folder, tags, status):
    folder = make_folder("x")
    assert mia.get(f"/nodes/{folder['id']}", headers={"if-none-match": tags}).status_code == status


@pytest.mark.parametrize("body", [{}, {"name": None}, {"name": None, "parent_id": None}])
def test_an_empty_patch_is_an_error(mia, make_folder, body):
    problem(mia.patch(f"/nodes/{make_folder('x')['id']}", body, revision=1), 422, "files.nothing_to_change")


def test_conflicts_say_what_is_in_the_way(mia, make_folder):
    taken, folder = make_folder("Taken"), make_folder("x")
    told = problem(mia.patch(f"/nodes/{folder['id']}", {"name": "TAKEN"}, revision=1), 409, "files.name_taken")
    assert (told["node_id"], told["kind"]) == (taken["id"], "folder")
    inner = make_folder("inner", folder["id"])
    cycle = mia.patch(f"/nodes/{folder['id']}", {"parent_id": inner["id"]}, revision=1)
    problem(cycle, 409, "files.move_cycle")


def test_the_root_is_fixed(mia, root_id):
    for node_id in ("root", root_id):
        problem(mia.patch(f"/nodes/{node_id}", {"name": "x"}, revision=1), 403, "files.root_fixed")
        problem(mia.delete(f"/nodes/{node_id}"), 403, "files.root_fixed")


def test_children_come_page_by_page(mia, make_folder, make_file):
    folder = make_folder("folder")
    for name in ("b10", "b9", "a"):
        make_folder(name, folder["id"])
    make_file("0.txt", folder["id"])
    path = f"/nodes/{folder['id']}/children"
    first = mia.get(path, limit=3).json()
    assert [item["name"] for item in first["items"]] == ["a", "b9", "b10"]
    second = mia.get(path, limit=3, cursor=first["next_cursor"]).json()
    assert ([item["name"] for item in second["items"]], second["next_cursor"]) == (["0.txt"], None)
    down = mia.get(path, sort="name", order="desc").json()
    assert [item["name"] for item in down["items"]] == ["b10", "b9", "a", "0.txt"]
    assert [item["name"] for item in mia.get("/nodes/root/children").json()["items"]] == ["folder"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"limit": 0}, 422),
        ({"limit": 1001}, 422),
        ({"limit": 10**9}, 422),
        ({"limit": "many"}, 422),
        ({"sort": "owner"}, 422),
        ({"sort": "name; DROP TABLE files_node"}, 422),
        ({"sort": "parent__name"}, 422),
        ({"order": "sideways"}, 422),
        ({"_connector": "OR"}, 422),
        ({"parent_id__isnull": "1"}, 422),
        ({"cursor": "made-up"}, 400),
        ({"cursor": "x" * 10_000}, 400),
    ],
)
def test_a_list_takes_only_what_it_knows(mia, query, status):
    assert mia.get("/nodes/root/children", **query).status_code == status


def test_paths_lead_both_ways(mia, make_folder):
    inner = make_folder("2026", make_folder("Reports")["id"])
    items = mia.get(f"/nodes/{inner['id']}/path").json()["items"]
    assert [item["name"] for item in items] == ["My files", "Reports", "2026"]
    assert mia.get("/nodes/by-path", path="/reports/2026").json() == inner
    assert mia.get("/nodes/by-path", path="/").json()["parent_id"] is None
    problem(mia.get("/nodes/by-path", path="/Reports/2027"), 404, "access.not_found")
    assert mia.get("/nodes/by-path").status_code == 422


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/..\\..",
        "/%2e%2e/../x",
        "//host/share",
        "etc",
        "/a/%00\0",
        "/C:\r\nX: y",
        "/" + "x/" * 5000,
    ],
)
def test_a_path_out_of_the_tree_is_refused_or_just_a_name(mia, path):
    assert mia.get("/nodes/by-path", path=path).status_code in (404, 422)


# --- folders ---------------------------------------------------------------------------------------------------------------


def test_a_repeated_key_makes_one_folder(mia, root_id):
    headers = {"idempotency-key": "k1"}
    body = {"parent_id": root_id, "name": "x"}
    first = mia.post("/folders", body, headers=headers)
    again = mia.post("/folders", body, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert len(mia.get("/nodes/root/children").json()["items"]) == 1
    problem(mia.post("/folders", {**body, "name": "y"}, headers=headers), 422, "request.idempotency_key_reused")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("../x", 422),
        ("..", 422),
        ("a/b", 422),
        ("/abs", 422),
        ("nul\0", 422),
        ("x\r\nSet-Cookie: a=b", 422),
        ("", 422),
        ("x" * 10_240, 422),
        ("..\\x", 201),
        ("C:", 201),
        ("%2e%2e", 201),
        ("\u2024\u2024", 201),
        ('"; filename=x', 201),
        ("\u202egnp.exe", 201),
        ("\U0001f600" * 63, 201),
        ("\U0001f600" * 255, 422),
        ("<script>alert(1)</script>", 422),
        ("<img src=x onerror=alert(1)>", 201),
        ("Robert'); DROP TABLE files_node;--", 201),
    ],
)
def test_names_that_attack_are_refused_or_kept_as_they_are(mia, root_id, name, status):
    response = mia.post("/folders", {"parent_id": root_id, "name": name})
    assert response.status_code == status
    if status == 201:
        assert response.json()["name"] == name
        assert mia.get(f"/nodes/{response.json()['id']}").json()["name"] == name
    else:
        problem(response, 422, "files.invalid_name")


def test_a_name_that_windows_cannot_hold_is_kept_and_says_so(mia, root_id):
    made = mia.post("/folders", {"parent_id": root_id, "name": "plan: b."}).json()
    assert (made["name"], made["name_problems"]) == ("plan: b.", ["windows_character", "windows_trailing"])
    renamed = mia.patch(f"/nodes/{made['id']}", {"name": "plan b"}, revision=1).json()
    assert renamed["name_problems"] == []


def test_a_lone_surrogate_in_json_is_no_name(mia, root_id):
    raw = b'{"parent_id": "%s", "name": "a\\ud800"}' % root_id.encode()
    assert mia.post("/folders", raw).status_code in (400, 422)


@pytest.mark.parametrize(
    "field", ["owner_id", "owner_user_id", "tenant", "size_bytes", "revision", "seq", "kind", "id"]
)
def test_what_is_not_the_callers_to_set_is_refused(mia, root_id, field):
    response = mia.post("/folders", {"parent_id": root_id, "name": "x", field: 1})
    assert response.status_code == 422
    assert mia.patch(f"/nodes/{root_id}", {"name": "x", field: 1}, revision=1).status_code == 422


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"x"',
        b'{"parent_id": 1, "name": "x"}',
        b'{"parent_id": "root", "name": "x"}',
        b'{"name": "x"}',
        b"\xff",
    ],
)
def test_a_body_that_is_not_right_is_refused(mia, body):
    assert mia.post("/folders", body).status_code in (400, 422)


def test_only_json_is_read(mia, root_id):
    response = mia._client.post("/api/v1/folders", {"parent_id": root_id, "name": "x"}, headers=mia.headers)
    problem(response, 415, "request.unsupported_media_type")


# --- trash -----------------------------------------------------------------------------------------------------------------


def test_into_the_trash_and_back(mia, make_folder):
    folder = make_folder("x", make_folder("outer")["id"])
    gone = mia.delete(f"/nodes/{folder['id']}")
    assert (gone.status_code, gone.content, gone.has_header("BitVault-Seq")) == (204, b"", True)
    problem(mia.get(f"/nodes/{folder['id']}"), 404, "access.not_found")
    (item,) = mia.get("/trash").json()["items"]
    assert set(item) == NODE_FIELDS | {"root_id", "origin_path", "trashed_by", "expires_at", "kept"}
    assert (item["id"], item["origin_path"], item["parent_id"]) == (folder["id"], "/outer/x", folder["parent_id"])
    back = mia.post(f"/trash/{folder['id']}/restore", {})
    assert (back.status_code, back.json()["parent_id"], back.json()["trashed_at"]) == (200, folder["parent_id"], None)
    assert mia.get("/trash").json() == {"items": [], "next_cursor": None}


def test_a_deletion_honours_the_etag_when_it_is_sent(mia, make_folder):
    folder = make_folder("x")
    problem(mia.delete(f"/nodes/{folder['id']}", headers={"if-match": '"2"'}), 412, "files.revision_mismatch")
    assert mia.delete(f"/nodes/{folder['id']}", headers={"if-match": '"1"'}).status_code == 204


def test_restoring_says_what_is_in_the_way(mia, make_folder):
    outer = make_folder("outer")
    folder = make_folder("x", outer["id"])
    mia.delete(f"/nodes/{folder['id']}")
    make_folder("X", outer["id"])
    path = f"/trash/{folder['id']}/restore"
    problem(mia.post(path, {}), 409, "files.name_taken")
    assert mia.post(path, {"on_conflict": "maybe"}).status_code == 422
    mia.delete(f"/nodes/{outer['id']}")
    back = mia.post(path, {}).json()
    assert set(back) == NODE_FIELDS | {"root_id", "path", "restored_to"}
    assert (back["name"], back["path"], back["restored_to"]) == ("x", "/x", "ancestor")


def test_several_are_restored_at_once(mia, make_folder):
    outer = make_folder("outer")
    inner = make_folder("inner", outer["id"])
    for folder in (inner, outer):
        mia.delete(f"/nodes/{folder['id']}")
    unknown = str(uuid4())
    answer = mia.post("/trash/restore", {"ids": [inner["id"], unknown, outer["id"]]})
    assert answer.status_code == 200, answer.text
    first, second, third = answer.json()["items"]
    assert (first["id"], first["status"], first["node"]["path"]) == (inner["id"], 200, "/outer/inner")
    assert set(second) == {"id", "status", "problem"}
    assert (second["status"], second["problem"]["code"]) == (404, "access.not_found")
    assert third["node"]["path"] == "/outer"
    assert mia.post("/trash/restore", {"ids": []}).status_code == 422
    assert mia.post("/trash/restore", {"ids": [unknown] * 1001}).status_code == 422


def test_gone_for_ever(mia, make_folder):
    one, two = make_folder("1"), make_folder("2")
    for folder in (one, two):
        mia.delete(f"/nodes/{folder['id']}")
    assert mia.delete(f"/trash/{one['id']}").status_code == 204
    problem(mia.delete(f"/trash/{one['id']}"), 404, "access.not_found")
    problem(mia.post(f"/trash/{one['id']}/restore", {}), 404, "access.not_found")
    assert [item["id"] for item in mia.get("/trash").json()["items"]] == [two["id"]]
    assert mia.delete("/trash").status_code == 204
    assert mia.get("/trash").json()["items"] == []


# --- who may not -----------------------------------------------------------------------------------------------------------

ROUTES = [
    ("GET", "/nodes/{id}", None),
    ("PATCH", "/nodes/{id}", {"name": "y"}),
    ("DELETE", "/nodes/{id}", None),
    ("GET", "/nodes/{id}/children", None),
    ("GET", "/nodes/{id}/path", None),
    ("POST", "/folders", {"parent_id": "{id}", "name": "y"}),
    ("POST", "/trash/{id}/restore", {}),
    ("DELETE", "/trash/{id}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_strangers_other_tenants_and_nothing_read_the_same(api, mia, make_folder, method, path, body):
    live, trashed = make_folder("live")["id"], make_folder("trashed")["id"]
    mia.delete(f"/nodes/{trashed}")
    answers = set()
    for node_id in (live, trashed, str(uuid4())):
        for name in ("olga", "adam", "vera", "boris", "mona"):
            sent = {key: value.replace("{id}", node_id) for key, value in body.items()} if body is not None else None
            response = api(name).request(method, path.replace("{id}", node_id), sent)
            told = response.json()
            told.pop("request_id")
            answers.add((response.status_code, str(sorted(told.items()))))
    assert len(answers) == 1, answers
    assert next(iter(answers))[0] == 404


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_nobody_gets_in_without_a_token(mia, make_folder, method, path, body):
    from tests.support.client import ApiClient

    node_id = make_folder("x")["id"]
    sent = {key: value.replace("{id}", node_id) for key, value in body.items()} if body is not None else None
    problem(ApiClient().request(method, path.replace("{id}", node_id), sent), 401, "identity.unauthenticated")


def test_a_viewer_sees_and_does_nothing_else(api):
    vera = api("vera")
    root = vera.get("/nodes/root").json()
    assert root["capabilities"] == ["view", "download"]
    problem(vera.post("/folders", {"parent_id": root["id"], "name": "x"}), 403, "access.forbidden")
    problem(vera.delete("/trash"), 403, "access.forbidden")
    assert vera.get("/nodes/root/children").status_code == 200


@pytest.mark.parametrize("node_id", ["nobody", "00000000-0000-0000-0000-00000000000g", "1", "..", "root2", "%2e%2e"])
def test_what_is_no_id_is_not_found(mia, node_id):
    assert mia.get(f"/nodes/{node_id}").status_code == 404


@pytest.mark.parametrize("count", [10, 200])
@pytest.mark.usefixtures("lasting_memory")
def test_a_page_takes_at_most_six_queries_with_authentication(mia, make_folder, count):
    folder = make_folder("folder")
    for number in range(count):
        make_folder(str(number), folder["id"])
    path = f"/nodes/{folder['id']}/children"
    mia.get(path)
    with CaptureQueriesContext(connection) as captured:
        assert len(mia.get(path, limit=200).json()["items"]) == count
    statements = [
        query["sql"]
        for query in captured.captured_queries
        if not query["sql"].startswith(("SAVEPOINT", "RELEASE")) and "set_config('role', 'none'" not in query["sql"]
    ]
    assert len(statements) <= 6, statements
