"""Being told in the browser: a bell that is right while the page lives, its panel, following, preferences, and activity."""

import itertools
import time

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.journeys.browser.vault import Vault
from tests.support.sending import Sender
from tests.support.shares import by_rest
from tests.support.sockets import SocketProcess
from tests.support.world import ACME

SECONDS = 30
_numbers = itertools.count(1)


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """The consumer and its job run beside the web, and sockets say that something has changed."""
    SocketProcess(live)
    worker = live.start_worker()
    yield
    live.kill(worker)


@pytest.fixture(scope="module")
def olga(live):
    return live.client("olga")


@pytest.fixture
def give(olga):
    """Have Olga share a folder of hers with Mia."""

    def share() -> dict[str, str]:
        root_id = olga.get("/me").json()["root_id"]
        folder = olga.post("/folders", {"parent_id": root_id, "name": f"Photos {next(_numbers)}"}).json()
        given = olga.post(f"/nodes/{folder['id']}/shares", by_rest(ACME.people["mia"].user_id, "viewer"))
        assert given.status_code == 201, given.content
        await_told(olga, given)
        return folder

    return share


def await_told(client, answer) -> None:
    """Wait until what an answer tells of is written down; asking calls the consumer, for no scheduler runs here."""
    end = time.monotonic() + SECONDS
    while client.get("/notifications", min_seq=int(answer.headers["BitVault-Seq"]), wait_ms=2_000).status_code != 200:
        assert time.monotonic() < end, "the consumer does not come"


def bell(page):
    return page.locator("#bell")


def open_panel(page):
    bell(page).click()
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel).to_be_visible()
    return panel


def await_unread(page):
    expect(bell(page).locator("[data-bell-count]")).to_be_visible(timeout=SECONDS * 1000)


def test_the_bell_tells_of_a_share_while_the_page_lives_and_leads_there(vault, give, folder):
    vault.open(folder)
    page = vault.page
    expect(bell(page)).to_be_visible()
    shared = give()
    await_unread(page)
    expect(bell(page)).to_have_accessible_name("Notifications, 1 unread")
    panel = open_panel(page)
    line = panel.get_by_role("listitem").filter(has_text=f"Olga shared {shared['name']} with you")
    expect(line).to_be_visible()
    line.get_by_role("link", name="Show").click()
    expect(panel).to_be_hidden()
    expect(page.get_by_role("heading", name=shared["name"])).to_be_visible()
    expect(bell(page)).to_have_accessible_name("Notifications")


def test_all_are_marked_as_read_by_keyboard_and_escape_leads_back(vault, give, folder):
    give()
    vault.open(folder)
    page = vault.page
    await_unread(page)
    bell(page).focus()
    vault.press("Enter")
    panel = page.get_by_role("dialog", name="Notifications")
    expect(panel.get_by_role("listitem").first).to_contain_text("(unread)")
    mark = panel.get_by_role("button", name="Mark all as read")
    mark.focus()
    vault.press("Enter")
    expect(mark).to_be_hidden()
    expect(panel.locator(".told-unread")).to_have_count(0)
    expect(bell(page).locator("[data-bell-count]")).to_be_hidden()
    vault.press("Escape")
    expect(panel).to_be_hidden()
    expect(bell(page)).to_be_focused()


def test_a_folder_is_followed_from_its_menu_and_tells_of_many_files_once(vault, give, olga):
    shared = give()
    vault.visit(f"/files/{shared['id']}/")
    page = vault.page
    inner = olga.post("/folders", {"parent_id": shared["id"], "name": "Inner"}).json()
    vault.row("Inner").get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Notifications…").click()
    dialog = page.get_by_role("dialog", name="Notifications")
    dialog.get_by_role("radio", name="Follow").check()
    dialog.get_by_role("button", name="Save").click()
    expect(vault.toast).to_contain_text("You follow “Inner”.")
    sender = Sender(olga, inner["id"])
    for number in range(3):
        sender.bring(f"{number}.jpg", b"picture %d" % number)
    await_told(olga, olga.post("/folders", {"parent_id": shared["id"], "name": "Later"}))
    panel = open_panel(page)
    expect(panel.get_by_role("listitem").filter(has_text="Olga added 3 files to Inner")).to_be_visible(
        timeout=SECONDS * 1000
    )
    vault.visit("/settings/notifications/")
    row = page.locator("#subscriptions li").filter(has_text="Inner")
    row.get_by_role("button", name="Stop following").click()
    expect(row).to_have_count(0)


def test_preferences_are_saved_as_they_are_changed(vault, api):
    vault.visit("/settings/notifications/")
    page = vault.page
    with page.expect_response("**/notifications/preferences"):
        page.get_by_role("combobox", name="What you follow: By mail").select_option("off")
    with page.expect_response("**/notifications/preferences"):
        page.get_by_role("checkbox", name="Conflicts, locks and holds: In BitVault").uncheck()
    expect(page.locator("#announcer")).to_have_text("Saved.")
    page.reload()
    expect(page.get_by_role("combobox", name="What you follow: By mail")).to_have_value("off")
    expect(page.get_by_role("checkbox", name="Conflicts, locks and holds: In BitVault")).not_to_be_checked()
    page.get_by_role("checkbox", name="Conflicts, locks and holds: In BitVault").check()
    expect(page.locator("#announcer")).to_have_text("Saved.")


def test_quiet_hours_are_switched_on_changed_and_off(vault):
    vault.visit("/settings/notifications/")
    page = vault.page
    expect(page.get_by_label("From", exact=True)).to_be_disabled()
    page.get_by_role("checkbox", name="Hold back mails and push notifications in quiet hours").check()
    expect(page.locator("#announcer")).to_have_text("Saved.")
    page.get_by_label("Until", exact=True).fill("22:00")
    expect(page.get_by_text("Choose two different times.")).to_be_visible()
    with page.expect_response("**/notifications/preferences") as answer:
        page.get_by_label("Until", exact=True).fill("06:30")
    assert answer.value.json()["quiet_hours"] == {"start": "22:00", "end": "06:30"}
    expect(page.get_by_text("Choose two different times.")).to_be_hidden()
    page.reload()
    expect(page.get_by_label("Until", exact=True)).to_have_value("06:30")
    with page.expect_response("**/notifications/preferences") as answer:
        page.get_by_role("checkbox", name="Hold back mails and push notifications in quiet hours").uncheck()
    assert answer.value.json()["quiet_hours"] is None
    expect(page.get_by_label("From", exact=True)).to_be_disabled()


def test_activity_shows_what_one_did(vault, folder, api):
    await_told(api, api.post("/folders", {"parent_id": folder["id"], "name": "Inside"}))
    vault.visit("/activity/")
    expect(vault.page.get_by_role("list", name="Activity")).to_contain_text(
        f"Mia created the folder Inside in {folder['name']}"
    )


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_pages_and_panel_have_no_fault_in_any_look(visitor, signed_in, live, give, look, width):
    give()
    page = visitor(
        storage_state=signed_in, viewport={"width": width, "height": 900}, color_scheme=look, reduced_motion="reduce"
    )
    vault = Vault(page, live.tenant_url)
    for path in ("/notifications/", "/activity/", "/settings/notifications/"):
        vault.visit(path)
        assert faults(page) == [], path
        assert poor_contrasts(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    await_unread(page)
    panel = open_panel(page)
    expect(panel.get_by_role("listitem").first).to_be_visible()
    assert faults(page) == []
    assert poor_contrasts(page) == []
    box = panel.bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
