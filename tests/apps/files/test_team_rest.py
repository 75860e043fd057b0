"""The REST surface of team folders: the shape of answers, conditions, problems, and doors that were there before."""

import pytest

from apps.identity import api as identity
from tests.apps.files.test_rest import problem
from tests.support.shares import by_rest, make_team_by_rest
from tests.support.world import ACME

FIELDS = {
    "id",
    "name",
    "revision",
    "created_at",
    "created_by",
    "ended_at",
    "expires_at",
    "capabilities",
}
MIA = str(ACME.people["mia"].user_id)


@pytest.fixture
def adam(api):
    return api("adam")


@pytest.fixture
def mia(api):
    return api("mia")


@pytest.fixture
def team(adam):
    return make_team_by_rest(adam, "Design", by_rest(MIA, "editor"))


def test_a_team_folder_has_the_fields_of_the_contract(adam, mia, team):
    assert set(team) == FIELDS
    assert (team["ended_at"], team["expires_at"]) == (None, None)
    answer = mia.get(f"/team-folders/{team['id']}")
    assert answer["ETag"] == f'"{team["revision"]}"'
    assert answer.json() == {**team, "capabilities": ["view", "download", "comment", "add", "edit"]}
    fresh = mia.request("GET", f"/team-folders/{team['id']}", headers={"if-none-match": answer["ETag"]})
    assert fresh.status_code == 304
    assert mia.get("/team-folders").json() == {"items": [answer.json()], "next_cursor": None}


def test_making_one_is_repeatable_by_its_key_and_says_where_the_stream_is(adam):
    first, second = (adam.post("/team-folders", {"name": "Art"}, headers={"idempotency-key": "once"}) for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert int(first["BitVault-Seq"]) > 0
    problem(adam.post("/team-folders", {"name": "art"}), 409, "files.name_taken")


def test_changing_needs_the_tag_that_was_read(adam, team):
    path = f"/team-folders/{team['id']}"
    problem(adam.patch(path, {"name": "Art"}), 428, "request.precondition_required")
    answer = adam.patch(path, {"name": "Art"}, revision=team["revision"])
    assert answer.json()["name"] == "Art"
    assert answer["ETag"] == f'"{team["revision"] + 1}"'
    found = problem(adam.patch(path, {"name": "Arts"}, revision=team["revision"]), 412, "files.revision_mismatch")
    assert found["revision"] == team["revision"] + 1
    problem(adam.patch(path, {}, revision=team["revision"] + 1), 422, "request.invalid")
    tag = {"if-match": f'"{team["revision"]}"'}
    problem(adam.delete(path, headers=tag), 412, "files.revision_mismatch")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "everyone": "viewer"},
        {"name": "x", "members": []},
        {"name": "x", "owner": MIA},
        {},
    ],
)
def test_words_that_mean_nothing_here_are_refused(adam, body):
    problem(adam.post("/team-folders", body), 422, "request.invalid")


def test_members_see_and_do_not_administer_and_others_see_nothing(api, mia, team):
    path = f"/team-folders/{team['id']}"
    problem(mia.post("/team-folders", {"name": "x"}), 403, "identity.permission_missing")
    problem(mia.patch(path, {"name": "x"}, revision=1), 403, "access.forbidden")
    problem(mia.delete(path), 403, "access.forbidden")
    problem(mia.post(f"{path}/restore", {}), 404, "access.not_found")
    vera = api("vera")
    for answer in (
        vera.get(path),
        vera.get(f"/nodes/{team['id']}/shares"),
        vera.patch(path, {"name": "x"}, revision=1),
    ):
        problem(answer, 404, "access.not_found")
    assert mia.get("/team-folders", ended="true").json()["items"] == []


def test_a_token_that_was_not_made_for_administering_is_refused(adam, team):
    body = {"name": "files", "scopes": ["files:read", "files:write"], "expires_at": in_a_day()}
    limited = type(adam)(token=adam.post("/tokens", body).json()["token"])
    problem(limited.post("/team-folders", {"name": "x"}), 403, "identity.scope_missing")
    assert limited.get(f"/team-folders/{team['id']}").json()["capabilities"][-1] == "manage"


def in_a_day():
    from datetime import UTC, datetime, timedelta

    return (datetime.now(UTC) + timedelta(days=1)).isoformat()


def test_what_lies_in_it_is_reached_like_everything(mia, team):
    folder = mia.post("/folders", {"parent_id": team["id"], "name": "Plans"}).json()
    found = mia.get("/nodes/by-path", path="/plans", root_id=team["id"])
    assert found.json() == folder
    assert [node["name"] for node in mia.get(f"/nodes/{folder['id']}/path").json()["items"]] == ["Design", "Plans"]
    assert mia.delete(f"/nodes/{folder['id']}").status_code == 204
    (item,) = mia.get("/trash", root_id=team["id"]).json()["items"]
    assert (item["id"], item["root_id"], item["origin_path"]) == (folder["id"], team["id"], "/Plans")
    problem(mia.delete(f"/trash/{folder['id']}"), 403, "access.forbidden")
    problem(mia.delete("/trash", root_id=team["id"]), 403, "access.forbidden")
    assert mia.post(f"/trash/{folder['id']}/restore", {}).json()["parent_id"] == team["id"]


def test_ending_and_bringing_back(adam, mia, team):
    path = f"/team-folders/{team['id']}"
    assert adam.delete(path).status_code == 204
    problem(mia.get(path), 404, "access.not_found")
    assert adam.get("/team-folders").json()["items"] == []
    (ended,) = adam.get("/team-folders", ended="true").json()["items"]
    assert (ended["id"], ended["ended_at"] is not None) == (team["id"], True)
    back = adam.post(f"{path}/restore", {"name": "Design again"})
    assert (back.status_code, back.json()["name"]) == (200, "Design again")
    assert mia.get(path).status_code == 200
    adam.delete(path)
    assert adam.delete(f"/trash/{team['id']}").status_code == 204
    problem(adam.get(path), 404, "access.not_found")


def test_who_is_put_out_of_the_vault_reaches_nothing_and_no_share_names_them(adam, mia, team, acme):
    assert mia.get(f"/team-folders/{team['id']}").status_code == 200
    identity.remove_member(tenant=acme, user_id=ACME.people["mia"].user_id)
    assert mia.get(f"/team-folders/{team['id']}").status_code == 401
    assert adam.get(f"/nodes/{team['id']}/shares").json()["items"] == []
    answer = adam.post(f"/nodes/{team['id']}/shares", by_rest(MIA, "viewer"))
    problem(answer, 422, "sharing.unknown_principal")
