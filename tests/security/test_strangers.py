"""Nobody reaches what is not theirs: every route × other people's ids, generated from the route table (THR 18, TEN-1).

The answer for somebody else's id, in this tenant or in another, is the answer for an id that never was: same status, same headers, same
body but for the id of the request. A route or a body that names things by id and is not covered here fails.
"""

import re
import uuid

import pytest

from tests.support.push import Subscriber
from tests.support.surface import METHODS, fields_of, is_id, operations, plain, routes

pytestmark = pytest.mark.store

HASH = "0" * 64

BODIES = {
    ("POST", "/folders"): {"parent_id": None, "name": "mine now"},
    ("PATCH", "/nodes/{node_id}"): {"name": "mine now"},
    ("POST", "/nodes/{node_id}/copy"): {"parent_id": "01900000-0000-7000-8000-00000000ffff"},
    ("POST", "/nodes/{node_id}/extract"): {},
    ("POST", "/nodes/{node_id}/rewind"): {"since": "1"},
    ("POST", "/rewinds"): {"since": "1"},
    ("POST", "/archives"): {"node_ids": ["01900000-0000-7000-8000-00000000ffff"]},
    ("POST", "/nodes/{node_id}/children/batch"): {"action": "trash"},
    ("POST", "/trash/{node_id}/restore"): {},
    ("POST", "/trash/restore"): {"ids": ["01900000-0000-7000-8000-00000000ffff"]},
    ("POST", "/uploads"): {"parent_id": None, "name": "mine now", "size_bytes": 1},
    ("POST", "/uploads/batch"): {"uploads": [{"parent_id": None, "name": "mine now", "size_bytes": 1}]},
    ("POST", "/uploads/batch/commit"): {
        "uploads": [{"id": "01900000-0000-7000-8000-00000000ffff", "part_hashes": [HASH]}]
    },
    ("POST", "/uploads/{upload_id}/parts"): {"parts": [{"number": 1, "sha256": HASH}]},
    ("POST", "/uploads/{upload_id}/commit"): {},
    ("POST", "/auth/login"): {"email": "mia@acme.test", "password": "guess"},
    ("POST", "/auth/password"): {"current_password": "guess", "new_password": "another long one"},
    ("POST", "/auth/password/forgot"): {"email": "nobody@acme.test"},
    ("POST", "/auth/password/reset"): {"code": "guess", "new_password": "another long one"},
    ("POST", "/auth/email/verify"): {"code": "guess"},
    ("POST", "/invitations"): {"email": "nobody@elsewhere.test", "role": "member"},
    ("PATCH", "/members/{member_id}"): {},
    ("POST", "/groups"): {"name": "ours now"},
    ("POST", "/roles"): {"name": "ours now", "permissions": []},
    ("PATCH", "/roles/{role_id}"): {"name": "ours now"},
    ("PATCH", "/me"): {},
    ("PATCH", "/tenant"): {},
    ("POST", "/tenant/deletion"): {"name": "ours now"},
    ("POST", "/tenant/domains"): {"domain": "ours-now.example.org"},
    ("PATCH", "/tenant/domains/{domain_id}"): {"is_primary": True},
    ("PATCH", "/nodes/{node_id}/versions/{version_id}"): {"label": "mine now"},
    ("PATCH", "/groups/{group_id}"): {"name": "ours now"},
    ("PUT", "/groups/{group_id}/members/{user_id}"): {},
    ("POST", "/public/invitations/{code}"): {"name": "Nobody", "password": "another long one"},
    ("POST", "/sync/devices"): {"name": "d", "platform": "linux"},
    ("POST", "/sync/cursor"): {"cursor": "none"},
    ("POST", "/sync/ticket"): {},
    ("POST", "/sync/conflicts/{conflict_id}/resolve"): {"keep": "both"},
    ("POST", "/nodes/{node_id}/shares"): {"principal": {"type": "everyone"}, "role": "viewer"},
    ("PUT", "/nodes/{node_id}/shares"): {"shares": []},
    ("PATCH", "/shares/{share_id}"): {},
    ("POST", "/nodes/{node_id}/shortcuts"): {"node_id": "01900000-0000-7000-8000-00000000ffff"},
    ("PATCH", "/shortcuts/{shortcut_id}"): {},
    ("POST", "/nodes/{node_id}/access-requests"): {},
    ("POST", "/access-requests/{request_id}/answer"): {"granted": True},
    ("POST", "/nodes/{node_id}/links"): {"kind": "view"},
    ("PATCH", "/links/{link_id}"): {},
    ("POST", "/links/{link_id}/qr"): {"address": "https://acme.test/s/guess"},
    ("POST", "/public/links/{token}/unlock"): {"password": "guess"},
    ("PATCH", "/scanning/rule"): {},
    ("POST", "/quarantine/{content_id}/release"): {"reason": "mine"},
    ("POST", "/audit/siem-exports"): {"url": "https://8.8.8.8/"},
    ("PATCH", "/audit/siem-exports/{export_id}"): {},
    ("POST", "/audit/siem-exports/{export_id}/restart"): {"from_number": 1},
    ("POST", "/webhooks"): {"url": "https://8.8.8.8/", "events": ["*"]},
    ("PATCH", "/webhooks/{webhook_id}"): {},
    ("POST", "/webhooks/{webhook_id}/replay"): {"from_seq": 1},
    ("POST", "/public/links/{token}/submissions"): {"name": "Nobody"},
    ("POST", "/public/links/{token}/folders"): {"folder": ["n"]},
    ("POST", "/public/links/{token}/uploads"): {"name": "n", "size_bytes": 1},
    ("POST", "/public/links/{token}/uploads/{upload_id}/parts"): {"parts": [{"number": 1, "sha256": "0" * 64}]},
    ("POST", "/public/links/{token}/uploads/{upload_id}/commit"): {},
    ("POST", "/notifications/read"): {"ids": []},
    ("PUT", "/notifications/preferences"): {"items": []},
    ("POST", "/notifications/browsers"): Subscriber("https://8.8.8.8/push").body(),
    ("PUT", "/notifications/browsers/{browser_id}"): Subscriber("https://8.8.8.8/push").body(),
    ("PUT", "/quotas/tenant"): {"limit_bytes": None},
    ("PUT", "/payment/plan"): {"plan": "team"},
    ("PUT", "/features/{key}"): {"value": True},
    ("PUT", "/quotas/{scope}"): {"limit_bytes": 1},
    ("POST", "/subscriptions"): {"node_id": "01900000-0000-7000-8000-00000000ffff"},
    ("PUT", "/nodes/{node_id}/lock"): {},
    ("PUT", "/nodes/{node_id}/file-rules"): {},
    ("POST", "/retention"): {"kind": "hold", "name": "ours now", "target": "vault"},
    ("PATCH", "/retention/{policy_id}"): {},
    ("POST", "/nodes/{node_id}/comments"): {"text": "mine now"},
    ("PATCH", "/comments/{comment_id}"): {},
    ("POST", "/tags"): {"name": "ours now"},
    ("POST", "/metadata/templates"): {"name": "ours now", "fields": [{"name": "f", "kind": "text"}]},
    ("PATCH", "/metadata/templates/{template_id}"): {},
    ("PUT", "/nodes/{node_id}/metadata/{field_id}"): {"value": "mine now"},
    ("PUT", "/nodes/{node_id}/description"): {"text": "mine now"},
    ("PATCH", "/tags/{tag_id}"): {},
    ("POST", "/team-folders"): {"name": "ours now"},
    ("PATCH", "/team-folders/{folder_id}"): {"name": "ours now"},
    ("POST", "/team-folders/{folder_id}/restore"): {},
    ("POST", "/pictures/uploads"): {"size_bytes": 1, "sha256": "0" * 64},
    ("PUT", "/me/picture"): {"upload_id": "01900000-0000-7000-8000-00000000ffff"},
    ("PATCH", "/public/links/{token}/nodes/{node_id}"): {"name": "mine now"},
    ("PUT", "/tenant/logo"): {"upload_id": "01900000-0000-7000-8000-00000000ffff"},
    ("POST", "/tokens"): {"name": "n", "scopes": ["files:read"], "expires_at": "2100-01-01T00:00:00Z"},
}
"""A body for each operation that takes one, such that only the ids decide."""

KINDS = {
    name: name
    for name in (
        *("node_id", "upload_id", "token_id", "session_id", "device_id", "conflict_id", "folder_id", "job_id"),
        *("invitation_id", "code", "member_id", "group_id", "user_id", "version_id", "share_id", "link_id", "token"),
        *(
            "subscription_id",
            "webhook_id",
            "export_id",
            "delivery_id",
            "tag_id",
            "comment_id",
            "request_id",
            "key",
            "scope",
        ),
        *("role_id", "month", "rewind_id", "policy_id", "picture_id", "browser_id", "template_id", "field_id"),
        *("shortcut_id", "content_id", "domain_id", "visit_id"),
    )
}
"""What each parameter of a path names."""

FIELDS = {
    ("POST", "/folders", "parent_id"): ("node_id", {"name": "mine now"}),
    ("PATCH", "/nodes/{node_id}", "parent_id"): ("node_id", {}),
    ("POST", "/nodes/{node_id}/copy", "parent_id"): ("node_id", {"autorename": True}),
    ("POST", "/nodes/{node_id}/extract", "parent_id"): ("node_id", {}),
    ("POST", "/nodes/{node_id}/children/batch", "parent_id"): ("node_id", {"action": "move"}),
    ("POST", "/trash/{node_id}/restore", "parent_id"): ("node_id", {}),
    ("POST", "/uploads", "parent_id"): ("node_id", {"name": "mine now", "size_bytes": 1}),
    ("POST", "/uploads", "node_id"): ("node_id", {"name": "mine now", "size_bytes": 1, "mode": "overwrite"}),
    ("POST", "/uploads", "base_version_id"): ("version_id", {"name": "my file", "size_bytes": 1, "mode": "update"}),
    ("GET", "/nodes/{node_id}/content", "version_id"): ("version_id", None),
    ("HEAD", "/nodes/{node_id}/content", "version_id"): ("version_id", None),
    ("GET", "/nodes/{node_id}/preview", "version_id"): ("version_id", None),
    ("GET", "/nodes/{node_id}/text", "version_id"): ("version_id", None),
    ("GET", "/nodes/{node_id}/scan", "version_id"): ("version_id", None),
    ("GET", "/sync/snapshot", "device_id"): ("device_id", None),
    ("POST", "/sync/ticket", "device_id"): ("device_id", {}),
    ("GET", "/nodes/by-path", "root_id"): ("node_id", None),
    ("GET", "/trash", "root_id"): ("node_id", None),
    ("DELETE", "/trash", "root_id"): ("node_id", None),
    ("GET", "/audit", "node_id"): ("node_id", None),
    ("GET", "/public/links/{token}/children", "node_id"): ("node_id", None),
    ("POST", "/nodes/{node_id}/comments", "reply_to_id"): ("comment_id", {"text": "mine now"}),
    ("POST", "/subscriptions", "node_id"): ("node_id", {}),
    ("POST", "/nodes/{node_id}/shortcuts", "node_id"): ("node_id", {}),
    ("PATCH", "/shortcuts/{shortcut_id}", "folder_id"): ("node_id", {}),
    ("PUT", "/me/picture", "upload_id"): ("upload_id", {}),
    ("GET", "/audit", "actor_id"): ("user_id", None),
    ("GET", "/audit/verify", "job_id"): ("job_id", None),
    ("GET", "/audit/export", "node_id"): ("node_id", None),
    ("GET", "/audit/export", "actor_id"): ("user_id", None),
    ("GET", "/audit/export.csv", "node_id"): ("node_id", None),
    ("GET", "/audit/export.csv", "actor_id"): ("user_id", None),
}
"""Ids in bodies and queries: what they name, and what stands beside them."""

PARENTS = (
    {
        ("POST", "/groups", "parent_id"),
        ("PATCH", "/groups/{group_id}", "parent_id"),
        ("POST", "/invitations", "role_id"),
        ("GET", "/members", "role_id"),
        ("PATCH", "/members/{member_id}", "role_id"),
        ("DELETE", "/roles/{role_id}", "successor_id"),
        ("PUT", "/tenant/logo", "upload_id"),
        ("POST", "/metadata/templates", "fields"),
        ("PATCH", "/metadata/templates/{template_id}", "fields"),
    }
    | {
        (*route, field)
        for route in (("POST", "/webhooks"), ("PATCH", "/webhooks/{webhook_id}"))
        for field in ("folder_id", "actor_id")
    }
    | {("POST", "/retention", field) for field in ("node_id", "user_id", "tag_id")}
)
"""Ids that only who administers the tenant gives (test_groups.py, test_roles.py, test_retention.py, test_pictures.py, webhooks' test_rest.py)."""

SETS = {("POST", "/trash/restore", "ids")}
"""Lists of ids, each of which is answered for by itself."""

WHOLE_SETS = {("POST", "/archives", "node_ids")}
"""Lists of ids that are answered for as one."""

EXCEPTIONS = {("POST", "/nodes/{node_id}/children/batch", field) for field in ("except_ids", "only_ids")} | {
    ("POST", "/nodes/{node_id}/shares", "principal"),
    ("PUT", "/nodes/{node_id}/shares", "shares"),
    ("POST", "/nodes/{node_id}/comments", "mentions"),
    ("PATCH", "/comments/{comment_id}", "mentions"),
    ("GET", "/subscriptions", "node_id"),
    ("POST", "/notifications/read", "ids"),
    ("POST", "/notifications/read", "up_to_id"),
    ("GET", "/search", "inside_id"),
    ("POST", "/nodes/{node_id}/rewind", "by_id"),
    ("POST", "/rewinds", "by_id"),
    ("GET", "/search", "owner_id"),
    ("POST", "/public/links/{token}/uploads", "parent_id"),
    ("POST", "/public/links/{token}/uploads", "node_id"),
    ("POST", "/public/links/{token}/uploads", "base_version_id"),
    ("POST", "/uploads/batch", "uploads"),
    ("POST", "/uploads/batch/commit", "uploads"),
}
"""Lists of ids to leave out or to take of a folder's own, filters of what the caller finds anyway (test_search.py, test_rewind.py), people
who are mentioned, of whom all are members (test_comments.py), notices, of
which somebody marks their own reading alone (test_notices.py), and uploads of a batch,
each of which is answered for by itself (test_upload_batches.py); below a link, what its visitors may change (test_link_edits.py)."""

CHOSEN = {("DELETE", "/members/{member_id}", "successor_id")}
"""Ids that only say which member is chosen: whoever is none is refused in one way (test_members.py)."""

FORBIDDEN = {
    *("/audit", "/audit/verify", "/audit/export", "/audit/export.csv", "/audit/siem-exports"),
    *("/plan-changes", "/support-visits"),
    *("/team-folders", "/team-folders/{folder_id}"),
}
"""What a plain member may not ask for at all, whatever the ids."""

ADMINISTERED = (
    *("/invitations/", "/members/", "/groups/", "/roles/", "/webhooks/", "/tags/", "/features/", "/quotas/"),
    *(
        "/statements/",
        "/retention/",
        "/metadata/templates/",
        "/quarantine/",
        "/audit/siem-exports/",
        "/tenant/domains/",
        "/support-visits/",
    ),
)
"""Below these, a plain member is told the same of every id: that it is not for them. Administrators are asked by themselves."""

SHARED = {"tag_id", "picture_id", "template_id", "field_id"}
"""What belongs to the whole tenant: a stranger's is another tenant's alone."""

ALIKE = {"/nodes/{node_id}/access-requests"}
"""What is carried out alike, whether there is such a thing or not."""

BESIDE = {"/nodes/by-path": {"path": "/"}}
"""What stands beside an id in a query."""


@pytest.fixture
def mia(belongings):
    return belongings("mia")


@pytest.fixture(params=["boris", "adam"], ids=["of another tenant", "of somebody else in this tenant"])
def stranger(request, belongings):
    return belongings(request.param)


def ask(api, method, path, body=None, query=None):
    headers = {"if-match": '"1"'} if method == "PATCH" else None
    needed = {"successor_id": str(uuid.uuid4())} if method == "DELETE" and path.startswith("/members/") else {}
    return api.request(method, path, body, headers=headers, **needed, **(query or {}))


def test_every_parameter_of_a_route_is_covered():
    named = {parameter for route in routes() for parameter in route.parameters}
    assert named == set(KINDS)


def test_every_body_is_covered():
    assert {(method, route.path) for route, method, operation in operations() if operation.body} == set(BODIES)


def test_every_id_in_a_body_or_a_query_is_covered():
    named = {
        (method, route.path, field.name)
        for route, method, operation in operations()
        for field in (*fields_of(operation.body), *fields_of(operation.query))
        if is_id(field.type)
    }
    assert named == set(FIELDS) | SETS | WHOLE_SETS | EXCEPTIONS | CHOSEN | PARENTS


def test_a_strangers_id_in_a_set_reads_as_one_that_never_was(mia, stranger):
    for kind in ("trash", "node_id"):
        theirs = [str(thing) for thing in stranger.ids[kind].values()]
        items = mia.api.post("/trash/restore", {"ids": [*theirs, str(uuid.uuid4())]}).json()["items"]
        said = [{key: value for key, value in item.items() if key != "id"} for item in items]
        assert said == [said[-1]] * len(items)
        assert said[-1]["status"] == 404


@pytest.mark.parametrize(("method", "path", "field"), WHOLE_SETS, ids=map(" ".join, WHOLE_SETS))
def test_a_strangers_id_beside_an_own_one_reads_as_one_that_never_was(mia, stranger, method, path, field):
    own = str(mia.ids["node_id"]["file"])
    things = [str(thing) for kind in ("trash", "node_id") for thing in stranger.ids[kind].values()]
    said = [plain(mia.api.request(method, path, {field: [own, thing]})) for thing in [str(uuid.uuid4()), *things]]
    assert said == [said[0]] * len(said)
    assert "404" in str(said[0])


def test_a_strangers_id_among_exceptions_reads_as_one_that_never_was(mia, stranger):
    folder = mia.api.post("/folders", {"parent_id": mia.ids["node_id"]["root"], "name": "exceptions"}).json()
    said = []
    for thing in [uuid.uuid4(), *stranger.ids["node_id"].values(), *stranger.ids["trash"].values()]:
        child = mia.api.post("/folders", {"parent_id": folder["id"], "name": "child"}).json()
        body = {"action": "trash", "except_ids": [str(thing)]}
        answer = mia.api.post(f"/nodes/{folder['id']}/children/batch", body)
        said.append((answer.status_code, answer.content.decode().replace(child["id"], "child")))
    assert said == [said[0]] * len(said)
    assert said[0][0] == 200


def test_a_strangers_id_among_those_that_are_named_is_not_looked_for(mia, stranger):
    folder = mia.api.post("/folders", {"parent_id": mia.ids["node_id"]["root"], "name": "named"}).json()
    child = mia.api.post("/folders", {"parent_id": folder["id"], "name": "child"}).json()
    theirs = [str(thing) for kind in ("node_id", "trash") for thing in stranger.ids[kind].values()]
    body = {"action": "trash", "only_ids": [*theirs, str(uuid.uuid4()), child["id"]]}
    answer = mia.api.post(f"/nodes/{folder['id']}/children/batch", body).json()
    assert [(item["id"], item["done"]) for item in answer["items"]] == [(child["id"], True)]


def things_of(stranger, kind):
    """Give what is the stranger's own of a kind."""
    return {} if kind in SHARED and stranger.canary == "canary-of-adam" else stranger.ids[kind]


def kinds_of(route, parameter):
    """Tell which things a route's parameter can name."""
    return ["trash", "node_id"] if route.path.startswith("/trash/") else [KINDS[parameter]]


def at(route, asker, parameter, thing):
    """Give the address of a thing; where a route has further parameters, they name what is the asker's own."""
    own = {other: next(iter(asker.ids[KINDS[other]].values())) for other in route.parameters}
    if "version_id" in own:
        own["node_id"] = asker.ids["node_id"]["file"]  # a folder has none
    return route.at(**{**own, parameter: thing})


PARAMETERS = [(route, parameter) for route in routes() for parameter in route.parameters]


def name_parameter(value):
    return value if isinstance(value, str) else value.path


@pytest.mark.parametrize(("route", "parameter"), PARAMETERS, ids=name_parameter)
def test_a_strangers_id_reads_as_one_that_never_was(mia, stranger, route, parameter):
    refusals = {403, 404} if route.path.startswith(ADMINISTERED) else {204} if route.path in ALIKE else {404}
    seen = 0
    kinds = kinds_of(route, parameter)
    if not any(things_of(stranger, kind) for kind in kinds):
        pytest.skip("the tenant shares these")
    for kind in kinds:
        for thing in things_of(stranger, kind).values():
            for method in METHODS:
                body = BODIES.get((method, route.path))
                theirs = ask(mia.api, method, at(route, mia, parameter, thing), body)
                never = ask(mia.api, method, at(route, mia, parameter, uuid.uuid4()), body)
                assert plain(theirs) == plain(never), (method, kind)
                assert theirs.status_code in {*refusals, 405}
                seen += theirs.status_code in refusals
    assert seen, "no method of this route looks for the thing"


@pytest.mark.parametrize(
    ("route", "parameter"), [one for one in PARAMETERS if one[0].path.startswith(ADMINISTERED)], ids=name_parameter
)
def test_to_an_administrator_an_id_of_another_tenant_reads_as_one_that_never_was(belongings, route, parameter):
    adam, boris = belongings("adam"), belongings("boris")
    statuses = set()
    for thing in boris.ids[KINDS[parameter]].values():
        for method in METHODS:
            body = BODIES.get((method, route.path))
            theirs = ask(adam.api, method, at(route, adam, parameter, thing), body)
            never = ask(adam.api, method, at(route, adam, parameter, uuid.uuid4()), body)
            assert plain(theirs) == plain(never), method
            statuses.add(theirs.status_code)
    assert statuses == {404, 405}


def _own_node(mia, path):
    if path.startswith("/trash/"):
        return mia.ids["trash"]["trashed"]
    return mia.ids["node_id"]["folder" if "/children" in path or "/shortcuts" in path else "file"]


@pytest.mark.parametrize(("method", "path", "field"), FIELDS, ids=map(" ".join, FIELDS))
def test_a_strangers_id_in_a_body_or_query_reads_as_one_that_never_was(mia, stranger, method, path, field):
    kind, beside = FIELDS[method, path, field]
    own = {
        "node_id": _own_node(mia, path),
        "parent_id": mia.ids["node_id"]["root"],
        "folder_id": mia.ids["folder_id"]["team"],
        "token": mia.ids["token"]["an address that is none"],
        "shortcut_id": mia.ids["shortcut_id"]["shortcut"],
    }
    url = path.format(**own)

    def answer(value):
        if beside is None:
            return ask(mia.api, method, url, query={**BESIDE.get(path, {}), field: str(value)})
        named = str(value)
        fixed = {"parent_id": own["parent_id"]} if path == "/uploads" else {}
        fixed |= {"node_id": own["node_id"]} if field == "base_version_id" else {}
        return ask(mia.api, method, url, {**fixed, **beside, field: named})

    for thing in stranger.ids[kind].values():
        theirs, never = answer(thing), answer(uuid.uuid4())
        assert plain(theirs) == plain(never)
        assert theirs.status_code == (403 if path in FORBIDDEN else 404), theirs.content


def test_nothing_of_the_strangers_was_changed(mia, stranger):
    """The matrix again with every method at once, and then the stranger looks at their own things."""
    before, log_before = look_around(stranger), read_log(stranger)
    for route in routes():
        for parameter in route.parameters:
            for kind in {KINDS[parameter], *kinds_of(route, parameter)}:
                for thing in things_of(stranger, kind).values():
                    for method in METHODS:
                        ask(mia.api, method, at(route, mia, parameter, thing), BODIES.get((method, route.path)))
    after = look_around(stranger)
    assert {path: (before[path], after.get(path)) for path in before if after.get(path) != before[path]} == {}
    assert after.keys() == before.keys()
    log = read_log(stranger)
    added = log[: len(log) - len(log_before)]
    assert log[len(added) :] == log_before
    assert {(entry["type"], entry["seq"], entry["actor_id"]) for entry in added} <= {
        ("access.denied", None, mia.ids["user_id"]["user"])
    }
    # What of her own tenant she was denied is written in its log; of another tenant's nodes it knows nothing, and theirs nothing of her.
    denied = set(stranger.ids["node_id"].values()) if stranger.canary == "canary-of-adam" else set()
    assert {entry["node_id"] for entry in added} == denied


def read_log(person):
    """Read the audit log of a person's tenant, newest first."""
    entries, more = [], {}
    while True:
        page = person.api.get("/audit", **more).json()
        entries += page["items"]
        if page["next_cursor"] is None:
            return entries
        more = {"cursor": page["next_cursor"]}


def look_around(person):
    """Read everything that a person can read of their own; but for events and the audit log, which grow by what others do."""
    # The first is signed anew each time; the others show the log, which `read_log` compares entry by entry,
    # or the work that others of the tenant have asked for, to who administers it.
    # SIEM exports tell how much of the log waits; a change of them is an event, and so an entry.
    of_log = ("/audit", "/audit/export", "/audit/export.csv", "/audit/verify", "/audit/siem-exports")
    left_out = ("/jobs", "/sync/snapshot", "/events", *of_log)
    paths = [path for path in every_path(person) if path.partition("?")[0] not in left_out]
    # Both are seen meanwhile, which is noted once a minute.
    return {path: re.sub(r'"last_(seen|used)_at":"[^"]*"', "", str(plain(person.api.get(path)))) for path in paths}


NEEDED = {
    "/nodes/by-path": "?path=/{canary} file",
    "/sync/snapshot": "?device_id={device}",
    "/sync/changes": "?cursor=none",
}
"""Queries without which a route only refuses."""


def every_path(person):
    for route in routes():
        if "GET" not in route.operations:
            continue
        if not route.parameters:
            query = NEEDED.get(route.path, "")
            yield f"{route.path}{query.format(canary=person.canary, **person.ids['device_id'])}"
        for parameter in route.parameters:
            for thing in person.ids[KINDS[parameter]].values():
                # The bytes of files, and a picture, which has no words.
                if not route.path.endswith(("/content", "/pictures/{picture_id}")):
                    yield at(route, person, parameter, thing)


NAME_COLLEAGUES = ("/access", "/shares/candidates")
"""Ends of routes that name other people of one's own tenant: who reaches a node, and with whom it can be shared."""


def test_a_canary_of_one_person_is_in_no_answer_to_another(mia, belongings):
    """Whatever mia can get, by her ids or by those of others: nothing of boris (another tenant) or adam (this one) is in it."""
    strangers = [belongings("boris"), belongings("adam")]
    paths = [path for person in (mia, *strangers) for path in every_path(person)]
    answers = {path: told(mia.api.get(path)) for path in paths}
    for sort in ("name", "size_bytes", "modified_at"):
        answers[sort] = told(mia.api.get("/nodes/root/children", limit=1000, sort=sort))
    assert any(mia.canary in answer for answer in answers.values())
    for path, answer in answers.items():
        foreign = [*(stranger.canary for stranger in strangers), "Beta", "beta.localhost", "boris@"]
        foreign += [] if path.endswith(NAME_COLLEAGUES) else ["adam@"]
        assert [word for word in foreign if word in answer] == [], path


def told(answer):
    return f"{answer.headers} {answer.content.decode()}"


def test_what_was_deleted_for_ever_reads_as_what_never_was(mia):
    folder = mia.ids["node_id"]["folder"]
    assert mia.api.delete(f"/nodes/{folder}").status_code == 204
    assert mia.api.delete(f"/trash/{folder}").status_code == 204
    token, session = mia.ids["token_id"]["token"], mia.ids["session_id"]["session"]
    assert mia.api.delete(f"/tokens/{token}").status_code == 204
    assert mia.api.delete(f"/sessions/{session}").status_code == 204
    gone = {"node_id": [folder, mia.ids["node_id"]["inside"]], "token_id": [token], "session_id": [session]}
    for route in routes():
        for parameter in route.parameters:
            for thing in gone.get(KINDS[parameter], []):
                for method in METHODS:
                    body = BODIES.get((method, route.path))
                    there = ask(mia.api, method, at(route, mia, parameter, thing), body)
                    never = ask(mia.api, method, at(route, mia, parameter, uuid.uuid4()), body)
                    assert plain(there) == plain(never), (method, route.path)


def test_a_version_of_one_node_is_not_reached_through_another(mia):
    """Parent and child are always checked together (THR 4)."""
    other = mia.ids["node_id"]["inside"]
    answer = mia.api.get(f"/nodes/{other}/content", version_id=mia.ids["version_id"]["version"])
    never = mia.api.get(f"/nodes/{other}/content", version_id=uuid.uuid4())
    assert plain(answer) == plain(never)
    assert answer.status_code == 404
