"""Scanning in the page, with a real clamd: the rule is set, a find shows on its row and in the details, the quarantine lets it go."""

import pytest
from playwright.sync_api import expect

from tests.apps.scanning import clamav
from tests.apps.scanning.conftest import clamd
from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.support.world import PASSWORD

__all__ = ["clamd"]

pytestmark = pytest.mark.skipif(clamav.program is None, reason="clamd is not installed here")


@pytest.fixture(scope="module", autouse=True)
def _scanner(live, clamd):
    live.kill_web()
    live.change(BITVAULT_SCANNER_URL=clamd.url)
    live.start_web()
    started = [live.start_worker(), live.applications.group.launch(live.applications._beat())]
    yield
    for process in started:
        live.kill(process)


@pytest.fixture
def open_page(visitor, live):
    """Open a page as Adam, who administers the vault."""

    def open_page(path, **options):
        page = visitor(reduced_motion="reduce", **options)
        sign_in(page, live.tenant_url, "adam@acme.test", PASSWORD)
        page.wait_for_url(f"{live.tenant_url}/files/")
        page.goto(f"{live.tenant_url}{path}")
        return page

    return open_page


def test_a_find_is_closed_shown_and_released(open_page, live, tmp_path):
    page = open_page("/settings/scanning/")
    expect(page.get_by_label("Files that cannot be scanned")).to_be_disabled()
    page.get_by_label("Files that are added").select_option("require")
    page.get_by_label("Files that cannot be scanned").select_option("block")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".toast").last).to_contain_text("The rule was saved.")
    page.reload()
    expect(page.get_by_label("Files that cannot be scanned")).to_have_value("block")
    expect(page.get_by_text("Nothing was found.")).to_be_visible()

    page.goto(f"{live.tenant_url}/files/")
    bad, good = tmp_path / "invoice.txt", tmp_path / "letter.txt"
    bad.write_bytes(clamav.MARKER)
    good.write_bytes(b"good")
    page.locator("input[type=file]").first.set_input_files([bad, good])
    row = page.locator(".row", has_text="invoice")
    expect(row.locator('[data-slot="scan"][data-state="infected"]')).to_be_visible(timeout=30_000)
    expect(row.locator('[data-slot="scan"]')).to_contain_text("Malware was found")
    expect(page.locator(".row", has_text="letter").locator('[data-slot="scan"]')).to_be_hidden(timeout=30_000)
    row.locator('[data-act="toggle"]').click()
    page.keyboard.press("Control+i")
    expect(page.locator(".scan-state")).to_contain_text("It is in quarantine: nobody can open it.")

    page.goto(f"{live.tenant_url}/settings/scanning/")
    found = page.locator(".scan-found", has_text="invoice.txt")
    expect(found).to_contain_text(clamav.SIGNATURE)
    found.get_by_role("button", name="Release…").click()
    dialog = page.get_by_role("dialog", name="Release from quarantine")
    dialog.get_by_role("button", name="Release").click()
    expect(dialog.locator("#release-error")).to_contain_text("Say why.")
    dialog.get_by_label("Reason (stands in the audit log)").fill("Our own test file")
    dialog.get_by_role("button", name="Release").click()
    expect(page.locator(".toast").last).to_contain_text("It was released.")
    expect(page.locator(".scan-found", has_text="invoice.txt")).to_contain_text("Our own test file")
    page.goto(f"{live.tenant_url}/notifications/")
    expect(page.get_by_text("Malware was found, and a file is in quarantine")).to_be_visible(timeout=30_000)


@pytest.mark.parametrize(("width", "look"), [(390, "dark"), (1440, "light")])
def test_the_page_has_no_fault_and_puts_away_what_was_found(open_page, live, tmp_path, width, look):
    page = open_page("/files/", viewport={"width": width, "height": 900}, color_scheme=look)
    bad = tmp_path / f"{width}.txt"
    bad.write_bytes(clamav.MARKER + str(width).encode())
    page.locator("input[type=file]").first.set_input_files([bad])
    expect(page.locator(f'.row[data-name="{width}.txt"] [data-slot="scan"][data-state="infected"]')).to_be_visible(
        timeout=30_000
    )
    page.goto(f"{live.tenant_url}/settings/scanning/")
    found = page.locator(".scan-found", has_text=f"{width}.txt")
    found.get_by_role("button", name="Move to trash…").click()
    assert faults(page) == []
    assert poor_contrasts(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("dialog").get_by_role("button", name="Move to trash").click()
    expect(page.locator(".toast").last).to_contain_text("1 file was moved to the trash.")
    page.goto(f"{live.tenant_url}/trash/")
    expect(page.locator(f'.row[data-name="{width}.txt"]')).to_be_visible()
