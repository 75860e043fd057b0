"""Scanning from the upload to the quarantine, with a real clamd: what is clean is read, what is infected by nobody, until it is released."""

import os

import pytest

from apps.scanning import jobs as scanning_jobs
from apps.scanning import operations
from apps.scanning.models import Content
from apps.storage import models as stored
from bitvault.events.models import StreamEvent
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, tenancy
from tests.apps.scanning import clamav, speakers
from tests.support.sending import Sender

pytestmark = [pytest.mark.store, pytest.mark.committed]

BAD = b"before " + clamav.MARKER + b" after"


@pytest.fixture
def found(clamd, scanned_by, rule, mia, work):
    """A file with the mark, scanned."""
    scanned_by(clamd.url)
    rule("scan")
    node = mia.bring("letter.zip", BAD)
    assert work() == 1
    return node


def state_of(mia, node):
    answer = mia.api.get(f"/nodes/{node['id']}/scan")
    assert answer.status_code == 200, answer.content
    return answer.json()["state"]


def content_of(client, node):
    answer = client.get(f"/nodes/{node['id']}/content")
    return answer.status_code if answer.status_code == 302 else (answer.status_code, answer.json()["code"])


def told(acme, prefix="scanning."):
    with tenancy.entered(acme), db.read_transaction():
        return list(
            StreamEvent.objects.filter(tenant_id=acme.id, type__startswith=prefix)
            .order_by("seq")
            .values_list("type", flat=True)
        )


def test_nothing_is_scanned_where_nobody_wants_it(mia, work):
    node = mia.bring("a.txt", BAD)
    assert work() == 0
    assert state_of(mia, node) == "unscanned"
    assert content_of(mia.api, node) == 302


def test_what_is_clean_is_read_before_and_after(clamd, scanned_by, rule, mia, work, acme):
    scanned_by(clamd.url)
    assert rule("scan") == {"mode": "scan", "unscanned": "allow", "has_scanner": True}
    node = mia.bring("a.txt", b"good")
    assert (state_of(mia, node), content_of(mia.api, node)) == ("scanning", 302)
    assert work() == 1
    assert (state_of(mia, node), content_of(mia.api, node)) == ("clean", 302)
    assert told(acme) == ["scanning.rule.changed.v1"]


def test_where_scanning_is_required_nothing_is_read_before_it_is_clean(clamd, scanned_by, rule, mia, work, acme):
    scanned_by(clamd.url)
    rule("require")
    node = mia.bring("a.txt", b"good")
    assert content_of(mia.api, node) == (409, "storage.content_scanning")
    assert work() == 1
    assert content_of(mia.api, node) == 302
    assert told(acme)[1:] == ["scanning.content.opened.v1"]


def test_malware_is_read_by_nobody(found, mia, adam, acme):
    assert state_of(mia, found) == "infected"
    assert content_of(mia.api, found) == (409, "storage.content_infected")
    assert told(acme, "files.download.") == []
    assert content_of(adam, found) == (
        404,
        "access.not_found",
    )  # it lies with Mia, and administrators look into nobody's files
    assert told(acme)[1:] == ["scanning.malware.found.v1", "scanning.content.quarantined.v1"]
    scan = mia.api.get(f"/nodes/{found['id']}/scan").json()
    assert (scan["signature"], scan["is_readable"]) == (clamav.SIGNATURE, False)


def test_the_mark_is_found_across_the_pieces_of_a_large_file(clamd, scanned_by, rule, mia, work):
    scanned_by(clamd.url)
    rule("require")
    edge = 1024 * 1024
    node = mia.bring("large.bin", bytes(edge - 20) + BAD + os.urandom(1_000_000))
    work()
    assert state_of(mia, node) == "infected"


def test_a_content_is_scanned_once_however_many_files_have_it(scanned_by, rule, mia, work, api):
    server = speakers.Icap(lambda _: b"ICAP/1.0 204 No Content\r\n\r\n")
    with speakers.speaker(server) as port:
        scanned_by(f"icap://127.0.0.1:{port}/avscan")
        rule("require")
        other = api("adam")
        others = Sender(other, other.get("/me").json()["root_id"])
        nodes = [(mia, mia.bring("a.txt", b"same")), (others, others.bring("b.txt", b"same"))]
        work()
        nodes += [(mia, mia.bring("c.txt", b"same")), (others, others.bring("d.txt", b"same"))]
        work()
        assert [content_of(who.api, node) for who, node in nodes] == [302] * 4
    assert server.heard == [b"same"]


def test_a_further_file_with_what_is_known_to_be_bad_is_closed_without_a_scan(found, work, api, clamd):
    other = api("adam")
    node = Sender(other, other.get("/me").json()["root_id"]).bring("again.doc", BAD)
    clamd.stop()
    try:
        work()
    finally:
        clamd.start()
    assert content_of(other, node) == (409, "storage.content_infected")


def test_an_infected_file_is_in_no_archive_copy_preview_or_extraction(found, mia):
    from bitvault.jobs import running

    answer = mia.api.post(f"/nodes/{found['id']}/copy", {"parent_id": mia.parent_id, "autorename": True})
    assert (answer.status_code, answer.json()["code"]) == (409, "storage.content_infected")
    answer = mia.api.post(f"/nodes/{found['id']}/extract", {"parent_id": mia.parent_id})
    assert (answer.status_code, answer.json()["code"]) == (409, "storage.content_infected")
    mia.bring("good.txt", b"good")
    job = mia.api.post("/archives", {"node_ids": [mia.parent_id]}).json()
    while running.run_next("bulk"):
        pass
    result = mia.api.get(f"/jobs/{job['id']}").json()["result"]
    assert (result["file_count"], result["missing_count"]) == (1, 1)


def test_archives_that_may_hold_it_end_when_it_is_found(clamd, scanned_by, rule, mia, work):
    from bitvault.jobs import running

    scanned_by(clamd.url)
    rule("scan")
    mia.bring("letter.zip", BAD)
    job = mia.api.post("/archives", {"node_ids": [mia.parent_id]}).json()
    while running.run_next("bulk"):
        pass
    assert mia.api.get(f"/jobs/{job['id']}/content").status_code == 302
    work()
    assert mia.api.get(f"/jobs/{job['id']}/content").status_code == 410


def test_a_link_to_it_opens_nothing_and_counts_nothing(found, mia, client):
    link = mia.api.post(f"/nodes/{found['id']}/links", {"kind": "download", "download_limit": 1})
    assert link.status_code == 201, link.content
    token = link.json()["url"].rpartition("/")[2]
    for _ in range(3):
        answer = mia.api.get(f"/public/links/{token}/content/{found['id']}")
        assert (answer.status_code, answer.json()["code"]) == (409, "storage.content_infected")
    page = client.get(f"/s/{token}/content/{found['id']}", HTTP_HOST="acme.localhost")
    assert page.status_code == 409
    assert "Malware was found in this file" in page.content.decode()
    assert mia.api.get(f"/nodes/{found['id']}/links").json()["items"][0]["download_count"] == 0


# --- the quarantine --------------------------------------------------------------------------------------------------------


def test_administrators_see_the_quarantine_and_nobody_else(found, mia, adam):
    (item,) = adam.get("/quarantine").json()["items"]
    assert (item["state"], item["signature"], item["name"]) == ("infected", clamav.SIGNATURE, "letter.zip")
    assert item["node_id"] == found["id"]
    assert mia.api.get("/quarantine").status_code == 403
    assert mia.api.post(f"/quarantine/{item['id']}/release", {"reason": "x"}).status_code == 403


def test_what_is_released_can_be_read_and_it_is_told_who_and_why(found, mia, adam, acme, work):
    (item,) = adam.get("/quarantine").json()["items"]
    path = f"/quarantine/{item['id']}/release"
    assert adam.post(path, {"reason": "   "}).json()["code"] == "scanning.reason_missing"
    answer = adam.post(path, {"reason": "A test of ours"})
    assert (answer.status_code, answer.json()["state"], answer.json()["release_reason"]) == (
        200,
        "released",
        "A test of ours",
    )
    assert content_of(mia.api, found) == 302
    assert adam.post(path, {"reason": "Once more"}).json()["release_reason"] == "A test of ours"
    assert told(acme)[3:] == ["scanning.content.released.v1", "scanning.content.opened.v1"]
    # A further file with it is released as well.
    again = mia.bring("again.doc", BAD)
    work()
    assert (state_of(mia, again), content_of(mia.api, again)) == ("released", 302)


def test_what_is_put_away_goes_to_the_trash_wherever_it_lies_and_stays_closed(found, mia, adam, acme, api, work):
    other = api("olga")
    others = Sender(other, other.get("/me").json()["root_id"])
    theirs, good = others.bring("again.doc", BAD), others.bring("good.doc", b"good")
    locked = mia.bring("locked.doc", BAD)
    assert mia.api.put(f"/nodes/{locked['id']}/lock", {}).status_code == 200
    work()
    (item,) = adam.get("/quarantine").json()["items"]
    assert mia.api.post(f"/quarantine/{item['id']}/trash").status_code == 403
    path = f"/quarantine/{item['id']}/trash"
    assert adam.post(path).json() == {"trashed_count": 2, "locked_count": 1}
    assert adam.post(path).json() == {"trashed_count": 0, "locked_count": 1}
    assert [one["id"] for one in mia.api.get("/trash").json()["items"]] == [found["id"]]
    assert [one["id"] for one in other.get("/trash").json()["items"]] == [theirs["id"]]
    assert other.get(f"/nodes/{good['id']}").status_code == 200
    assert mia.api.get(f"/nodes/{locked['id']}").status_code == 200
    assert told(acme)[-1] == "scanning.content.discarded.v1"
    assert mia.api.post(f"/trash/{found['id']}/restore", {}).status_code == 200
    assert content_of(mia.api, found) == (409, "storage.content_infected")
    adam.post(f"/quarantine/{item['id']}/release", {"reason": "ours"})
    assert adam.post(path).json()["code"] == "scanning.content_released"


def test_whoever_brought_it_and_the_administrators_are_told(found, mia, adam, acme):
    from bitvault.events import consuming

    with tenancy.entered(acme):
        consuming.consume("notifications")
    hers = [one["text"] for one in mia.api.get("/notifications").json()["items"]]
    assert "Malware was found in letter.zip: nobody can open it" in hers
    his = adam.get("/notifications").json()["items"]
    assert "Malware was found, and a file is in quarantine" in [one["text"] for one in his]
    assert not any("letter.zip" in one["text"] for one in his)


def test_the_quarantine_is_listed_by_pages_with_a_constant_number_of_queries(
    found, adam, acme, django_assert_num_queries
):
    now = clock.now()
    with tenancy.entered(acme), db.write_transaction():
        from bitvault.kernel import ids

        Content.objects.bulk_create(
            Content(
                content_hash=f"{n:064x}",
                blob_id=ids.new_id(),
                size_bytes=1,
                state="infected",
                signature="x",
                created_at=now,
                scanned_at=now,
            )
            for n in range(30)
        )
    seen, cursor = [], None
    while True:
        page = adam.get("/quarantine", limit=7, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert len(seen) == len(set(seen)) == 31


# --- outages ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "unscanned", "meanwhile"),
    [
        ("scan", "allow", ("unscanned", 302)),
        ("require", "allow", ("unscanned", 302)),
        ("require", "block", ("scanning", (409, "storage.content_scanning"))),
    ],
)
def test_while_the_scanner_is_away_the_rule_says_what_can_be_read_and_later_it_is_scanned(
    clamd, scanned_by, rule, mia, work, acme, mode, unscanned, meanwhile
):
    scanned_by("clamd://127.0.0.1:1")
    rule(mode, unscanned)
    good, bad = mia.bring("good.txt", b"good"), mia.bring("bad.txt", BAD)
    assert work() == 2
    for node in (good, bad):
        assert (state_of(mia, node), content_of(mia.api, node)) == meanwhile
    assert set(Job.objects.filter(lane=scanning_jobs.LANE).values_list("state", flat=True)) == {"done"}
    scanned_by(clamd.url)
    assert work(backlog=True) == 0  # not yet due
    make_due(acme)
    assert work(backlog=True) == 1
    assert (state_of(mia, good), content_of(mia.api, good)) == ("clean", 302)
    assert (state_of(mia, bad), content_of(mia.api, bad)) == ("infected", (409, "storage.content_infected"))


def make_due(acme):
    with tenancy.entered(acme), db.write_transaction():
        Content.objects.filter(due_at__isnull=False).update(due_at=clock.now())


def test_a_scanner_that_never_has_a_verdict_is_not_asked_for_ever(scanned_by, rule, mia, work, acme):
    with speakers.speaker(speakers.Icap(lambda _: b"ICAP/1.0 404 No Such Service\r\n\r\n")) as port:
        scanned_by(f"icap://127.0.0.1:{port}/avscan")
        rule("require", "block")
        node = mia.bring("a.txt", b"good")
        work()
        assert content_of(mia.api, node) == (409, "storage.content_scanning")
        for _ in range(6):
            make_due(acme)
            work(backlog=True)
    assert content_of(mia.api, node) == (409, "storage.content_unscanned")
    assert told(acme)[1:] == ["scanning.content.blocked.v1"]
    scan = mia.api.get(f"/nodes/{node['id']}/scan").json()
    assert (scan["state"], scan["reason"]) == ("unscanned", "failed")


def test_what_is_too_large_is_unscanned(clamd, scanned_by, rule, mia, work, settings):
    scanned_by(clamd.url)
    settings.BITVAULT_SCANNER_LARGEST_MIB = 1
    rule("require", "allow")
    node = mia.bring("large.bin", os.urandom(1024 * 1024 + 1))
    assert content_of(mia.api, node) == (409, "storage.content_scanning")
    work()
    scan = mia.api.get(f"/nodes/{node['id']}/scan").json()
    assert (scan["state"], scan["reason"], scan["is_readable"]) == ("unscanned", "too_large", True)
    rule("require", "block")
    assert content_of(mia.api, node) == (409, "storage.content_unscanned")


# --- what was there before -------------------------------------------------------------------------------------------------


def test_what_was_there_before_is_scanned_once_it_is_switched_on(clamd, scanned_by, rule, mia, work, acme):
    from bitvault.jobs import running

    nodes = [mia.bring("bad.doc", BAD), mia.bring("good.doc", b"good")]
    work()
    scanned_by(clamd.url)
    rule("scan")
    while running.run_next("bulk"):
        pass
    work(backlog=True)
    assert [state_of(mia, node) for node in nodes] == ["infected", "clean"]


def test_what_came_while_it_was_off_is_known_when_it_is_switched_on_again(found, rule, mia, work):
    from bitvault.jobs import running

    rule("off")
    again = mia.bring("again.doc", BAD + b"")
    work()
    rule("scan")
    while running.run_next("bulk"):
        pass
    assert state_of(mia, again) == "infected"
    assert content_of(mia.api, found) == (409, "storage.content_infected")


def test_what_was_found_stays_closed_after_scanning_was_switched_off(found, rule, mia):
    rule("off")
    assert content_of(mia.api, found) == (409, "storage.content_infected")


def test_a_blob_that_waits_for_too_long_is_taken_in(clamd, scanned_by, rule, mia, work, acme, monkeypatch):
    """Its event was lost, or its job was asked for while one for the same content ran."""
    from datetime import timedelta

    scanned_by(clamd.url)
    rule("require")
    node = mia.bring("a.txt", b"good")
    monkeypatch.setattr(operations, "LOST_AFTER", timedelta())
    with tenancy.entered(acme):
        assert operations.request_backlog()
    from bitvault.jobs import running

    while running.run_next(scanning_jobs.LANE):
        pass
    assert content_of(mia.api, node) == 302
    with tenancy.entered(acme), db.write_transaction():
        stored.Blob.objects.update(scan_state="scanning")
    with tenancy.entered(acme):
        operations.request_backlog()
    assert content_of(mia.api, node) == 302


def test_without_a_scanner_it_cannot_be_switched_on(adam, mia):
    answer = adam.patch("/scanning/rule", {"mode": "require"})
    assert (answer.status_code, answer.json()["code"]) == (409, "scanning.no_scanner")
    assert mia.api.get("/scanning/rule").json()["has_scanner"] is False
    assert mia.api.patch("/scanning/rule", {"mode": "off"}).status_code == 403


def test_a_list_is_asked_once(found, mia, api):
    good = mia.bring("good.txt", b"good")
    answer = mia.api.get("/scans", node_ids=f"{found['id']},{good['id']},{mia.parent_id}")
    assert {one["node_id"]: one["state"] for one in answer.json()["items"]} == {
        found["id"]: "infected",
        good["id"]: "scanning",
    }
    assert api("adam").get("/scans", node_ids=found["id"]).json()["items"] == []
    assert mia.api.get("/scans", node_ids="nonsense").status_code == 422


def test_the_doctor_tells_whether_the_scanner_answers(clamd, scanned_by):
    from bitvault.gateway import service_checks

    def levels():
        return [(one.level, "ClamAV" in one.fact) for one in service_checks.check_scanner()]

    assert levels() == [("good", False)]
    scanned_by(clamd.url)
    assert levels() == [("good", True)]
    scanned_by("clamd://127.0.0.1:1")
    assert levels() == [("bad", False)]
