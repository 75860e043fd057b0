"""SIEM exports in a browser: one is made, tested, paused, begun again and deleted; operators see how far theirs is."""

import os

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.journeys.browser.test_operators import admin, operator
from tests.support.collectors import start_collector
from tests.support.world import PASSWORD

__all__ = ["admin", "operator"]

SHOTS = os.environ.get("BITVAULT_SHOTS", "")


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """A worker sends, and operators let exports reach this machine."""
    live.kill_web()
    live.change(BITVAULT_WEBHOOK_NETWORKS="127.0.0.0/8")
    live.start_web()
    worker = live.start_worker()
    yield
    live.kill(worker)


@pytest.fixture
def collector():
    it, server = start_collector()
    yield it
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_exports(visitor, live):
    def open_page(**options):
        page = visitor(reduced_motion="reduce", **options)
        sign_in(page, live.tenant_url, "adam@acme.test", PASSWORD)
        page.wait_for_url(f"{live.tenant_url}/files/")
        page.goto(f"{live.tenant_url}/audit/")
        page.get_by_role("link", name="SIEM export").click()
        expect(page.get_by_role("heading", name="SIEM export", level=1)).to_be_visible()
        return page

    return open_page


def shoot(page, name):
    if SHOTS:
        page.screenshot(path=f"{SHOTS}-{name}.png", full_page=True)


def make(page, url, description):
    page.get_by_role("button", name="New export").click()
    dialog = page.get_by_role("dialog", name="SIEM export")
    accept = dialog.get_by_role("button", name="Save")
    accept.click()
    expect(dialog.locator("#siem-url-error")).to_contain_text("Type the address of the receiver.")
    dialog.get_by_label("Address of the receiver").fill("syslog+tls://10.0.0.1:6514")
    accept.click()
    expect(dialog.locator("#siem-url-error")).to_contain_text("not on the public internet")
    shoot(page, f"{description}-dialog")
    dialog.get_by_label("Address of the receiver").fill(url)
    dialog.get_by_label("Description (optional)").fill(description)
    dialog.get_by_label("Send the whole log, from its first entry on").check()
    accept.click()
    row = page.locator(".siem-row", has_text=description)
    expect(row).to_be_visible()
    return row


def test_an_export_is_made_tested_paused_begun_again_and_deleted(open_exports, collector, live):
    page = open_exports()
    shoot(page, "empty")
    row = make(page, collector.url, "SOC")
    collector.says_to_tests = [500]
    row.get_by_role("button", name="Send a test").click()
    told = page.get_by_role("region", name="Messages")
    expect(told.get_by_text("The receiver has not taken the test: answer (500)")).to_be_visible(timeout=20_000)
    row.get_by_role("button", name="Send a test").click()
    expect(told.get_by_text("The receiver has taken the test.")).to_be_visible(timeout=20_000)
    row.get_by_role("button", name="Pause").click()
    expect(row.get_by_text("Paused", exact=True)).to_be_visible()
    row.get_by_role("button", name="Go on").click()
    expect(row.get_by_text("On", exact=True)).to_be_visible()
    row.get_by_role("button", name="Send again…").click()
    dialog = page.get_by_role("dialog", name="Send entries again")
    dialog.get_by_label("From entry").fill("99999")
    dialog.get_by_role("button", name="Send again").click()
    expect(dialog.locator("#siem-number-error")).to_contain_text("no entry of this number")
    dialog.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Edit…").click()
    form = page.get_by_role("dialog", name="SIEM export")
    expect(form.get_by_label("Address of the receiver")).to_have_value(collector.url)
    form.get_by_label("Description (optional)").fill("SOC two")
    form.get_by_role("button", name="Save").click()
    row = page.locator(".siem-row", has_text="SOC two")
    expect(row).to_be_visible()
    assert faults(page) == []
    shoot(page, "one")
    row.get_by_role("button", name="Delete…").click()
    page.get_by_role("dialog", name="Delete this export?").get_by_role("button", name="Delete").click()
    expect(page.get_by_text("The audit log is not sent anywhere.")).to_be_visible()


def test_on_a_phone_in_the_dark_a_failing_export_says_what_is_wrong(open_exports, collector, live):
    page = open_exports(viewport={"width": 390, "height": 844}, color_scheme="dark")
    url = collector.url.replace("/in", "/somewhere/quite/long/services/collector/raw")
    collector.says = [503] * 50
    assert live.client("mia").get("/audit").status_code == 403, "an entry for the log"
    row = make(page, url, "Dark")

    def is_told() -> bool:
        page.reload()
        return row.get_by_text("Refused by the receiver (503).").count() > 0

    live.await_that(is_told)  # the receiver has the request before the answer is written down
    expect(row.get_by_text("Refused by the receiver (503).")).to_be_visible()
    assert faults(page) == []
    assert poor_contrasts(page) == []
    shoot(page, "phone")


def test_operators_have_all_logs_sent_and_see_how_far_each_is(admin, live, collector):
    base = f"http://admin.localhost:{live.port}"
    admin.goto(f"{base}/admin/siem/")
    expect(admin.get_by_text("No address is set: nothing is sent.")).to_be_visible()
    admin.goto(f"{base}/admin/admin_platform/config/")
    admin.get_by_role("link", name="audit.siem_url").click()
    admin.locator("#id_decided").fill(collector.url)
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("was changed successfully")
    admin.goto(f"{base}/admin/siem/")
    row = admin.locator("tr", has_text="acme")
    row.get_by_role("button", name="Test").click()
    expect(admin.locator(".messagelist")).to_contain_text("The receiver has taken the test.")
    assert faults(admin) == []
    shoot(admin, "operators")
