"""No way around a lock: every statement that changes a node, and every route that could, is known here and judged."""

import ast
import re
from pathlib import Path

import pytest

from apps.files import api as files
from bitvault.kernel import tenancy
from tests.apps.files.conftest import Tree, fetch
from tests.support.shares import grant, live, make_team
from tests.support.surface import operations

FILES = Path(files.__file__).parents[1]

STATEMENTS = {
    "sql/nodes.py": {
        "COUNTED": "counts and bounds of folders",
        "WRITE_VERSION": "guarded",
        "MOVE": "guarded",
        "SET_TIME": "guarded",
        "TRASH": "guarded",
        "RESTORE": "what lies in the trash has no lock that holds",
        "HAND_OVER": "a root whose owner has left goes whole, with what is locked in it",
    },
    "sql/trash.py": {"DELETE": "what lies in the trash has no lock that holds"},
    "sql/names.py": {"REKEY": "how names sort, which nobody sees"},
    "rewinding/sql.py": dict.fromkeys(
        ("TRASH", "PARK", "PLACE", "CONTENT"), "a job's, that leaves out what is locked (test_rewind.py)"
    ),
}
"""Statements that change rows of nodes, by the module and the name that they have, and why each may."""

QUERYSETS = {
    "operations/teams.py": {
        "rename": "guarded",
        "restore": "what lies in the trash has no lock that holds",
    },
    "operations/ruling.py": {"set_rules": "rules of folders, which have no lock"},
    "operations/locking.py": {"lock": "the lock itself", "release": "the lock itself"},
    "operations/batching.py": {"_write": "makes files"},
    "operations/purging.py": {"_purge_batch": "what lies in the trash has no lock that holds"},
}
"""Functions that change rows of nodes by a queryset, and why each may."""

_CONSTANT = re.compile(
    r'^(?P<name>_?[A-Z_]+) = f?"""(?P<sql>.*?)"""|^(?P<short>_?[A-Z_]+) = f?"(?P<line>[^"]*)"', re.MULTILINE | re.DOTALL
)
_CHANGE = re.compile(r"\b(?:UPDATE|DELETE FROM) files_node\b")
_WRITES = {"update", "delete", "save", "bulk_update", "bulk_create", "create", "update_or_create", "get_or_create"}
_NODES = re.compile(r"\bNode(?:Model)?\.objects\b")


def sources():
    """Give what each module of files is called, and its text."""
    for path in FILES.rglob("*.py"):
        if "migrations" not in path.parts:
            yield path.relative_to(FILES).as_posix(), path.read_text()


def test_every_statement_that_changes_nodes_is_known():
    found = {}
    for path, source in sources():
        named = [(one["name"] or one["short"], one["sql"] or one["line"] or "") for one in _CONSTANT.finditer(source)]
        writers = [(name, len(_CHANGE.findall(sql))) for name, sql in named if _CHANGE.search(sql)]
        assert len(_CHANGE.findall(source)) == sum(count for _, count in writers), f"{path}: a statement without a name"
        if writers:
            found[path] = {name for name, _ in writers}
    assert found == {path: set(names) for path, names in STATEMENTS.items()}


def test_every_queryset_that_changes_nodes_is_known():
    """A function that asks for nodes and calls anything that writes counts, whether it writes nodes or not."""
    found = {}
    for path, source in sources():
        for function in (one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef)):
            calls = {
                one.func.attr
                for one in ast.walk(function)
                if isinstance(one, ast.Call) and isinstance(one.func, ast.Attribute)
            }
            if calls & _WRITES and _NODES.search(ast.get_source_segment(source, function) or ""):
                found.setdefault(path, set()).add(function.name)
    assert found == {path: set(names) for path, names in QUERYSETS.items()}


@pytest.fixture
def world(acme, make_actor, api):
    """A team folder in which mia has locked a file, as others meet it."""
    with tenancy.entered(acme):
        mia, adam = live(make_actor("mia")), make_actor("adam")
        tree = Tree(mia)
        team = make_team(adam, "Team", grant("everyone", "editor"))
        inner = tree.folder("inner", team)
        file = tree.file("plan.txt", inner)
        tree.trash(file)
        trashed = file
        file = tree.file("plan.txt", inner)
        old_id = file.version_id
        file = tree.write(file, b"second").node
        locked = files.lock_node(actor=mia, node_id=file.id, reason="At work")
    return {"team": team, "inner": inner, "trashed": trashed, "locked": locked, "old_id": old_id}


ATTEMPTS = {
    ("PATCH", "/nodes/{node_id}"): [
        ("/nodes/{locked}", {"name": "x.txt"}),
        ("/nodes/{locked}", {"parent_id": "{team}"}),
        ("/nodes/{locked}", {"client_modified_at": "2020-01-01T00:00:00Z"}),
        ("/nodes/{inner}", {"name": "x"}),
    ],
    ("DELETE", "/nodes/{node_id}"): [("/nodes/{locked}", None), ("/nodes/{inner}", None)],
    ("POST", "/nodes/{node_id}/children/batch"): [
        ("/nodes/{inner}/children/batch", {"action": "trash"}),
        ("/nodes/{inner}/children/batch", {"action": "move", "parent_id": "{team}"}),
        ("/nodes/{team}/children/batch", {"action": "trash"}),
    ],
    ("POST", "/nodes/{node_id}/versions/{version_id}/restore"): [("/nodes/{locked}/versions/{old_id}/restore", {})],
    ("DELETE", "/nodes/{node_id}/versions/{version_id}"): [("/nodes/{locked}/versions/{old_id}", None)],
    ("PUT", "/nodes/{node_id}/lock"): [("/nodes/{locked}/lock", {})],
    ("DELETE", "/nodes/{node_id}/lock"): [("/nodes/{locked}/lock", None)],
    ("PATCH", "/team-folders/{folder_id}"): [("/team-folders/{team}", {"name": "x"})],
    ("DELETE", "/team-folders/{folder_id}"): [("/team-folders/{team}", None)],
    ("POST", "/trash/{node_id}/restore"): [("/trash/{trashed}/restore", {"on_conflict": "replace"})],
    ("POST", "/trash/restore"): [("/trash/restore", {"ids": ["{trashed}"], "on_conflict": "replace"})],
    ("POST", "/uploads"): [
        ("/uploads", {"parent_id": "{inner}", "name": "plan.txt", "size_bytes": 1, "mode": "overwrite"}),
        (
            "/uploads",
            {"parent_id": "{inner}", "name": "plan.txt", "size_bytes": 1, "mode": "update", "node_id": "{locked}"}
            | {"base_version_id": "{old_id}"},
        ),
    ],
    ("POST", "/uploads/batch"): [
        (
            "/uploads/batch",
            {"uploads": [{"parent_id": "{inner}", "name": "plan.txt", "size_bytes": 1, "mode": "overwrite"}]},
        )
    ],
}
"""Requests of somebody else, an administrator even, to each route that could change a locked file or take it away."""

ELSEWHERE = {
    ("POST", "/uploads/{upload_id}/commit"): "tests/apps/files/test_locks.py, at the door",
    ("POST", "/uploads/batch/commit"): "the same door for each",
    ("POST", "/nodes/{node_id}/rewind"): "a plan; its job leaves out what is locked (test_rewind.py)",
    ("POST", "/sync/conflicts/{conflict_id}/resolve"): "files.trash_node and files.update_node",
    ("PATCH", "/public/links/{token}/nodes/{node_id}"): "tests/gateway/test_link_edits.py",
    ("POST", "/public/links/{token}/uploads"): "the same",
    ("POST", "/public/links/{token}/uploads/{upload_id}/commit"): "the same door as for members",
}

HARMLESS = {
    *{("POST", path) for path in ("/uploads/{upload_id}/parts", "/folders", "/team-folders", "/archives")},
    *{("POST", path) for path in ("/nodes/{node_id}/copy", "/sync/devices", "/sync/cursor", "/sync/ticket")},
    *{("DELETE", path) for path in ("/uploads/{upload_id}", "/sync/devices/{device_id}")},
    *{(method, "/nodes/{node_id}/favourite") for method in ("PUT", "DELETE")},
    *{(method, "/nodes/{node_id}/tags/{tag_id}") for method in ("PUT", "DELETE")},
    *{(method, "/nodes/{node_id}/description") for method in ("PUT", "DELETE")},  # of folders, which have no lock
    *{(method, "/nodes/{node_id}/file-rules") for method in ("PUT", "DELETE")},  # of folders, which have no lock
    *{(method, "/nodes/{node_id}/shares") for method in ("POST", "PUT")},
    ("PATCH", "/nodes/{node_id}/versions/{version_id}"),  # label and pin
    ("POST", "/nodes/{node_id}/access-requests"),
    ("POST", "/nodes/{node_id}/links"),
    ("POST", "/nodes/{node_id}/extract"),  # makes a folder beside it
    ("POST", "/nodes/{node_id}/comments"),
    ("POST", "/nodes/{node_id}/shortcuts"),
    # What lies in the trash has no lock that holds.
    ("POST", "/team-folders/{folder_id}/restore"),
    ("DELETE", "/trash"),
    ("DELETE", "/trash/{node_id}"),
    *{(method, "/nodes/{node_id}/metadata/{field_id}") for method in ("PUT", "DELETE")},
    *{("POST", f"/public/links/{{token}}/{what}") for what in ("folders", "unlock", "submissions")},
    ("POST", "/public/links/{token}/submissions/current/finish"),
    ("DELETE", "/public/links/{token}/uploads/{upload_id}"),
    ("POST", "/public/links/{token}/uploads/{upload_id}/parts"),
}
"""Routes below these that leave content, names, places and existence of files as they are."""

BELOW = ("/nodes", "/uploads", "/folders", "/team-folders", "/trash", "/sync", "/public/links", "/archives")


def test_every_route_that_could_change_a_locked_file_is_known():
    changing = {
        (method, route.path)
        for route, method, _ in operations()
        if method in ("POST", "PUT", "PATCH", "DELETE") and route.path.startswith(BELOW)
    }
    assert changing == set(ATTEMPTS) | set(ELSEWHERE) | HARMLESS


def fill(value, ids):
    match value:
        case dict():
            return {name: fill(one, ids) for name, one in value.items()}
        case list():
            return [fill(one, ids) for one in value]
        case str():
            return value.format(**ids)
    return value


def codes_of(answer):
    """The code of a problem, or of each item of an answer that has several."""
    body = answer.json()
    items = body.get("items", [body])
    return [(item.get("problem") or item).get("code") for item in items]


@pytest.mark.parametrize(
    ("method", "attempt"),
    [(route[0], attempt) for route, attempts in ATTEMPTS.items() for attempt in attempts],
    ids=[f"{route[0]} {route[1]} {number}" for route, attempts in ATTEMPTS.items() for number in range(len(attempts))],
)
def test_no_route_changes_what_somebody_else_has_locked(world, api, acme, method, attempt):
    ids = {name: getattr(one, "id", one) for name, one in world.items()}
    path, body = attempt
    with tenancy.entered(acme):
        before = fetch("SELECT id, parent_id, name, version_id, lock FROM files_node ORDER BY id")
    headers = {"if-match": "*"} if method == "PATCH" else {}
    answer = api("adam").request(method, fill(path, ids), fill(body, ids), headers=headers)
    assert codes_of(answer) == ["files.locked"], answer.content
    with tenancy.entered(acme):
        assert fetch("SELECT id, parent_id, name, version_id, lock FROM files_node ORDER BY id") == before
    if answer.status_code == 423:
        told = answer.json()
        assert (told["node_id"], told["name"], told["lock"]["holder_name"]) == (str(ids["locked"]), "plan.txt", "Mia")
        assert (told["lock"]["reason"], told["title"]) == ("At work", "Somebody else has locked this file")
        assert told["lock"]["expires_at"]


def test_a_lock_is_taken_told_and_ended_over_rest(api, world):
    adam, mia = api("adam"), api("mia")
    path = f"/nodes/{world['inner'].id}/children"
    assert mia.get(path).json()["items"][0]["lock"]["reason"] == "At work"
    node = f"/nodes/{world['locked'].id}"
    answer = adam.delete(f"{node}/lock?force=true")
    assert (answer.status_code, answer.has_header("BitVault-Seq")) == (204, True)
    assert adam.get(node).json()["lock"] is None
    assert adam.delete(f"{node}/lock").status_code == 204
    taken = adam.request("PUT", f"{node}/lock", {"expires_at": "2100-01-01T00:00:00Z"})
    assert (taken.status_code, taken.json()["code"]) == (422, "files.bad_lock_end")
    taken = adam.request("PUT", f"{node}/lock", {"reason": "x" * 201})
    assert taken.status_code == 422
    taken = adam.request("PUT", f"{node}/lock", {"reason": "Mine"})
    assert (taken.status_code, taken.json()["lock"]["device"], taken["ETag"]) == (
        200,
        "API",
        f'"{taken.json()["revision"]}"',
    )
    assert mia.request("PUT", f"{node}/lock", {}).status_code == 423
    assert mia.delete(f"{node}/lock?force=true").status_code == 403
