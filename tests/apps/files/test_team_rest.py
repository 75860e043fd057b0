"""The REST surface of team folders: the shape of answers, conditions, problems, and doors that were there before."""

from uuid import uuid4

import pytest

from apps.identity import api as identity
from tests.apps.files.test_rest import problem
from tests.support.world import ACME, BETA

FIELDS = {
    "id",
    "name",
    "revision",
    "everyone",
    "member_count",
    "created_at",
    "created_by",
    "ended_at",
    "expires_at",
    "rights",
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
    answer = adam.post("/team-folders", {"name": "Design", "members": [{"user_id": MIA, "right": "editor"}]})
    assert answer.status_code == 201, answer.content
    return answer.json()


def test_a_team_folder_has_the_fields_of_the_contract(adam, mia, team):
    assert set(team) == FIELDS
    assert (team["everyone"], team["member_count"], team["ended_at"], team["expires_at"]) == ("none", 1, None, None)
    answer = mia.get(f"/team-folders/{team['id']}")
    assert answer["ETag"] == f'"{team["revision"]}"'
    assert answer.json() == {**team, "rights": ["view", "comment", "upload", "edit"]}
    fresh = mia.request("GET", f"/team-folders/{team['id']}", headers={"if-none-match": answer["ETag"]})
    assert fresh.status_code == 304
    assert mia.get("/team-folders").json() == {"items": [answer.json()], "next_cursor": None}


def test_making_one_is_repeatable_by_its_key_and_says_where_the_stream_is(adam):
    first, second = (adam.post("/team-folders", {"name": "Art"}, headers={"idempotency-key": "once"}) for _ in range(2))
    assert first.json() == second.json()
    assert second["Idempotent-Replayed"] == "true"
    assert int(first["BitVault-Seq"]) > 0
    problem(adam.post("/team-folders", {"name": "art"}), 409, "files.name_taken")


def test_its_list_is_read_by_those_who_see_it(mia, team):
    (item,) = mia.get(f"/team-folders/{team['id']}/members").json()["items"]
    assert (item["user_id"], item["right"], item["name"], item["email"]) == (MIA, "editor", "Mia", "mia@acme.test")
    assert set(item) == {"user_id", "right", "name", "email", "granted_at"}


def test_changing_needs_the_tag_that_was_read(adam, team):
    path = f"/team-folders/{team['id']}"
    problem(adam.patch(path, {"name": "Art"}), 428, "request.precondition_required")
    answer = adam.patch(path, {"name": "Art", "everyone": "viewer"}, revision=team["revision"])
    assert (answer.json()["name"], answer.json()["everyone"]) == ("Art", "viewer")
    assert answer["ETag"] == f'"{team["revision"] + 1}"'
    found = problem(adam.patch(path, {"members": []}, revision=team["revision"]), 412, "files.revision_mismatch")
    assert found["revision"] == team["revision"] + 1
    problem(adam.patch(path, {}, revision=team["revision"] + 1), 422, "files.nothing_to_change")
    tag = {"if-match": f'"{team["revision"]}"'}
    problem(adam.delete(path, headers=tag), 412, "files.revision_mismatch")


@pytest.mark.parametrize("user_id", [str(uuid4()), str(BETA.people["boris"].user_id)], ids=["unknown", "of another"])
def test_who_is_no_member_cannot_be_on_a_list(adam, team, user_id):
    members = [{"user_id": user_id, "right": "viewer"}]
    found = problem(adam.post("/team-folders", {"name": "x", "members": members}), 422, "files.not_a_member")
    assert found["user_id"] == user_id
    answer = adam.patch(f"/team-folders/{team['id']}", {"members": members}, revision=team["revision"])
    problem(answer, 422, "files.not_a_member")


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "everyone": "manager"},
        {"name": "x", "members": [{"user_id": MIA, "right": "manager"}]},
        {"name": "x", "members": [{"user_id": "mia", "right": "viewer"}]},
        {"name": "x", "owner": MIA},
        {},
    ],
)
def test_words_that_mean_nothing_here_are_refused(adam, body):
    problem(adam.post("/team-folders", body), 422, "request.invalid")


def test_members_see_and_do_not_administer_and_others_see_nothing(api, mia, team):
    path = f"/team-folders/{team['id']}"
    problem(mia.post("/team-folders", {"name": "x"}), 403, "files.administrators_only")
    problem(mia.patch(path, {"name": "x"}, revision=1), 403, "access.forbidden")
    problem(mia.delete(path), 403, "access.forbidden")
    problem(mia.post(f"{path}/restore", {}), 404, "access.not_found")
    vera = api("vera")
    for answer in (vera.get(path), vera.get(f"{path}/members"), vera.patch(path, {"name": "x"}, revision=1)):
        problem(answer, 404, "access.not_found")
    assert mia.get("/team-folders", ended="true").json()["items"] == []


def test_a_token_that_was_not_made_for_administering_is_refused(adam, team):
    body = {"name": "files", "scopes": ["files:read", "files:write"], "expires_at": in_a_day()}
    limited = type(adam)(token=adam.post("/tokens", body).json()["token"])
    problem(limited.post("/team-folders", {"name": "x"}), 403, "identity.scope_missing")
    assert limited.get(f"/team-folders/{team['id']}").json()["rights"][-1] == "manage"


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


def test_who_is_put_out_of_the_vault_reaches_nothing_and_stands_on_no_list(adam, mia, team, acme):
    assert mia.get(f"/team-folders/{team['id']}").status_code == 200
    identity.remove_member(tenant=acme, user_id=ACME.people["mia"].user_id)
    assert mia.get(f"/team-folders/{team['id']}").status_code == 401
    assert adam.get(f"/team-folders/{team['id']}/members").json()["items"] == []
    members = [{"user_id": MIA, "right": "viewer"}]
    answer = adam.patch(f"/team-folders/{team['id']}", {"members": members}, revision=team["revision"])
    problem(answer, 422, "files.not_a_member")
