"""Anchors: what is signed of the audit log, and what they find that the chain alone does not."""

import json

import pytest
from django.db import DatabaseError, connection
from django.test import Client

from apps.admin_platform import anchoring, chain, signing, verifying
from apps.admin_platform.models import AuditAnchor, AuditEntry
from bitvault.kernel import db, tenancy
from bitvault_verify.checking import Wanted, check
from tests.apps.admin_platform.test_audit import forge, write_entries
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.committed


def anchor(tenant) -> bool:
    with tenancy.entered(tenant):
        return anchoring.anchor()


def grow(tenant, *counts: int) -> None:
    for count in counts:
        write_entries(tenant, count)
        assert anchor(tenant)


def whole_export(client, **query) -> list[bytes]:
    lines, after = [], "0"
    while True:
        answer = client.get("/audit/export", after=after, anchors="true", **query)
        assert answer.status_code == 200, answer.content
        lines += answer.content.splitlines()
        after = answer["BitVault-Next-After"]
        if answer["BitVault-Has-More"] != "true":
            return lines


def rewrite_all(tenant) -> None:
    """Write the whole chain and its head anew, as somebody who owns the database could."""
    with tenancy.entered(tenant), db.read_transaction():
        rows = list(AuditEntry.objects.order_by("number").values(*chain.FIELDS))
    digest = chain.FIRST
    for row in rows:
        row["payload"] = {"forged": row["number"]}
        previous, digest = digest, chain.next_hash(digest, row)
        forge(
            tenant,
            f"UPDATE {{table}} SET payload = '{json.dumps(row['payload']).replace('{', '{{').replace('}', '}}')}',"
            f" previous_hash = '\\x{previous.hex()}', hash = '\\x{digest.hex()}' WHERE number = {row['number']}",
        )
    forge(tenant, f"""UPDATE "{tenant.schema}".admin_platform_audit_head SET hash = '\\x{digest.hex()}'""")


def test_an_anchor_is_written_where_the_log_has_grown_and_few_queries_tell_that_it_has_not(
    acme, django_assert_max_num_queries
):
    assert not anchor(acme), "an empty log has nothing to sign"
    grow(acme, 3)
    with django_assert_max_num_queries(8):
        assert not anchor(acme)
    grow(acme, 2)
    with tenancy.entered(acme), db.read_transaction():
        assert list(AuditAnchor.objects.order_by("index").values_list("index", "number")) == [(1, 3), (2, 5)]


def test_whoever_administers_reads_anchors_and_keys_and_others_do_not(api, acme):
    grow(acme, 3, 2)
    olga = api("olga")
    first = olga.get("/audit/anchors", limit="1").json()
    assert [one["number"] for one in first["items"]] == [5]
    rest = olga.get("/audit/anchors", cursor=first["next_cursor"]).json()
    assert ([one["number"] for one in rest["items"]], rest["next_cursor"]) == ([3], None)
    keys = olga.get("/audit/keys").json()["items"]
    assert keys == [{"public_key": signing.public_key().hex(), "is_current": True, "first_number": 3, "last_number": 5}]
    for path in ("/audit/anchors", "/audit/keys"):
        assert api("mia").get(path).status_code == 403


def test_a_new_key_is_named_beside_the_one_before(api, acme, settings):
    grow(acme, 1)
    before = signing.public_key().hex()
    settings.BITVAULT_AUDIT_KEY = "another secret of this installation"
    assert [one["is_current"] for one in api("olga").get("/audit/keys").json()["items"]] == [True, False]
    grow(acme, 1)
    keys = frozenset(bytes.fromhex(one["public_key"]) for one in api("olga").get("/audit/keys").json()["items"])
    assert len(keys) == 2
    assert check(whole_export(api("olga")), Wanted(keys=keys)).is_intact
    alone = check(whole_export(api("olga")), Wanted(keys=keys - {bytes.fromhex(before)}))
    assert "not trusted" in alone.findings[0]["what"]


@pytest.mark.parametrize("limit", ["2", "1000"])
def test_an_export_with_anchors_verifies_on_a_laptop_page_by_page(api, acme, audited, limit):
    folder = api("mia").post("/folders", {"parent_id": api("mia").get("/me").json()["root_id"], "name": "Łódź ✓"})
    assert folder.status_code == 201
    audited(acme)
    assert anchor(acme)
    grow(acme, 2, 3)
    write_entries(acme, 1)
    lines = whole_export(api("olga"), limit=limit)
    found = check(lines, Wanted(keys=frozenset({signing.public_key()}), needs_anchors=True))
    assert (found.findings, found.anchor_count) == ([], 3)
    assert found.tenant_id == str(acme.id)
    assert found.head_number == found.entry_count > 6


def test_a_filtered_export_has_no_anchors(api):
    refused = api("olga").get("/audit/export", anchors="true", type="files.*")
    assert (refused.status_code, refused.json()["code"]) == (422, "admin_platform.anchors_need_whole_log")


def test_a_log_that_was_rewritten_whole_is_found_here_and_elsewhere(api, acme, monkeypatch):
    grow(acme, 3, 2)
    write_entries(acme, 2)
    monkeypatch.setattr(verifying, "STEP", 100)
    fine = api("olga").get("/audit/verify").json()
    assert (fine["intact"], fine["anchor_count"]) == (True, 2)
    rewrite_all(acme)
    found = api("olga").get("/audit/verify").json()
    assert (found["intact"], found["broken_at"]) == (False, 3)
    assert "rewritten" in found["reason"]
    assert "rewritten" in check(whole_export(api("olga"))).findings[0]["what"]
    assert not anchor(acme), "what was rewritten is not signed"
    with tenancy.entered(acme):
        status = anchoring.get_status()
    assert status.last is not None
    assert not status.is_verified


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE {table} SET hash = decode(repeat('ab', 32), 'hex') WHERE index = 1",
        "UPDATE {table} SET signature = decode(repeat('ab', 64), 'hex') WHERE index = 2",
        "UPDATE {table} SET anchored_at = anchored_at + interval '1 hour' WHERE index = 1",
        "DELETE FROM {table} WHERE index = 1",
    ],
)
def test_whatever_is_done_to_anchors_is_found(api, acme, tampering, monkeypatch):
    grow(acme, 3, 2, 2)
    table = f'"{acme.schema}".admin_platform_audit_anchor'
    forge(acme, f"ALTER TABLE {table} DISABLE TRIGGER USER; " + tampering.replace("{table}", table))
    found = api("olga").get("/audit/verify").json()
    assert not found["intact"]
    assert "anchor" in found["reason"]


def test_steps_of_a_verification_carry_the_anchors_on(acme, monkeypatch):
    grow(acme, 3, 2, 2)
    monkeypatch.setattr(verifying, "STEP", 2)
    told = []
    with tenancy.entered(acme):
        found = verifying.verify("audit", report=lambda *facts: told.append(facts))
        begun = verifying.msgspec.convert(told[1][2], verifying.Progress)
        again = verifying.verify("audit", begun=begun)
    assert (found.intact, found.anchor_count) == (again.intact, again.anchor_count) == (True, 3)
    assert begun.anchor_count == 1


def test_the_application_may_not_change_an_anchor(acme):
    grow(acme, 1)
    with tenancy.entered(acme), pytest.raises(DatabaseError, match="permission denied"), db.write_transaction():
        AuditAnchor.objects.update(number=2)
    table = f'"{acme.schema}".admin_platform_audit_anchor'
    with pytest.raises(DatabaseError, match="append-only"):
        forge(acme, f"DELETE FROM {table}", keep_triggers=True)
    assert connection.is_usable()


def test_the_page_tells_the_last_anchor_and_when_it_does_not_fit(acme, address):
    page = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
    page.post("/sign-in/", {"email": ACME.people["adam"].email, "password": PASSWORD})
    assert "there is no anchor yet" in page.get("/audit/").content.decode()
    grow(acme, 3)
    assert "verified" in page.get("/audit/").content.decode()
    rewrite_all(acme)
    assert "does not fit the log any more" in page.get("/audit/").content.decode()
