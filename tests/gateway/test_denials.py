"""What the audit log says of denied accesses: of somebody known, of what is there, and never without a bound."""

import contextvars
from datetime import timedelta
from uuid import uuid4

import pytest

from apps.admin_platform import denials
from apps.admin_platform.models import AuditEntry
from bitvault.kernel import clock, db, tenancy
from tests.support.client import ApiClient
from tests.support.shares import by_rest, make_team_by_rest
from tests.support.surface import count_guesses_apart
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.committed


@pytest.fixture(autouse=True)
def _counted_apart(settings):
    count_guesses_apart(settings)


@pytest.fixture(autouse=True)
def _no_counts_of_others(acme):
    from bitvault.web import valkey

    with tenancy.entered(acme):
        valkey.client().delete(denials._key())


def entries(tenant, event_type="access.denied") -> list[AuditEntry]:
    with tenancy.entered(tenant), db.read_transaction():
        return list(AuditEntry.objects.filter(type=event_type).order_by("number"))


@pytest.fixture
def hidden(api):
    """A folder of Mia's, of which Vera may not know."""
    mia = api("mia")
    return mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": "Hidden"}).json()["id"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/nodes/{id}", None),
        ("GET", "/nodes/{id}/children", None),
        ("PATCH", "/nodes/{id}", {"name": "mine"}),
        ("DELETE", "/nodes/{id}", None),
        ("POST", "/folders", {"parent_id": "{id}", "name": "in there"}),
    ],
)
def test_who_asks_for_a_node_that_is_hidden_from_them_is_written_down(api, acme, hidden, method, path, body):
    body = body and {name: value.replace("{id}", hidden) for name, value in body.items()}
    answer = api("adam").request(method, path.format(id=hidden), body, headers={"if-match": '"1"'})
    assert answer.status_code == 404
    (entry,) = entries(acme)
    assert (str(entry.node_id), entry.actor_id) == (hidden, ACME.people["adam"].user_id)
    assert (entry.payload["method"], entry.payload["code"]) == (method, "access.not_found")


def test_a_node_that_never_was_is_no_denial_and_reads_the_same(api, acme, hidden):
    never = api("adam").get(f"/nodes/{uuid4()}")
    assert entries(acme) == []
    there = api("adam").get(f"/nodes/{hidden}")
    assert {**never.json(), "request_id": ""} == {**there.json(), "request_id": ""}


def test_one_s_own_node_in_the_trash_is_no_denial(api, acme, hidden):
    api("mia").delete(f"/nodes/{hidden}")
    assert api("mia").get(f"/nodes/{hidden}").status_code == 404
    assert entries(acme) == []


# --- credentials that were good ---------------------------------------------------------------------------------------------------


def new_token(api) -> tuple[str, str]:
    expires_at = (clock.now() + timedelta(days=1)).isoformat()
    made = api("mia").post("/tokens", {"name": "t", "scopes": ["files:read"], "expires_at": expires_at}).json()
    return made["id"], made["token"]


def test_a_revoked_token_that_is_tried_is_written_down_with_its_holder(api, acme):
    token_id, secret = new_token(api)
    assert api("mia").delete(f"/tokens/{token_id}").status_code == 204
    assert ApiClient(token=secret).get("/me").status_code == 401
    (entry,) = entries(acme)
    assert entry.actor_id == ACME.people["mia"].user_id
    assert (entry.payload["reason"], entry.payload["credential_id"]) == ("token_revoked", token_id)
    assert secret not in str(entry.payload)


def test_an_expired_token_that_is_tried_is_written_down(api, acme):
    _, secret = new_token(api)
    with clock.fixed_at(clock.now() + timedelta(days=2)):
        assert ApiClient(token=secret).get("/me").status_code == 401
    assert [entry.payload["reason"] for entry in entries(acme)] == ["token_expired"]


def test_a_made_up_token_is_nobody_s(api, acme):
    token_id, secret = new_token(api)
    api("mia").delete(f"/tokens/{token_id}")
    wrong = secret[:-1] + ("a" if secret[-1] != "a" else "b")
    for made_up in (wrong, f"bv_{uuid4().hex}_{'x' * 43}", "nonsense"):
        assert ApiClient(token=made_up).get("/me").status_code == 401
    assert entries(acme) == []


def test_a_session_that_was_ended_and_is_tried_is_written_down(acme):
    from django.test import Client

    browser = Client(headers={"host": "acme.localhost", "origin": "http://acme.localhost"})
    body = {"email": "mia@acme.test", "password": PASSWORD}
    assert browser.post("/api/v1/auth/login", body, content_type="application/json").status_code == 200
    stolen = Client(headers={"host": "acme.localhost", "origin": "http://acme.localhost"})
    stolen.cookies.load({name: morsel.value for name, morsel in browser.cookies.items()})
    assert stolen.get("/api/v1/me").status_code == 200
    csrf = browser.cookies["csrftoken"].value if "csrftoken" in browser.cookies else ""
    out = browser.post("/api/v1/auth/logout", content_type="application/json", headers={"x-csrftoken": csrf})
    assert out.status_code in (200, 204), out.content
    assert stolen.get("/api/v1/me").status_code == 401
    (entry,) = entries(acme)
    assert (entry.actor_id, entry.payload["reason"]) == (ACME.people["mia"].user_id, "session_ended")


def test_a_socket_that_an_ended_session_asks_for_is_written_down(acme, monkeypatch, settings):
    from apps.identity import api as identity
    from apps.sync.sockets import admission
    from apps.sync.sockets.codes import Close
    from apps.sync.sockets.handshake import Handshake
    from bitvault.kernel.errors import Denied

    denied = Denied(tenant_id=acme.id, user_id=ACME.people["mia"].user_id, reason="session_expired")
    monkeypatch.setattr(identity, "find_refused_session", lambda **_: denied)
    monkeypatch.setattr(admission, "page_origin", lambda host: f"http://{host}")
    asked = Handshake(
        host="acme.localhost", origin="http://acme.localhost", ticket=None, session_key="x" * 43, address="192.0.2.7"
    )
    place = admission.find_place(asked)
    assert admission.judge(asked, place.tenant) == admission.Refusal(Close.UNAUTHENTICATED)
    (entry,) = entries(acme, "socket.denied")
    assert (entry.actor_id, entry.address) == (ACME.people["mia"].user_id, "192.0.2.7")
    assert entry.payload["reason"] == "session_expired"


def test_a_page_that_an_ended_session_asks_for_sends_to_sign_in_and_is_written_down(acme):
    from django.test import Client

    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/sign-in/", {"email": "mia@acme.test", "password": PASSWORD})
    stolen = Client(headers={"host": "acme.localhost"})
    stolen.cookies.load({name: morsel.value for name, morsel in browser.cookies.items()})
    assert stolen.get("/files/").status_code == 200
    browser.post("/sign-out/")
    assert stolen.get("/files/").status_code == 302
    assert stolen.get("/files/", headers={"hx-request": "true"}).headers["HX-Redirect"].startswith("/sign-in/")
    found = entries(acme)
    assert [(entry.actor_id, entry.payload["reason"]) for entry in found] == [
        (ACME.people["mia"].user_id, "session_ended")
    ] * 2
    # Who was never anybody is denied nothing.
    assert Client(headers={"host": "acme.localhost"}).get("/files/").status_code == 302
    assert len(entries(acme)) == 2


@pytest.fixture
def plans(api):
    """A team folder that Vera may look at, with 30 folders in it."""
    adam = api("adam")
    team = make_team_by_rest(adam, "Plans", by_rest("everyone", "viewer"))
    return team, [adam.post("/folders", {"parent_id": team["id"], "name": f"{n}"}).json()["id"] for n in range(30)]


def test_what_a_batch_refuses_is_written_down_item_by_item(api, acme, plans):
    team, inner = plans
    body = {"action": "trash", "only_ids": inner[:3]}
    answer = api("vera").post(f"/nodes/{team['id']}/children/batch", body)
    assert (answer.status_code, {item["code"] for item in answer.json()["items"]}) == (200, {"access.forbidden"})
    found = entries(acme)
    assert {str(entry.node_id) for entry in found} == set(inner[:3])
    assert {(entry.actor_id, entry.payload["code"]) for entry in found} == {
        (ACME.people["vera"].user_id, "access.forbidden")
    }


def test_a_set_that_may_not_be_restored_is_written_down(api, acme, plans):
    _, inner = plans
    api("adam").delete(f"/nodes/{inner[0]}")
    (item,) = api("vera").post("/trash/restore", {"ids": [inner[0]]}).json()["items"]
    assert item["status"] == 403
    (entry,) = entries(acme)
    assert (str(entry.node_id), entry.payload["code"]) == (inner[0], "access.forbidden")


def test_a_large_batch_is_written_down_up_to_the_limit_and_counted(api, acme, plans):
    team, inner = plans
    api("vera").post(f"/nodes/{team['id']}/children/batch", {"action": "trash", "only_ids": inner})
    written = len(entries(acme))
    assert denials.PERSON_LIMIT <= written < denials.PERSON_LIMIT + 3
    with tenancy.entered(acme):
        assert denials.write_omitted() == len(inner) - written


@pytest.fixture
def knock():
    """Ask for a socket by a ticket."""
    from apps.sync.sockets import admission
    from apps.sync.sockets.handshake import Handshake

    def ask(ticket):
        asked = Handshake(host="acme.localhost", origin=None, ticket=ticket, session_key=None, address="192.0.2.7")
        place = admission.find_place(asked)
        return admission.judge(asked, place.tenant)

    return ask


def test_a_ticket_that_is_tried_twice_or_too_late_is_written_down_with_whose_it_was(api, acme, knock):
    from apps.sync import tickets
    from apps.sync.sockets.admission import Guest, Refusal
    from apps.sync.sockets.codes import Close
    from bitvault.web import valkey

    twice, late = (api("mia").post("/sync/ticket", {}).json()["ticket"] for _ in range(2))
    assert isinstance(knock(twice), Guest)
    assert entries(acme, "socket.denied") == []
    valkey.client().delete(tickets._key(late))  # as after its half minute
    for ticket in (twice, late, "made up"):
        assert knock(ticket) == Refusal(Close.UNAUTHENTICATED)
    found = entries(acme, "socket.denied")
    assert [(entry.actor_id, entry.payload["reason"]) for entry in found] == [
        (ACME.people["mia"].user_id, "ticket_is_over")
    ] * 2


def test_a_ticket_of_a_token_that_was_revoked_meanwhile_is_written_down(api, acme, knock):
    from apps.sync.sockets.admission import Refusal
    from apps.sync.sockets.codes import Close

    token_id, token = new_token(api)
    ticket = ApiClient(token=token).post("/sync/ticket", {}).json()["ticket"]
    assert api("mia").delete(f"/tokens/{token_id}").status_code == 204
    assert knock(ticket) == Refusal(Close.UNAUTHENTICATED)
    (entry,) = entries(acme, "socket.denied")
    assert (entry.actor_id, entry.payload["reason"]) == (ACME.people["mia"].user_id, "holder_not_let_in")


# --- bounds -----------------------------------------------------------------------------------------------------------------------


def test_who_is_denied_in_a_loop_fills_no_log_and_the_log_says_how_often_it_was(api, acme, hidden):
    adam = api("adam")
    tries = denials.PERSON_LIMIT + 15
    with tenancy.entered(acme):
        denials.write_omitted()  # what others have left to be told
    before = len(entries(acme, denials.OMITTED))
    for _ in range(tries):
        assert adam.get(f"/nodes/{hidden}").status_code == 404
    written = len(entries(acme))
    assert denials.PERSON_LIMIT <= written < denials.PERSON_LIMIT + 3
    with tenancy.entered(acme):
        assert denials.write_omitted() == tries - written
        assert denials.write_omitted() == 0
    (omitted,) = entries(acme, denials.OMITTED)[before:]
    assert omitted.payload == {"type": "access.denied", "count": tries - written}
    assert omitted.actor_id == ACME.people["adam"].user_id
    assert api("olga").get("/audit/verify").json()["intact"]


def test_one_person_s_flood_hides_no_other_s_denial(api, acme, hidden):
    for _ in range(denials.PERSON_LIMIT + 2):
        api("adam").get(f"/nodes/{hidden}")
    api("olga").get(f"/nodes/{hidden}")
    assert entries(acme)[-1].actor_id == ACME.people["olga"].user_id


def test_many_strangers_fill_no_log_either(acme, monkeypatch):
    from bitvault.kernel.request import Origin, set_origin

    def deny(address):
        set_origin(Origin(address=address))
        denials.record(event_type="identity.sign_in.denied", actor_id=None, node_id=None, payload={})

    monkeypatch.setattr(denials, "TENANT_LIMIT", 10)
    with tenancy.entered(acme):
        for number in range(30):
            contextvars.copy_context().run(deny, f"192.0.2.{number}")  # as each request is
        assert len(entries(acme, "identity.sign_in.denied")) in (10, 11)
        assert denials.write_omitted() in (19, 20)
