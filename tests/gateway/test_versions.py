"""Older versions over REST, against the real store: read, brought back for their room, deleted."""

import pytest

from tests.support.sending import Sender

pytestmark = pytest.mark.store

CODES = {"restore": "files.nothing_to_restore", "current": "files.version_is_current", "pinned": "files.version_pinned"}


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def file(mia) -> dict:
    """A file of two versions."""
    mia.bring("plan.txt", b"the first plan")
    return mia.bring("plan.txt", b"another plan", mode="overwrite")


def versions(mia, file) -> list[dict]:
    answer = mia.api.get(f"/nodes/{file['id']}/versions")
    assert answer.status_code == 200, answer.content
    return answer.json()["items"]


def test_an_old_version_comes_back_identical_as_a_new_one(mia, file):
    old = versions(mia, file)[1]
    answer = mia.api.post(f"/nodes/{file['id']}/versions/{old['id']}/restore")
    assert answer.status_code == 201, answer.content
    assert answer["BitVault-Seq"]
    assert mia.fetch(answer.json()).data == b"the first plan"
    newest, replaced, first = versions(mia, file)
    assert (newest["is_current"], newest["restored_from_id"], newest["made_on"]) == (True, first["id"], "API")
    assert mia.fetch(file, version_id=replaced["id"]).data == b"another plan"


def test_a_restore_takes_room_and_is_refused_where_there_is_none(mia, file, acme):
    from apps.billing import api as billing
    from bitvault.kernel import tenancy

    old = versions(mia, file)[1]
    used = len(b"the first plan") + len(b"another plan")
    with tenancy.entered(acme):
        billing.set_quota(limit_bytes=used + len(b"the first plan") - 1)
    answer = mia.api.post(f"/nodes/{file['id']}/versions/{old['id']}/restore")
    assert (answer.status_code, answer.json()["code"]) == (413, "billing.quota_exceeded")
    assert len(versions(mia, file)) == 2
    with tenancy.entered(acme):
        billing.set_quota(limit_bytes=used + len(b"the first plan"))
    assert mia.api.post(f"/nodes/{file['id']}/versions/{old['id']}/restore").status_code == 201


def test_a_restore_with_a_key_is_done_once(mia, file):
    old = versions(mia, file)[1]
    path = f"/nodes/{file['id']}/versions/{old['id']}/restore"
    first, again = (mia.api.post(path, headers={"Idempotency-Key": "one"}) for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    assert len(versions(mia, file)) == 3


def test_refusals_have_stable_codes(mia, file):
    current, old = versions(mia, file)
    path = f"/nodes/{file['id']}/versions"
    assert mia.api.patch(f"{path}/{old['id']}", {"label": "first", "pinned": True}).json()["label"] == "first"
    answers = {
        "restore": mia.api.post(f"{path}/{current['id']}/restore"),
        "current": mia.api.delete(f"{path}/{current['id']}"),
        "pinned": mia.api.delete(f"{path}/{old['id']}"),
    }
    assert {name: (answer.status_code, answer.json()["code"]) for name, answer in answers.items()} == {
        name: (409, code) for name, code in CODES.items()
    }
    assert mia.api.patch(f"{path}/{old['id']}", {"label": "x" * 101}).status_code == 422
    assert mia.api.patch(f"{path}/{old['id']}", {"pinned": False}).status_code == 200
    assert mia.api.delete(f"{path}/{old['id']}").status_code == 204
    assert [one["id"] for one in versions(mia, file)] == [current["id"]]
    assert mia.api.get(f"{path}/{old['id']}").status_code == 404
