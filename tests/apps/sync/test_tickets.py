"""Tickets for sockets: whose they are, how long they live, and what is kept of them."""

import hashlib
from uuid import UUID

import pytest

from apps.sync import api as sync
from apps.sync.errors import InvalidTicket
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import Unavailable
from bitvault.web import valkey


@pytest.fixture
def make_token(api):
    """Make a token of Mia's that may do less."""

    def make(*scopes):
        body = {"name": "socket", "scopes": [*scopes], "expires_at": "2027-01-01T00:00:00Z"}
        return api("mia").post("/tokens", body).json()["token"]

    return make


def test_a_ticket_stands_for_the_credential_that_asked(api, actor):
    answer = api("mia").post("/sync/ticket")
    assert answer.status_code == 201
    made = answer.json()
    assert made.keys() == {"ticket", "url", "expires_at"}
    assert made["url"].endswith(f"/ws/v1/sync?ticket={made['ticket']}")
    assert made["url"].startswith("ws://")
    holder = sync.redeem_ticket(ticket=answer.json()["ticket"])
    assert (holder.tenant_id, holder.user_id, holder.token_id) == (actor.tenant.id, actor.user_id, actor.token_id)
    assert (holder.session_id, holder.device_id) == (None, None)


def test_a_ticket_is_taken_once(api):
    ticket = api("mia").post("/sync/ticket").json()["ticket"]
    sync.redeem_ticket(ticket=ticket)
    with pytest.raises(InvalidTicket):
        sync.redeem_ticket(ticket=ticket)


def test_no_two_tickets_are_alike_and_each_has_256_bits(api):
    made = {api("mia").post("/sync/ticket").json()["ticket"] for _ in range(20)}
    assert len(made) == 20
    assert all(len(ticket) == 43 for ticket in made)


def test_of_a_ticket_only_its_hash_is_kept_for_half_a_minute(api):
    client = valkey.client()
    ticket = api("mia").post("/sync/ticket").json()["ticket"]
    key = f"public:socket-ticket:{hashlib.sha256(ticket.encode()).hexdigest()}"
    assert ticket.encode() not in client.get(key)
    assert 0 < client.ttl(key) <= 30
    client.delete(key)
    with pytest.raises(InvalidTicket):
        sync.redeem_ticket(ticket=ticket)


def test_reading_is_enough_and_without_reading_there_is_no_ticket(api, make_token):
    client = api("mia")
    for scopes, status in (([Scope.FILES_READ], 201), ([Scope.FILES_WRITE, Scope.ACCOUNT], 403)):
        client.headers["authorization"] = f"Bearer {make_token(*scopes)}"
        assert client.post("/sync/ticket").status_code == status
        client.headers["authorization"] = api("mia").headers["authorization"]


def test_nobody_gets_no_ticket(api):
    client = api("mia")
    del client.headers["authorization"]
    assert client.post("/sync/ticket").status_code == 401


def test_a_ticket_is_made_for_a_device_of_one_s_own(api):
    device = api("mia").post("/sync/devices", {"name": "Laptop", "platform": "linux"}).json()
    ticket = api("mia").post("/sync/ticket", {"device_id": device["id"]}).json()["ticket"]
    assert sync.redeem_ticket(ticket=ticket).device_id == UUID(device["id"])
    assert api("adam").post("/sync/ticket", {"device_id": device["id"]}).status_code == 404
    assert api("boris").post("/sync/ticket", {"device_id": device["id"]}).status_code == 404
    assert api("mia").delete(f"/sync/devices/{device['id']}").status_code == 204
    refused = api("mia").post("/sync/ticket", {"device_id": device["id"]})
    assert (refused.status_code, refused.json()["code"]) == (404, "sync.device_ended")


def test_live_devices_are_told_from_ended_ones(api, acme):
    first, second = (
        UUID(api("mia").post("/sync/devices", {"name": name, "platform": "linux"}).json()["id"]) for name in "ab"
    )
    api("mia").delete(f"/sync/devices/{first}")
    with tenancy.entered(acme):
        assert sync.list_live_devices(device_ids=[first, second]) == {second}


@pytest.fixture
def uncounted(beta):
    """Nobody of beta has asked for a ticket within the last minute, neither before nor after."""

    def forget():
        for key in valkey.client().keys(f"{beta.id.hex}:throttle:socket-ticket:*"):
            valkey.client().delete(key)

    forget()
    yield
    forget()


def test_a_program_that_asks_in_a_loop_is_stopped(api, uncounted):
    client = api("mona")
    statuses = []
    # Two more become due each second, however slow the machine is.
    while len(statuses) < 1000 and 429 not in statuses:
        statuses.append(client.post("/sync/ticket").status_code)
    assert len(statuses) > 120
    assert set(statuses[:-1]) == {201}
    assert statuses[-1] == 429


def test_without_valkey_no_ticket_is_promised(actor, tenant, no_valkey):
    with pytest.raises(Unavailable):
        sync.issue_ticket(actor=actor)
