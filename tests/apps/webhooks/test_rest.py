"""Webhooks over REST: for who administers the tenant, with a secret that is told once."""

import pytest

URL = "https://8.8.8.8/hook"
ID = "01900000-0000-7000-8000-0000000000ff"

ROUTES = (
    *(("GET", "/webhooks", None), ("POST", "/webhooks", {"url": URL, "events": ["*"]}), ("GET", "/events", None)),
    *(("PATCH", f"/webhooks/{ID}", {}), ("DELETE", f"/webhooks/{ID}", None), ("POST", f"/webhooks/{ID}/test", None)),
    *(("POST", f"/webhooks/{ID}/rotate-secret", None), ("POST", f"/webhooks/{ID}/replay", {"from_seq": 1})),
    *(("GET", f"/webhooks/{ID}/deliveries", None), ("POST", f"/webhooks/{ID}/deliveries/{ID}/redeliver", None)),
)


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
def test_a_member_is_refused_and_of_what_is_not_there_an_administrator_is_told_so(api, method, path, body):
    refused = api("mia").request(method, path, body)
    assert (refused.status_code, refused.json()["code"]) == (403, "identity.permission_missing")
    answer = api("olga").request(method, path, body)
    assert answer.status_code == (404 if ID in path else 201 if method == "POST" else 200), answer.content


def test_a_secret_is_told_once_and_kept_sealed(api, tenant):
    from apps.webhooks.models import Webhook
    from bitvault.kernel import db

    olga = api("olga")
    made = olga.post("/webhooks", {"url": URL, "events": ["files.*"], "description": "Ledger"}).json()
    assert made["secret"].startswith("whsec_")
    (listed,) = olga.get("/webhooks").json()["items"]
    assert "secret" not in listed
    assert {**listed, "secret": made["secret"]} == made
    with db.read_transaction():
        kept = Webhook.objects.get().secret
    assert made["secret"].removeprefix("whsec_") not in kept
    rotated = olga.post(f"/webhooks/{made['id']}/rotate-secret").json()
    assert rotated["secret"] not in (made["secret"], "")
    for path in ("/webhooks", f"/webhooks/{made['id']}/deliveries", "/events", "/audit"):
        assert made["secret"] not in olga.get(path).content.decode()


def test_a_webhook_is_changed_switched_off_on_and_deleted(api):
    olga = api("olga")
    made = olga.post("/webhooks", {"url": URL, "events": ["files.*"]}).json()
    path = f"/webhooks/{made['id']}"
    off = olga.patch(path, {"enabled": False}).json()
    assert (off["enabled"], off["disabled_reason"]) == (False, "by_administrator")
    assert olga.post(f"{path}/replay", {"from_seq": 1}).json()["code"] == "webhooks.disabled"
    on = olga.patch(path, {"enabled": True, "events": ["sharing.*", "links.link.opened"]}).json()
    assert (on["enabled"], on["disabled_reason"], on["events"]) == (True, None, ["sharing.*", "links.link.opened"])
    assert olga.post(f"{path}/replay", {"from_seq": 10**9}).json()["code"] == "events.beyond_head"
    assert olga.delete(path).status_code == 204
    assert olga.get("/webhooks").json()["items"] == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"url": "https://169.254.169.254/"}, "webhooks.address_unfit"),
        ({"url": "http://8.8.8.8/"}, "webhooks.address_unfit"),
        ({"events": ["nothing.*"]}, "webhooks.event_unknown"),
        ({"events": []}, "request.invalid"),
        ({"folder_id": ID}, "access.not_found"),
        ({"format": "discord"}, "request.invalid"),
    ],
)
def test_what_cannot_be_is_refused_when_made_and_when_changed(api, changes, code):
    olga = api("olga")
    made = olga.post("/webhooks", {"url": URL, "events": ["*"]}).json()
    for answer in (
        olga.post("/webhooks", {"url": URL, "events": ["*"], **changes}),
        olga.patch(f"/webhooks/{made['id']}", changes),
    ):
        assert answer.json()["code"] == code
    assert len(olga.get("/webhooks").json()["items"]) == 1


def test_a_folder_that_an_administrator_cannot_see_is_no_filter(api):
    mia = api("mia")
    folder = mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": "Private"}).json()
    wish = {"url": URL, "events": ["*"], "folder_id": folder["id"]}
    assert api("olga").post("/webhooks", wish).status_code == 404
    mia.post(f"/nodes/{folder['id']}/shares", {"principal": {"type": "everyone"}, "role": "viewer"})
    assert api("olga").post("/webhooks", wish).status_code == 201


def test_events_are_pulled_in_order_without_names_and_without_end(api):
    mia, olga = api("mia"), api("olga")
    root_id = mia.get("/me").json()["root_id"]
    start = olga.get("/events", limit=1000).json()["as_of_seq"]
    for name in ("geheim 1", "geheim 2", "geheim 3"):
        mia.post("/folders", {"parent_id": root_id, "name": name})
    seen, after = [], start
    while True:
        page = olga.get("/events", after_seq=after, limit=2)
        assert "geheim" not in page.content.decode()
        found = page.json()
        if not found["items"]:
            break
        seen += [one["seq"] for one in found["items"]]
        after = found["next_after_seq"]
    assert seen == list(range(start + 1, found["as_of_seq"] + 1))
    assert olga.get("/events", after_seq=10**9).json()["code"] == "events.beyond_head"


def test_events_that_are_dropped_are_said_to_be(api, tenant):
    from bitvault.events.models import StreamEvent

    olga = api("olga")
    for name in ("a", "b"):
        olga.post("/folders", {"parent_id": olga.get("/me").json()["root_id"], "name": name})
    rows = StreamEvent.objects.filter(tenant_id=tenant.id).order_by("seq")
    first = rows.values_list("seq", flat=True)[1]
    rows.filter(seq__lt=first).delete()
    answer = olga.get("/events", after_seq=0)
    assert (answer.status_code, answer.json()["code"], answer.json()["first_seq"]) == (
        410,
        "webhooks.events_gone",
        first,
    )
    assert olga.get("/events", after_seq=first - 1).status_code == 200


def test_there_are_no_more_than_a_vault_can_have(api, monkeypatch):
    from apps.webhooks import operations

    monkeypatch.setattr(operations, "WEBHOOKS_LIMIT", 1)
    olga = api("olga")
    assert olga.post("/webhooks", {"url": URL, "events": ["*"]}).status_code == 201
    assert olga.post("/webhooks", {"url": URL, "events": ["*"]}).json()["code"] == "webhooks.too_many"


@pytest.mark.usefixtures("lasting_memory")
def test_a_list_of_deliveries_costs_as_many_queries_for_many_rows_as_for_few(api, tenant, django_assert_num_queries):
    from apps.webhooks.models import Delivery
    from bitvault.kernel import clock, db

    olga = api("olga")
    made = olga.post("/webhooks", {"url": URL, "events": ["*"]}).json()
    path = f"/webhooks/{made['id']}/deliveries"

    def add(count):
        facts = {"kind": "event", "state": "delivered", "event_type": "t", "body": "{}", "created_at": clock.now()}
        with db.write_transaction():
            Delivery.objects.bulk_create(
                Delivery(webhook_id=made["id"], message_id=f"m{number}", **facts) for number in range(count)
            )

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for count in (10, 190):
        add(count)
        with CaptureQueriesContext(connection) as queries:
            answer = olga.get(path, limit=1000).json()
        counts.append(len(queries))
    assert len(answer["items"]) == 200
    assert counts[1] <= counts[0]
    first = olga.get(path, limit=150).json()
    rest = olga.get(path, limit=150, cursor=first["next_cursor"]).json()
    assert len({one["id"] for one in (*first["items"], *rest["items"])}) == 200


def test_the_pages_show_state_reason_and_what_was_sent(api, tenant):
    from django.test import Client

    from apps.webhooks.models import Delivery, Webhook
    from bitvault.kernel import clock, db
    from tests.support.world import ACME, PASSWORD

    olga = api("olga")
    made = olga.post("/webhooks", {"url": URL, "events": ["files.*"], "description": "Ledger"}).json()
    with db.write_transaction():
        Webhook.objects.update(is_enabled=False, disabled_reason="gone", disabled_at=clock.now())
        one = {"started_at": clock.now().isoformat(), "duration_ms": 12, "status": 410, "failure": "answer"}
        Delivery.objects.create(
            webhook_id=made["id"],
            message_id="msg_1",
            kind="event",
            state="failed",
            event_type="files.node.moved.v1",
            body='{"a": "<script>"}',
            tries=[{**one, "answer": "<b>gone</b>"}],
            created_at=clock.now(),
        )
    browser = Client(headers={"host": "acme.localhost"})
    person = ACME.people["olga"]
    browser.post("/api/v1/auth/login", {"email": person.email, "password": PASSWORD}, content_type="application/json")
    listed = browser.get("/settings/webhooks/").content.decode()
    assert "Ledger" in listed
    assert "not there any more (410)" in listed
    page = browser.get(f"/settings/webhooks/{made['id']}/").content.decode()
    assert "msg_1" in page
    assert "&lt;b&gt;gone&lt;/b&gt;" in page
    assert '<script>"' not in page
    assert "Switch on" in page
    assert browser.get(f"/settings/webhooks/{ID}/").status_code == 404
    mia = Client(headers={"host": "acme.localhost"})
    member = ACME.people["mia"]
    mia.post("/api/v1/auth/login", {"email": member.email, "password": PASSWORD}, content_type="application/json")
    assert mia.get("/settings/webhooks/").status_code == 403
    assert "/settings/webhooks/" not in mia.get("/settings/").content.decode()
