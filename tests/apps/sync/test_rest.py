"""Sync over REST: the paths, statuses and codes that devices are written against."""

import pytest

from apps.sync.models import Feed
from bitvault.kernel import db, ids, tenancy
from tests.apps.sync.following import project


@pytest.fixture
def mia(api):
    return api("mia")


@pytest.fixture
def device(mia):
    answer = mia.post("/sync/devices", {"name": "Laptop", "platform": "linux"})
    assert answer.status_code == 201
    return answer.json()


@pytest.fixture
def projected(acme):
    """Bring acme's feed to its head, outside of any request."""

    def bring():
        with tenancy.entered(acme):
            project()

    return bring


def make_folder(mia, name):
    return mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": name})


def test_a_device_follows_the_feed(mia, device, projected):
    folder = make_folder(mia, "Reports").json()
    projected()
    page = mia.get("/sync/changes", cursor=device["cursor"]).json()
    assert set(page) == {"items", "cursor", "has_more", "head_seq", "as_of_seq"}
    assert [item["op"] for item in page["items"]] == ["upsert", "upsert"]
    told = page["items"][1]
    # Whose favourite it is stands where it is read; the feed tells of nodes.
    assert folder.pop("favourite") is False
    assert {name: told["node"][name] for name in folder} == folder, "a node has the same fields everywhere"
    while page["has_more"]:
        page = mia.get("/sync/changes", cursor=page["cursor"]).json()
    acknowledged = mia.post("/sync/cursor", {"cursor": page["cursor"]}).json()
    assert acknowledged == {"seq": page["head_seq"], "head_seq": page["head_seq"]}
    assert mia.delete(f"/nodes/{folder['id']}").status_code == 204
    projected()
    (removed,) = mia.get("/sync/changes", cursor=page["cursor"]).json()["items"]
    assert (removed["op"], removed["node_id"], removed["node"]) == ("removed", folder["id"], None)


def test_a_snapshot_ends_with_the_cursor_of_its_instant(mia, device, projected):
    make_folder(mia, "Reports")
    projected()
    first = mia.get("/sync/snapshot", device_id=device["id"], limit="1").json()
    assert first["cursor"] is None
    last = mia.get("/sync/snapshot", device_id=device["id"], limit="1", cursor=first["next_cursor"]).json()
    assert last["next_cursor"] is None
    assert [node["name"] for node in (*first["items"], *last["items"])] == ["My files", "Reports"]
    page = mia.get("/sync/changes", cursor=last["cursor"]).json()
    assert (page["items"], page["has_more"]) == ([], False)


def test_what_was_just_written_is_waited_for_or_said_to_be_on_its_way(mia, device, projected):
    seq = make_folder(mia, "Reports").headers["BitVault-Seq"]
    behind = mia.get("/sync/changes", cursor=device["cursor"], min_seq=seq)
    assert (behind.status_code, behind.json()["code"]) == (202, "platform.lagging")
    assert behind.json()["as_of_seq"] < int(seq)
    projected()
    there = mia.get("/sync/changes", cursor=device["cursor"], min_seq=seq, wait_ms="100")
    assert there.status_code == 200
    assert there.json()["as_of_seq"] >= int(seq)


def test_devices_are_listed_and_ended(mia, api, device):
    (listed,) = mia.get("/sync/devices").json()["items"]
    assert {name: device[name] for name in listed} == listed
    assert api("olga").get("/sync/devices").json()["items"] == []
    assert api("olga").delete(f"/sync/devices/{device['id']}").status_code == 404
    assert mia.delete(f"/sync/devices/{device['id']}").status_code == 204
    assert mia.delete(f"/sync/devices/{device['id']}").json()["code"] == "access.not_found"
    for refused in (
        mia.get("/sync/changes", cursor=device["cursor"]),
        mia.get("/sync/snapshot", device_id=device["id"]),
        mia.post("/sync/cursor", {"cursor": device["cursor"]}),
    ):
        assert (refused.status_code, refused.json()["code"]) == (404, "sync.device_ended")


def test_a_repeated_registration_makes_one_device(mia):
    body, headers = {"name": "Phone", "platform": "android"}, {"Idempotency-Key": "phone-1"}
    first, second = (mia.post("/sync/devices", body, headers=headers) for _ in range(2))
    assert first.json() == second.json()
    assert len(mia.get("/sync/devices").json()["items"]) == 1


@pytest.mark.parametrize("name", ["", " ", "x" * 101, "a\nb"])
def test_a_device_needs_a_name_that_can_be_shown(mia, name):
    refused = mia.post("/sync/devices", {"name": name, "platform": "linux"})
    assert (refused.status_code, refused.json()["code"]) == (422, "sync.invalid_device")


def test_cursors_that_do_not_fit_have_their_codes(mia, api, device):
    for reader, cursor in ((mia, "noise"), (api("olga"), device["cursor"]), (api("boris"), device["cursor"])):
        refused = reader.get("/sync/changes", cursor=cursor)
        assert (refused.status_code, refused.json()["code"]) == (400, "request.bad_cursor")
    assert mia.get("/sync/changes").status_code == 422


def test_a_cursor_that_is_too_old_is_gone(mia, device, acme):
    with tenancy.entered(acme), db.write_transaction():
        Feed.objects.update(epoch=ids.new_id())
    refused = mia.get("/sync/changes", cursor=device["cursor"])
    assert (refused.status_code, refused.json()["code"]) == (410, "sync.cursor_expired")


def test_conflicts_are_listed_over_rest(mia, projected):
    seq = int(make_folder(mia, "a")["BitVault-Seq"])
    projected()
    assert mia.get("/sync/conflicts", min_seq=str(seq)).json() == {"items": [], "next_cursor": None, "as_of_seq": seq}
    missing = mia.post("/sync/conflicts/01900000-0000-7000-8000-00000000ffff/resolve", {"keep": "both"})
    assert missing.status_code == 404
    assert mia.post("/sync/conflicts/01900000-0000-7000-8000-00000000ffff/resolve", {"keep": "it"}).status_code == 422
