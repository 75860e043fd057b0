"""``BitVault-Device``: a request says which of the caller's devices sends it; the stream and the names of conflicted copies tell of it."""

import os
from datetime import timedelta

import pytest

from bitvault.kernel import clock, tenancy
from tests.apps.files.conftest import fetch
from tests.support.client import ApiClient
from tests.support.sending import Sender
from tests.support.surface import plain

NEVER = "01900000-0000-7000-8000-0000000000ff"


@pytest.fixture
def mia(api):
    return api("mia")


def register(client, name):
    return client.post("/sync/devices", {"name": name, "platform": "linux"}).json()["id"]


def test_the_stream_tells_which_device_did_it(mia, acme):
    device = register(mia, "Laptop")
    root_id = mia.get("/me").json()["root_id"]
    for headers in ({"BitVault-Device": device}, {}):
        answer = mia.post("/folders", {"parent_id": root_id, "name": f"f{len(headers)}"}, headers=headers)
        assert answer.status_code == 201
        with tenancy.entered(acme):
            rows = fetch("SELECT device_id::text FROM public.events_stream_event ORDER BY seq DESC LIMIT 1")
        assert rows == [(headers.get("BitVault-Device"),)]


@pytest.mark.parametrize("whose", ["nobody's", "no id", "somebody else's", "another tenant's", "ended"])
def test_a_device_that_is_not_the_callers_own_is_refused_and_nothing_happens(mia, api, whose):
    root_id = mia.get("/me").json()["root_id"]
    device = {"nobody's": NEVER, "no id": "laptop"}.get(whose)
    if whose in ("somebody else's", "another tenant's"):
        device = register(api("olga" if whose == "somebody else's" else "boris"), "Laptop")
    if whose == "ended":
        device = register(mia, "Laptop")
        assert mia.delete(f"/sync/devices/{device}").status_code == 204
    headers = {"BitVault-Device": device}
    refused = mia.post("/folders", {"parent_id": root_id, "name": "x"}, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (404, "sync.device_ended")
    never = mia.post("/folders", {"parent_id": root_id, "name": "x"}, headers={"BitVault-Device": NEVER})
    assert plain(refused) == plain(never)
    assert mia.get("/nodes/root/children").json()["items"] == []


def test_a_token_that_may_not_read_still_says_its_device(mia, api, acme):
    """Which device it is, is no file: the header needs no scope."""
    device = register(mia, "Laptop")
    expires = {"expires_at": (clock.now() + timedelta(days=1)).isoformat()}
    made = mia.post("/tokens", {"name": "writer", "scopes": ["files:write"], **expires}).json()
    writer = ApiClient(token=made["token"])
    root_id = mia.get("/me").json()["root_id"]
    answer = writer.post("/folders", {"parent_id": root_id, "name": "x"}, headers={"BitVault-Device": device})
    assert answer.status_code == 201


@pytest.mark.store
@pytest.mark.parametrize("says", ["its device", "nothing"])
def test_a_conflicted_copy_is_named_after_the_device_that_sent_it(mia, says):
    sender = Sender(mia, mia.get("/me").json()["root_id"])
    file = sender.bring("plan.txt", b"base")
    update = {"mode": "update", "node_id": file["id"], "base_version_id": file["version_id"]}
    sender.bring("plan.txt", os.urandom(8), **update)
    content = os.urandom(8)
    upload = sender.started("plan.txt", content, **update)
    sender.send(upload, content)
    headers = {"BitVault-Device": register(mia, "Mia's laptop")} if says == "its device" else None
    copy = mia.post(f"/uploads/{upload['id']}/commit", {}, headers=headers).json()
    name = "Mia's laptop" if headers else "API"
    assert copy["name"].startswith(f"plan (conflicted copy, {name}, 20")
    again = sender.started("plan.txt", content, **update)
    sender.send(again, content)
    repeated = mia.post(f"/uploads/{again['id']}/commit", {})
    assert (repeated.status_code, repeated.json()["id"]) == (201, copy["id"])
    assert len(mia.get("/nodes/root/children").json()["items"]) == 2
