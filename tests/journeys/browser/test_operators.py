"""Operators in Django admin, in a browser: they sign in by its form and settle what hangs."""

import pytest
from celery import Celery
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import faults
from tests.support.world import ACME

EMAIL = "operator@bitvault.test"
PASSWORD = "a long enough password"


@pytest.fixture(scope="module")
def operator(live):
    live.manage("createsuperuser", "--noinput", "--email", EMAIL, DJANGO_SUPERUSER_PASSWORD=PASSWORD)


@pytest.fixture
def admin(operator, visitor, live):
    """An operator's browser, signed in."""
    page = visitor()
    page.goto(f"http://admin.localhost:{live.port}/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Installation")).to_be_visible()
    return page


def test_the_overview_is_asked_anew_without_a_reload_can_be_paused_and_says_when_nothing_comes(admin, live):
    requests = admin.locator(".card", has_text="Requests").locator(".figure")
    # A rate needs two readings, so only an answer after the page's own can bring one.
    expect(requests).to_contain_text("a second", timeout=20_000)
    assert faults(admin) == []
    admin.get_by_role("button", name="Pause").click()
    expect(admin.get_by_role("status")).to_have_text("Paused. The figures below stand still.")
    admin.get_by_role("button", name="Pause").click()
    admin.route("**/admin/figures", lambda route: route.abort())
    expect(admin.get_by_role("status")).to_contain_text("No answer since", timeout=20_000)


def test_what_is_behind_is_seen_and_skipped(admin, live, api, root_id):
    seq = int(api.post("/folders", {"parent_id": root_id, "name": "Nobody consumes"}).headers["BitVault-Seq"])
    admin.locator(".operators-nav").get_by_role("link", name="Event stream").click()
    row = admin.locator("tr", has_text="audit").filter(has_text="acme").first
    expect(row.locator("td").nth(1)).to_have_text(str(seq))
    position = int(row.locator("td").nth(2).inner_text())
    row.get_by_role("button", name="Skip the next event").click()
    expect(row.locator("td").nth(2)).to_have_text(str(position + 1))
    letters = admin.get_by_role("table", name="Dead letters, newest first")
    expect(letters.get_by_role("row", name="skipped")).to_have_count(1)


def test_a_rebuild_is_begun_and_a_worker_does_it(admin, live):
    admin.locator(".operators-nav").get_by_role("link", name="Event stream").click()
    row = admin.locator("tr", has_text="billing").filter(has_text="acme").first
    row.get_by_role("button", name="Rebuild").click()
    expect(admin.locator(".messagelist")).to_contain_text("The rebuild of billing begins.")
    worker = live.start_worker()
    with live.database() as database:
        told = "SELECT count(*) FROM events_stream_event WHERE tenant_id = %s AND type = 'events.derivation.rebuilt.v1'"
        live.await_that(lambda: database.execute(told, [ACME.id]).fetchone() == (1,))
    live.kill(worker)


def test_what_an_earlier_version_has_filled_is_rebuilt_by_itself_and_the_pages_say_so(admin, live):
    told = "Filled by an earlier version: rebuilt by itself, one tenant after another"
    with live.database() as database:
        database.execute("UPDATE events_consumer_cursor SET shape = 0 WHERE consumer = 'search'")
    for name in ("Event stream", "Search"):
        admin.locator(".operators-nav").get_by_role("link", name=name, exact=True).click()
        row = admin.locator("tr", has_text="acme").filter(has_text=told)
        expect(row).to_have_count(1)
        assert faults(admin) == []
    worker = live.start_worker()
    # As beat does each minute, once: what follows is asked for by the rebuild before it.
    with Celery(broker=f"{live.valkey.url}/0", set_as_current=False) as beat:
        beat.send_task("gateway.rebuild_outdated", ignore_result=True)
    outdated = "SELECT count(*) FROM events_consumer_cursor WHERE consumer = 'search' AND shape = 0"
    with live.database() as database:
        live.await_that(lambda: database.execute(outdated).fetchone() == (0,))
    live.kill(worker)
    admin.reload()
    expect(admin.locator("tr", has_text=told)).to_have_count(0)


def test_a_tenant_is_found_and_renamed(admin, live):
    admin.locator(".operators-nav").get_by_role("link", name="Tenants", exact=True).click()
    admin.get_by_role("link", name="acme", exact=True).click()
    admin.get_by_label("Name").fill("Acme & Sons")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("was changed successfully")
    with live.database() as database:
        assert database.execute("SELECT name FROM identity_tenant WHERE id = %s", [ACME.id]).fetchone() == (
            "Acme & Sons",
        )
