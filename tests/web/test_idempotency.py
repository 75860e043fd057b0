"""``Idempotency-Key``: a POST that is sent again has its effect once, and gets the answer of the first time."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import connections

from bitvault.kernel import clock, db, tenancy
from bitvault.web import idempotency
from bitvault.web.models import IdempotencyKey
from bitvault.web.views import View
from tests.support.client import ApiClient
from tests.support.surface import operations


class Died(BaseException):
    """Stands for the end of a process: nothing catches it."""


def make_folder(client, name="Reports", *, key="k-1", parent_id=None):
    parent = parent_id or client.get("/me").json()["root_id"]
    return client.post("/folders", {"parent_id": parent, "name": name}, headers={"idempotency-key": key})


def list_names(client) -> list[str]:
    return [item["name"] for item in client.get("/nodes/root/children").json()["items"]]


def at_once(count: int, act) -> list:
    """Do the same thing so many times at once, each on a connection of its own."""

    def one(number: int):
        try:
            return act(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_a_repeated_request_has_its_effect_once(api):
    mia = api("mia")
    first, second = make_folder(mia), make_folder(mia)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert list_names(mia) == ["Reports"]
    assert not first.has_header("Idempotent-Replayed")
    assert second["Idempotent-Replayed"] == "true"
    # Who waits for a derivation to know of the folder waits long enough, whichever of the answers arrived.
    assert int(second["BitVault-Seq"]) >= int(first["BitVault-Seq"])


def test_without_a_key_nothing_is_kept(api, acme):
    mia = api("mia")
    root = mia.get("/me").json()["root_id"]
    assert mia.post("/folders", {"parent_id": root, "name": "Reports"}).status_code == 201
    assert mia.post("/folders", {"parent_id": root, "name": "Reports"}).status_code == 409
    with tenancy.entered(acme), db.read_transaction():
        assert IdempotencyKey.objects.count() == 0


def test_a_repeated_answer_stays_as_it_was(api):
    mia = api("mia")
    first = make_folder(mia).json()
    renamed = mia.patch(f"/nodes/{first['id']}", {"name": "Renamed"}, revision=first["revision"])
    assert renamed.status_code == 200
    assert make_folder(mia).json() == first


def test_a_key_that_comes_with_another_request_is_refused(api):
    mia = api("mia")
    make_folder(mia)
    response = make_folder(mia, "Other")
    assert (response.status_code, response.json()["code"]) == (422, "request.idempotency_key_reused")
    assert list_names(mia) == ["Reports"]


def test_a_refusal_is_not_kept(api):
    """What was refused had no effect, so the same request may succeed later."""
    mia = api("mia")
    taken = make_folder(mia, key="first").json()
    assert make_folder(mia, key="second").status_code == 409
    assert mia.delete(f"/nodes/{taken['id']}").status_code == 204
    assert make_folder(mia, key="second").status_code == 201


def test_keys_belong_to_one_person(api):
    mia, olga = api("mia"), api("olga")
    assert make_folder(mia).json()["id"] != make_folder(olga).json()["id"]


def test_keys_belong_to_one_tenant(api):
    mia, boris = api("mia"), api("boris")
    first, second = make_folder(mia), make_folder(boris)
    assert (first.status_code, second.status_code) == (201, 201)
    assert not second.has_header("Idempotent-Replayed")
    assert first.json()["id"] != second.json()["id"]


@pytest.mark.parametrize("key", ["", "x" * 256, "schlüssel", "tab\there"], ids=ascii)
def test_a_key_that_cannot_be_kept_is_refused(api, key):
    response = make_folder(api("mia"), key=key)
    assert (response.status_code, response.json()["code"]) == (400, "request.bad_idempotency_key")
    assert list_names(api("mia")) == []


@pytest.mark.parametrize("key", ["x", "x" * 255, 'quoted "and" spaced', "01900000-0000-7000-8000-000000000001"])
def test_a_key_may_be_any_short_printable_text(api, key):
    mia = api("mia")
    assert make_folder(mia, key=key).json() == make_folder(mia, key=key).json()


@pytest.mark.parametrize("other", [{"method": "PUT"}, {"path": "/other"}, {"body": b"{ }"}])
def test_a_fingerprint_tells_requests_apart(acme, other):
    facts = {
        "user_id": acme.id,
        "credential_id": acme.id,
        "route": "folders",
        "text": "k",
        "method": "POST",
        "path": "/folders",
        "body": b"{}",
    }
    assert idempotency.Key.of(**facts) == idempotency.Key.of(**facts)
    assert idempotency.Key.of(**facts).fingerprint != idempotency.Key.of(**{**facts, **other}).fingerprint


def test_keys_are_forgotten_after_a_day(api, acme):
    mia = api("mia")
    make_folder(mia)
    with tenancy.entered(acme):
        with clock.fixed_at(clock.now() + idempotency.LIFETIME - timedelta(minutes=1)):
            assert idempotency.sweep() == 0
        with clock.fixed_at(clock.now() + idempotency.LIFETIME + timedelta(minutes=1)):
            assert idempotency.sweep() == 1
    assert make_folder(mia).status_code == 409


# --- at once, and dying ----------------------------------------------------------------------------------------------------


@pytest.mark.committed
def test_fifty_at_once_have_one_effect_and_one_answer(api):
    root = api("mia").get("/me").json()["root_id"]
    responses = at_once(50, lambda _: make_folder(api("mia"), parent_id=root))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert sum(not response.has_header("Idempotent-Replayed") for response in responses) == 1
    assert list_names(api("mia")) == ["Reports"]


@pytest.mark.committed
def test_a_repetition_that_meets_nothing_more_to_do_gets_the_first_answer(api):
    """The second restore finds nothing in the trash: that is the first one's doing, so it answers as the first did."""
    mia = api("mia")
    node = make_folder(mia).json()
    assert mia.delete(f"/nodes/{node['id']}").status_code == 204
    responses = at_once(
        12,
        lambda _: api("mia").post(
            f"/trash/{node['id']}/restore", {"on_conflict": "fail"}, headers={"idempotency-key": "r"}
        ),
    )
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1


@pytest.mark.committed
def test_who_died_after_the_commit_had_the_effect(api, monkeypatch):
    mia = api("mia")
    root = mia.get("/me").json()["root_id"]
    with monkeypatch.context() as patch, pytest.raises(Died):

        def die(*_, **__):
            raise Died

        patch.setattr(View, "finalize_response", die)
        make_folder(mia, parent_id=root)
    again = make_folder(mia, parent_id=root)
    assert (again.status_code, again["Idempotent-Replayed"]) == (201, "true")
    assert again.json()["id"] == mia.get("/nodes/root/children").json()["items"][0]["id"]
    assert list_names(mia) == ["Reports"]


@pytest.mark.committed
def test_who_died_before_the_commit_had_none(api, monkeypatch):
    mia = api("mia")
    root = mia.get("/me").json()["root_id"]
    with monkeypatch.context() as patch, pytest.raises(Died):

        def die(*_, **__):
            raise Died

        patch.setattr(db.Transaction, "finish", die)
        make_folder(mia, parent_id=root)
    assert list_names(mia) == []
    first = make_folder(mia, parent_id=root)
    assert (first.status_code, first.has_header("Idempotent-Replayed")) == (201, False)


# --- whose a key is, and which routes take one --------------------------------------------------------------------------------------


def test_a_key_belongs_to_one_credential_and_one_route(api, acme):
    mia = api("mia")
    root = mia.get("/me").json()["root_id"]
    expires_at = (clock.now() + timedelta(days=1)).isoformat()
    body = {"name": "second", "scopes": ["files:read", "files:write"], "expires_at": expires_at}
    second = ApiClient(token=mia.post("/tokens", body).json()["token"])
    assert make_folder(mia, parent_id=root).status_code == 201
    by_another = make_folder(second, parent_id=root)
    assert (by_another.status_code, by_another.has_header("Idempotent-Replayed")) == (409, False)
    elsewhere = mia.post(
        "/uploads", {"parent_id": root, "name": "a", "size_bytes": 0}, headers={"idempotency-key": "k-1"}
    )
    assert (elsewhere.status_code, elsewhere.has_header("Idempotent-Replayed")) == (201, False)
    assert make_folder(mia, parent_id=root)["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    "name", sorted(f"{route.path}" for route, method, one in operations() if method == "POST" and not one.takes_key)
)
def test_a_route_that_cannot_honour_a_key_refuses_it(api, name):
    path = re.sub(r"\{\w+\}", str(uuid4()), name)
    answer = api("olga").post(path, {}, headers={"idempotency-key": "k-1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "request.idempotency_key_not_taken")
    assert b"request.idempotency_key_not_taken" not in api("olga").post(path, {}).content


def test_a_token_is_not_made_under_a_key(api):
    expires_at = (clock.now() + timedelta(days=1)).isoformat()
    body = {"name": "t", "scopes": ["files:read"], "expires_at": expires_at}
    assert api("mia").post("/tokens", body, headers={"idempotency-key": "k"}).status_code == 422
    assert "t" not in [token["name"] for token in api("mia").get("/tokens").json()["items"]]
