"""The meter: counted from the stream, equal to a recount, whatever is repeated or comes late."""

from datetime import timedelta

import pytest

from apps.billing import metering
from apps.billing.models import UsageGauge
from bitvault.events.models import ConsumerCursor
from bitvault.kernel import clock, db, tenancy
from tests.apps.billing.counting import compare, count_up, usage

pytestmark = pytest.mark.committed


def test_what_is_stored_is_what_a_recount_finds(api, acme, actor, upload, root_id):
    from apps.files import api as files

    with tenancy.entered(acme):
        folder = files.create_folder(actor=actor, parent_id=root_id, name="Reports")
        inner = files.create_folder(actor=actor, parent_id=folder.id, name="2026")
    upload(root_id, "a.txt", 100)
    upload(folder.id, "b.txt", 20)
    upload(inner.id, "c.txt", 3)
    upload(inner.id, "c.txt", 5, mode="overwrite")
    assert compare(api, acme)["live_bytes"] == 128
    with tenancy.entered(acme):
        files.trash_node(actor=actor, node_id=folder.id)
    found = compare(api, acme)
    assert (found["live_bytes"], found["trash_bytes"]) == (100, 28)
    with tenancy.entered(acme):
        files.restore_node(actor=actor, node_id=folder.id)
    assert compare(api, acme)["trash_bytes"] == 0
    with tenancy.entered(acme):
        files.trash_node(actor=actor, node_id=inner.id)
        files.purge_node(actor=actor, node_id=inner.id)
    found = compare(api, acme)
    assert (found["live_bytes"], found["trash_bytes"], found["version_count"]) == (120, 0, 2)


def test_bytes_in_a_team_folder_count_for_the_tenant_until_it_is_deleted(api, acme, make_actor, upload):
    from apps.files import api as files

    adam = make_actor("adam")
    with tenancy.entered(acme):
        team = files.create_team_folder(actor=adam, name="Design")
        folder = files.create_folder(actor=adam, parent_id=team.id, name="Plans")
    upload(folder.id, "a.txt", 100, by=adam)
    with tenancy.entered(acme):
        files.rename_team_folder(actor=adam, folder_id=team.id, name="Art", expected_revision="any")
    assert compare(api, acme)["live_bytes"] == 100
    with tenancy.entered(acme):
        files.end_team_folder(actor=adam, folder_id=team.id)
    found = compare(api, acme)
    assert (found["live_bytes"], found["trash_bytes"]) == (0, 100)
    with tenancy.entered(acme):
        files.restore_team_folder(actor=adam, folder_id=team.id)
    assert compare(api, acme)["live_bytes"] == 100
    with tenancy.entered(acme):
        files.end_team_folder(actor=adam, folder_id=team.id)
        files.purge_node(actor=adam, node_id=team.id)
    found = compare(api, acme)
    assert (found["live_bytes"], found["trash_bytes"], found["file_count"]) == (0, 0, 0)


def test_replaying_every_event_changes_nothing_that_a_cursor_has_passed(api, acme, upload, root_id):
    upload(root_id, "a.txt", 100)
    before = compare(api, acme)
    count_up(acme)
    count_up(acme)
    assert compare(api, acme) == before


def test_a_failing_event_leaves_neither_half_a_count_nor_a_moved_cursor(api, acme, upload, root_id, monkeypatch):
    upload(root_id, "a.txt", 100)
    count_up(acme)
    upload(root_id, "b.txt", 7)
    monkeypatch.setattr(metering.Tally, "_close_day", lambda _: 1 / 0)
    count_up(acme)
    with tenancy.entered(acme), db.read_transaction():
        assert UsageGauge.objects.get(metric="live_bytes").amount == 100
    monkeypatch.undo()
    with clock.fixed_at(clock.now() + timedelta(minutes=5)):
        count_up(acme)
    assert usage(api)["live_bytes"] == 107


def test_downloads_are_counted_by_day(api, acme, actor, upload, root_id):
    from apps.files import api as files

    node = upload(root_id, "a.txt", 100)
    with tenancy.entered(acme):
        for _ in range(3):
            files.open_content(actor=actor, node_id=node.id)
        files.get_content(actor=actor, node_id=node.id)
    count_up(acme)
    today = clock.now().date()
    days = {"from": today.isoformat(), "to": (today + timedelta(days=1)).isoformat()}
    answer = api("mia").get("/usage/history", **days).json()
    amounts = {item["metric"]: item["amount"] for item in answer["items"]}
    assert amounts["downloads_signed_count"] == 3
    assert amounts["downloaded_bytes"] == 300
    assert amounts["uploads_committed_count"] == 1
    assert amounts["live_bytes"] == 100
    one = api("mia").get("/usage/history", metric="live_bytes", **days).json()["items"]
    assert [item["metric"] for item in one] == ["live_bytes"]


def test_a_quiet_day_has_what_stood_there_and_nothing_that_happened(api, acme, upload, root_id):
    first = clock.now().date()
    upload(root_id, "a.txt", 100)
    count_up(acme)
    with clock.fixed_at(clock.now() + timedelta(days=3)):
        upload(root_id, "b.txt", 7)
        count_up(acme)
        later = {"from": (first + timedelta(days=1)).isoformat(), "to": (first + timedelta(days=9)).isoformat()}
        items = api("mia").get("/usage/history", **later).json()["items"]
    days = [(first + timedelta(days=number)).isoformat() for number in (1, 2, 3)]
    assert [(item["day"], item["amount"]) for item in items if item["metric"] == "live_bytes"] == list(
        zip(days, (100, 100, 107), strict=True)
    )
    assert [item["day"] for item in items if item["metric"] == "uploads_committed_count"] == [days[2]]
    assert items == sorted(items, key=lambda item: (item["day"], item["metric"]))


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "2026-01-02", "to": "2026-01-01"}, "billing.range_too_long"),
        ({"from": "2024-01-01", "to": "2026-01-02"}, "billing.range_too_long"),
        ({"from": "yesterday", "to": "2026-01-02"}, "request.invalid"),
        ({"from": "2026-01-01"}, "request.invalid"),
        ({"from": "2026-01-01", "to": "2026-01-02", "metric": "secrets"}, "request.invalid"),
    ],
)
def test_days_that_make_no_sense_are_refused(api, query, code):
    answer = api("mia").get("/usage/history", **query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_usage_waits_for_a_number_or_says_how_far_it_is(api, acme, upload, root_id):
    upload(root_id, "a.txt", 100)
    with tenancy.entered(acme):
        from bitvault.events.api import get_head

        head = get_head()
    assert api("mia").get("/usage", min_seq=str(head), wait_ms="30").status_code == 202
    count_up(acme)
    assert usage(api, min_seq=str(head))["as_of_seq"] == head


def test_one_tenants_files_do_not_count_for_another(api, acme, beta, upload, root_id):
    upload(root_id, "a.txt", 100)
    count_up(acme)
    count_up(beta)
    assert api("boris").get("/usage").json()["live_bytes"] == 0


def test_the_meter_has_a_cursor_in_every_tenant(acme, beta):
    assert set(ConsumerCursor.objects.filter(consumer=metering.CONSUMER).values_list("tenant_id", flat=True)) == {
        acme.id,
        beta.id,
    }


def test_a_batch_costs_as_many_statements_for_forty_uploads_as_for_four(acme, upload, root_id):
    from django.db import connection

    def count(execute, *statement):
        said.append(statement[0])
        return execute(*statement)

    count_up(acme)
    costs = []
    for many in (4, 40):
        for number in range(many):
            upload(root_id, f"{many} {number}.txt", 10)
        said = []
        with connection.execute_wrapper(count):
            count_up(acme)
        costs.append(len(said))
    assert costs[0] == costs[1]


def test_no_days_are_an_empty_answer_and_the_end_is_exclusive(api, acme, upload, root_id):
    upload(root_id, "a.txt", 10)
    count_up(acme)
    today = clock.now().date()
    for day in (today, today - timedelta(days=3), today + timedelta(days=3)):
        none = api("mia").get("/usage/history", **{"from": str(day), "to": str(day)})
        assert (none.status_code, none.json()["items"]) == (200, [])
    until_today = api("mia").get("/usage/history", **{"from": str(today - timedelta(days=1)), "to": str(today)})
    assert until_today.json()["items"] == []
    assert (
        api("mia").get("/usage/history", **{"from": str(today), "to": str(today + timedelta(days=1))}).json()["items"]
    )
