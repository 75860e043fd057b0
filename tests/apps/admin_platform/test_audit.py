"""The audit log: every change once, chained, readable by administrators, changed by nobody."""

import csv
import io
import json
import threading
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, connections

from apps.admin_platform import api as administration
from apps.admin_platform import chain, exporting, operations, queries, verifying
from apps.admin_platform.models import AuditEntry
from bitvault.events import consuming
from bitvault.events.models import StreamEvent
from bitvault.kernel import clock, db, tenancy

pytestmark = pytest.mark.committed


def do_things(api, count: int = 3) -> list[dict]:
    root = api("mia").get("/me").json()["root_id"]
    return [
        api("mia").post("/folders", {"parent_id": root, "name": f"Folder {number}"}).json() for number in range(count)
    ]


def test_every_event_of_the_stream_has_its_entry_once(api, acme, audited):
    do_things(api)
    audited(acme)
    audited(acme)
    with tenancy.entered(acme), db.read_transaction():
        entries = list(AuditEntry.objects.order_by("number").values_list("seq", "type"))
        events = list(StreamEvent.objects.filter(tenant_id=acme.id).order_by("seq").values_list("seq", "type"))
    assert entries == events
    assert len(entries) >= 3


def test_an_entry_tells_who_what_and_from_where(api, acme, audited):
    folder = do_things(api, 1)[0]
    audited(acme)
    entry = api("olga").get("/audit", node_id=folder["id"]).json()["items"][0]
    assert entry["type"] == "files.folder.created.v1"
    assert entry["actor_id"] == folder["created_by"]
    assert entry["address"] == "127.0.0.1"
    assert entry["payload"]["name"] == "Folder 0"
    assert entry["request_id"]


@pytest.fixture
def on_device(api):
    """Send a request as from a device of the person's own."""

    def send(name, method, path, body=None):
        device = api(name).post("/sync/devices", {"name": "laptop", "platform": "linux"}).json()["id"]
        headers = {"BitVault-Device": device}
        return device, api(name).request(method, path, json.dumps(body).encode() if body else b"", headers=headers)

    return send


def test_an_entry_tells_the_device(api, acme, audited, on_device):
    root_id = api("mia").get("/me").json()["root_id"]
    device, made = on_device("mia", "POST", "/folders", {"parent_id": root_id, "name": "x"})
    assert made.status_code == 201
    audited(acme)
    assert api("olga").get("/audit", node_id=made.json()["id"]).json()["items"][0]["device_id"] == device


def test_a_denial_tells_the_device(api, acme, audited, on_device):
    device, refused = on_device("vera", "GET", "/audit")
    assert refused.status_code == 403
    audited(acme)
    assert api("olga").get("/audit", type="access.denied").json()["items"][0]["device_id"] == device


def test_the_log_is_read_by_pages_and_filters(api, acme, audited):
    folders = do_things(api, 5)
    audited(acme)
    first = api("olga").get("/audit", limit="2").json()
    assert len(first["items"]) == 2
    assert first["as_of_seq"] >= 5
    second = api("olga").get("/audit", limit="2", cursor=first["next_cursor"]).json()
    assert second["items"][0]["number"] == first["items"][-1]["number"] - 1
    typed = api("olga").get("/audit", type="files.folder.created.v1", actor_id=folders[0]["created_by"]).json()
    assert {entry["type"] for entry in typed["items"]} == {"files.folder.created.v1"}
    tomorrow = (clock.now() + timedelta(days=1)).isoformat()
    assert api("olga").get("/audit", **{"from": tomorrow}).json()["items"] == []


@pytest.mark.parametrize("path", ["/audit", "/audit/verify", "/audit/export"])
def test_only_owners_and_administrators_see_it(api, path):
    assert api("olga").get(path).status_code == 200
    assert api("adam").get(path).status_code == 200
    for name in ("mia", "vera"):
        answer = api(name).get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "identity.permission_missing")


def test_another_tenants_log_is_another_log(api, acme, beta, audited):
    do_things(api)
    audited(acme)
    audited(beta)
    assert api("boris").get("/audit", type="files.folder.created.v1").json()["items"] == []


def test_a_reader_may_ask_for_a_number_and_is_told_when_it_is_not_reached(api, acme, audited):
    root = api("mia").get("/me").json()["root_id"]
    seq = api("mia").post("/folders", {"parent_id": root, "name": "Later"})["BitVault-Seq"]
    for path in ("/audit", "/audit/verify", "/audit/export"):
        behind = api("olga").get(path, min_seq=seq, wait_ms="50")
        assert behind.status_code == 202
        assert behind.json()["as_of_seq"] < int(seq)
    audited(acme)
    for path in ("/audit", "/audit/verify"):
        there = api("olga").get(path, min_seq=seq, wait_ms="50")
        assert there.status_code == 200
        assert there.json()["as_of_seq"] >= int(seq)
    exported = api("olga").get("/audit/export", min_seq=seq, wait_ms="50")
    assert exported.status_code == 200
    assert int(exported["BitVault-As-Of-Seq"]) >= int(seq)


def test_the_application_may_neither_change_nor_delete_an_entry(api, acme, audited):
    do_things(api, 1)
    audited(acme)
    for act in (
        lambda: AuditEntry.objects.update(type="nothing"),
        lambda: AuditEntry.objects.all().delete(),
        lambda: execute("TRUNCATE admin_platform_audit_entry"),
    ):
        with tenancy.entered(acme), pytest.raises(DatabaseError, match="permission denied"), db.write_transaction():
            act()


def test_not_even_the_owner_of_the_tables_changes_an_entry(api, acme, audited):
    do_things(api, 1)
    audited(acme)
    with pytest.raises(DatabaseError, match="append-only"):
        forge(acme, "UPDATE {table} SET type = 'nothing'", keep_triggers=True)


def test_the_chain_verifies(api, acme, audited):
    do_things(api)
    audited(acme)
    found = api("olga").get("/audit/verify").json()
    assert found["intact"]
    assert found["entry_count"] == found["head_number"] >= 3


def test_the_chain_verifies_while_entries_are_appended(api, acme, audited, monkeypatch):
    root_id = do_things(api)[0]["parent_id"]
    audited(acme)
    appended = []

    def append():
        try:
            api("mia").post("/folders", {"parent_id": root_id, "name": "late"})
            appended.append(audited(acme))
        finally:
            connections.close_all()

    def append_and_list(*, after, limit, list_links=queries.list_links):
        if not appended:
            thread = threading.Thread(target=append)
            thread.start()
            thread.join()
        return list_links(after=after, limit=limit)

    monkeypatch.setattr(queries, "list_links", append_and_list)
    monkeypatch.setattr(verifying, "STEP", 2)
    with tenancy.entered(acme):
        assert verifying.verify("audit").intact
    assert appended[0] > 0


@pytest.mark.parametrize(
    "tampering",
    [
        'UPDATE {table} SET payload = payload || \'{{"name": "other"}}\' WHERE number = 3',
        "UPDATE {table} SET actor_id = NULL WHERE number = 3",
        "UPDATE {table} SET occurred_at = occurred_at + interval '1 second' WHERE number = 3",
        "UPDATE {table} SET type = 'other' WHERE number = 3",
        "UPDATE {table} SET address = '10.0.0.1' WHERE number = 3",
        "DELETE FROM {table} WHERE number = 3",
        "DELETE FROM {table} WHERE number = (SELECT max(number) FROM {table})",
        """UPDATE {table} SET seq = NULL; UPDATE {table} SET number = -number WHERE number IN (3, 4);
           UPDATE {table} SET number = 7 + number WHERE number < 0""",
        """INSERT INTO {table} SELECT number + 100, NULL, event_id, type, occurred_at, actor_id, node_id, address, device_id,
           request_id, payload, previous_hash, hash FROM {table} WHERE number = 2""",
    ],
)
def test_whatever_is_done_to_the_log_behind_the_applications_back_is_found(api, acme, audited, tampering):
    do_things(api, 4)
    audited(acme)
    forge(acme, tampering)
    found = api("olga").get("/audit/verify").json()
    assert not found["intact"]
    assert found["broken_at"] is not None


def test_an_export_is_enough_to_recompute_the_chain(api, acme, audited):
    do_things(api)
    audited(acme)
    lines = api("olga").get("/audit/export").content.decode().splitlines()
    digest = chain.FIRST
    for line in lines:
        entry = json.loads(line)
        assert entry["previous_hash"] == digest.hex()
        digest = chain.next_hash(digest, entry)
        assert entry["hash"] == digest.hex()
    rest = api("olga").get("/audit/export", after=str(len(lines) - 1)).content.decode().splitlines()
    assert rest == lines[-1:]


def write_entries(tenant, count: int) -> None:
    with tenancy.entered(tenant):
        for start in range(0, count, 500):
            with db.write_transaction():
                operations.append(
                    [
                        operations.entry_without_event(
                            event_type="access.denied", actor_id=None, node_id=None, payload={"number": number}
                        )
                        for number in range(start, min(start + 500, count))
                    ]
                )


def follow_export(client, path="/audit/export", **query) -> tuple[list[dict], int]:
    """Read an export to its end, by its own headers; how many pages it took."""
    entries, pages, after = [], 0, "0"
    while True:
        answer = client.get(path, after=after, **query)
        found = [json.loads(line) for line in answer.content.splitlines()]
        entries, pages, after = entries + found, pages + 1, answer["BitVault-Next-After"]
        assert after == str(entries[-1]["number"] if entries else 0)
        assert ("Link" in answer.headers) == (answer["BitVault-Has-More"] == "true")
        if answer["BitVault-Has-More"] != "true":
            return entries, pages


def test_an_export_without_a_limit_goes_past_a_thousand_entries(api, acme):
    write_entries(acme, 2_300)
    entries, pages = follow_export(api("olga"))
    assert ([entry["number"] for entry in entries], pages) == (list(range(1, 2_301)), 1)


def test_an_export_says_where_a_page_ends_and_that_more_follows(api, acme):
    write_entries(acme, 7)
    olga = api("olga")
    first = olga.get("/audit/export", limit="3")
    assert (first["BitVault-Next-After"], first["BitVault-Has-More"]) == ("3", "true")
    assert first["Link"] == '</api/v1/audit/export?after=3&limit=3>; rel="next"'
    entries, pages = follow_export(olga, limit="3")
    assert ([entry["number"] for entry in entries], pages) == (list(range(1, 8)), 3)
    exact = olga.get("/audit/export", limit="7")
    assert exact["BitVault-Has-More"] == "false"
    behind = olga.get("/audit/export", after="7")
    assert (behind.content, behind["BitVault-Next-After"], behind["BitVault-Has-More"]) == (b"", "7", "false")


def test_a_large_page_ends_early_and_says_so(api, acme, monkeypatch):
    write_entries(acme, 20)
    monkeypatch.setattr(exporting, "BYTES_LIMIT", 2_000)
    entries, pages = follow_export(api("olga"))
    assert [entry["number"] for entry in entries] == list(range(1, 21))
    assert pages > 2


def test_something_denied_is_written_down_directly(acme, make_actor):
    with tenancy.entered(acme):
        administration.record_denial(
            event_type="access.denied", actor_id=make_actor("vera").user_id, node_id=None, payload={"method": "POST"}
        )
        with db.read_transaction():
            entry = queries.list_for_export(after=0, limit=10)[-1]
    assert (entry.type, entry.seq) == ("access.denied", None)


def test_events_and_denials_share_one_chain_without_gaps(api, acme, audited):
    with tenancy.entered(acme):
        administration.record_denial(event_type="access.denied", actor_id=None, node_id=None, payload={})
    do_things(api, 2)
    audited(acme)
    with tenancy.entered(acme):
        administration.record_denial(event_type="access.denied", actor_id=None, node_id=None, payload={})
    assert api("olga").get("/audit/verify").json()["intact"]


def test_a_thousand_events_are_written_in_few_statements(acme, django_assert_max_num_queries):
    from bitvault.events.api import publish
    from bitvault.events.catalog.identity import PasswordChanged

    with tenancy.entered(acme):
        with db.write_transaction():
            for _ in range(1000):
                publish(PasswordChanged(user_id=acme.id))
        with django_assert_max_num_queries(12 * (1000 // consuming.BATCH_LIMIT + 1)):
            assert consuming.consume("audit") >= 1000


def forge(tenant, statement: str, *, keep_triggers: bool = False) -> None:
    """Write as somebody who owns the tables, behind the application's back."""

    table = f'"{tenant.schema}".admin_platform_audit_entry'
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE bitvault_owner")
        try:
            if not keep_triggers:
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(statement.format(table=table))
        finally:
            cursor.execute("RESET ROLE")


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_denied_request_is_written_down_with_its_code(api, acme):
    answer = api("vera").post("/folders", {"parent_id": api("vera").get("/me").json()["root_id"], "name": "No"})
    assert answer.status_code == 403
    with tenancy.entered(acme), db.read_transaction():
        entry = queries.list_for_export(after=0, limit=100)[-1]
    assert entry.type == "access.denied"
    assert entry.payload == {"method": "POST", "route": "api/v1/folders", "code": answer.json()["code"]}
    assert entry.address == "127.0.0.1"


def test_a_failed_sign_in_is_written_down_without_the_address_that_was_tried(acme):
    from django.test import Client

    client = Client(headers={"host": "acme.localhost"}, enforce_csrf_checks=False)
    body = {"email": "nobody@acme.test", "password": "wrong password"}
    client.post(
        "/api/v1/auth/login", body, content_type="application/json", headers={"origin": "http://acme.localhost"}
    )
    with tenancy.entered(acme), db.read_transaction():
        entries = queries.list_for_export(after=0, limit=100)
    denied = [entry for entry in entries if entry.type == "identity.sign_in.denied"]
    assert len(denied) == 1
    assert "nobody" not in json.dumps(denied[0].payload)


def test_a_dead_letter_is_replayed_into_the_log(api, acme, audited, monkeypatch):
    from bitvault.events import operating
    from bitvault.events.models import DeadLetter

    do_things(api, 1)
    audited(acme)
    root_id = api("mia").get("/me").json()["root_id"]
    api("mia").post("/folders", {"parent_id": root_id, "name": "Late"})
    with tenancy.entered(acme):
        with monkeypatch.context() as broken:
            broken.setattr(operations, "entry_of", lambda _: 1 / 0)
            consuming.consume("audit")
        operating.skip_event(consumer="audit", by=None)
        letter = DeadLetter.objects.get()
        operating.replay_dead_letter(letter_id=letter.id, by=None)
    audited(acme)
    assert api("olga").get("/audit/verify").json()["intact"]
    with tenancy.entered(acme), db.read_transaction():
        assert AuditEntry.objects.filter(seq=letter.seq).count() == 1


# --- filters and CSV ---------------------------------------------------------------------------------------------------------


def test_types_may_be_several_or_named_by_their_beginning(api, acme, audited):
    with tenancy.entered(acme):
        administration.record_denial(event_type="access.denied", actor_id=None, node_id=None, payload={})
    do_things(api, 2)
    audited(acme)

    def types(**query) -> set[str]:
        return {entry["type"] for entry in api("olga").get("/audit", limit="1000", **query).json()["items"]}

    assert types(type="files.*") == {"files.folder.created.v1"}
    assert types(type="files.*,access.denied") == {"files.folder.created.v1", "access.denied"}
    assert types(type="files") == set()
    assert types(type="files.*", address="127.0.0.1") == {"files.folder.created.v1"}
    assert types(address="203.0.113.9") == set()


def test_an_export_holds_what_its_filters_name_and_its_link_goes_on_with_them(api, acme, audited):
    folder = do_things(api, 3)[1]
    write_entries(acme, 3)
    audited(acme)
    only, _pages = follow_export(api("olga"), node_id=folder["id"])
    assert [entry["payload"]["name"] for entry in only] == ["Folder 1"]
    first = api("olga").get("/audit/export", limit="2", type="access.*")
    assert first["Link"] == '</api/v1/audit/export?after=2&limit=2&type=access.%2A>; rel="next"'
    found, pages = follow_export(api("olga"), limit="2", type="access.*")
    assert (len(found), pages) == (3, 2)


def test_a_spreadsheet_gets_names_of_people_and_runs_nothing_that_somebody_named_a_folder(api, acme, audited):
    root_id = api("mia").get("/me").json()["root_id"]
    api("mia").post("/folders", {"parent_id": root_id, "name": '=HYPERLINK("x")'})
    with tenancy.entered(acme):
        administration.record_denial(event_type="access.denied", actor_id=None, node_id=None, payload={})
    audited(acme)
    olga = api("olga")
    answer = olga.get("/audit/export.csv", type="files.folder.created.v1")
    assert answer["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert rows[-1]["person"] == "Mia"
    assert json.loads(rows[-1]["payload"])["name"] == '=HYPERLINK("x")'
    assert exporting._defuse("=1+1") == "'=1+1"
    later = olga.get("/audit/export.csv", after=answer["BitVault-Next-After"])
    assert not later.content.startswith(b"number,")
    assert api("mia").get("/audit/export.csv").status_code == 403
