"""Sharing in the browser: the dialog of any node, by mouse, keyboard and thumb; and the lists of what is shared."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.vault import Vault
from tests.support.shares import by_rest
from tests.support.sockets import SocketProcess
from tests.support.world import ACME, PASSWORD

VERA = ACME.people["vera"]


@pytest.fixture
def vera(visitor, live):
    """Vera's browser, signed in."""
    page = visitor()
    sign_in(page, live.tenant_url, VERA.email, PASSWORD)
    page.wait_for_url(f"{live.tenant_url}/files/")
    return Vault(page, live.tenant_url)


@pytest.fixture
def design(live):
    """A group with vera in it."""
    adam = live.client("adam")
    known = [group for group in adam.get("/groups").json()["items"] if group["name"] == "Design"]
    group = known[0] if known else adam.post("/groups", {"name": "Design"}).json()
    adam.request("PUT", f"/groups/{group['id']}/members/{VERA.user_id}", {"is_manager": False})
    return group


@pytest.fixture
def shared(api, mkdir):
    """Share a folder of the test's own with vera."""

    def act(name, role="viewer", **more):
        node = mkdir(name)
        answer = api.post(f"/nodes/{node['id']}/shares", by_rest(VERA.user_id, role, notify=False, **more))
        assert answer.status_code == 201, answer.content
        return node

    return act


def dialog(vault):
    return vault.page.get_by_role("dialog", name="Share")


def who(vault):
    return dialog(vault).get_by_role("combobox", name="Add people and groups")


def status(vault):
    return dialog(vault).get_by_role("status")


def choose(vault, text, name):
    who(vault).fill(text)
    dialog(vault).get_by_role("option", name=name).click()


def open_by_menu(vault, name):
    vault.row(name).get_by_role("button", name="More actions").click()
    vault.page.get_by_role("menuitem", name="Share").click()
    expect(dialog(vault)).to_be_visible()


def people(vault):
    return dialog(vault).locator("#share-people > li")


def test_a_folder_is_shared_with_a_person_and_a_group_who_find_it_and_leave(vault, vera, folder, mkdir, design):
    mkdir("Budget")
    vault.open(folder)
    open_by_menu(vault, "Budget")
    choose(vault, "ver", "Vera")
    choose(vault, "desi", "Design")
    dialog(vault).get_by_label("What they may do").select_option(label="Can edit")
    expect(dialog(vault)).to_contain_text("See, add, change, move and delete")
    dialog(vault).get_by_label("Message").fill("For Monday")
    dialog(vault).get_by_role("button", name="Share", exact=True).click()
    expect(status(vault)).to_contain_text("Shared with Vera and Design: Can edit.")
    expect(people(vault)).to_have_count(3)
    dialog(vault).get_by_role("button", name="Done").click()
    mark = vault.row("Budget").get_by_role("button", name="Shared with Vera, Design")
    expect(mark).to_contain_text("2")

    vera.page.get_by_role("link", name="Shared with me", exact=True).click()
    line = (
        vera.page.locator(".shared-line", has_text="Budget")
        .filter(has_text="For Monday")
        .filter(has_not_text="shared with Design")
    )
    expect(line).to_contain_text("Mia")
    line.get_by_role("link", name="Budget").click()
    expect(vera.page.get_by_role("heading", name="Budget")).to_be_visible()
    vera.page.get_by_role("link", name="Shared with me", exact=True).click()
    line.get_by_role("button", name="Leave").click()
    vera.page.get_by_role("dialog", name="Leave “Budget”?").get_by_role("button", name="Leave").click()
    expect(vera.toast).to_contain_text("You have left “Budget”.")
    expect(line).to_have_count(0)
    with_group = vera.page.locator(".shared-line", has_text="shared with Design").filter(has_text="Budget")
    with_group.get_by_role("button", name="Leave").click()
    expect(vera.toast).to_contain_text("It stays for everyone else.")
    expect(vera.page.get_by_text("You have left 1 share")).to_be_visible()
    vera.toast.get_by_role("button", name="Undo").click()
    expect(with_group.get_by_role("button", name="Leave")).to_be_visible()


@pytest.fixture
def due_jobs(live):
    """Jobs that wait for a moment are done when it has come, and sockets tell open pages."""
    SocketProcess(live)
    started = [live.start_worker(), live.applications.group.launch(live.applications._beat())]
    yield
    for child in started:
        live.kill(child)


def test_an_open_list_loses_a_share_when_its_time_is_over(due_jobs, vera, shared):
    ends = datetime.now(UTC) + timedelta(seconds=12)
    shared("For seconds", expires_at=ends.isoformat())
    vera.page.get_by_role("link", name="Shared with me", exact=True).click()
    line = vera.page.locator(".shared-line", has_text="For seconds")
    expect(line).to_be_visible()
    expect(line).to_have_count(0, timeout=30_000)
    assert datetime.now(UTC) >= ends


def test_what_was_done_is_said_and_can_be_undone(vault, folder, shared, api):
    node = shared("Plans")
    vault.open(folder)
    vault.row("Plans").get_by_role("button", name="Shared with Vera").click()
    dialog(vault).get_by_label("What Vera may do").select_option(label="Can manage")
    expect(status(vault)).to_contain_text("Vera: Can manage.")
    status(vault).get_by_role("button", name="Undo").click()
    expect(status(vault)).to_contain_text("Undone.")
    expect(dialog(vault).get_by_label("What Vera may do")).to_have_value("viewer")
    dialog(vault).get_by_role("button", name="Remove Vera").click()
    expect(status(vault)).to_contain_text("Vera has no access any more.")
    expect(people(vault)).to_have_count(1)
    status(vault).get_by_role("button", name="Undo").click()
    expect(people(vault)).to_have_count(2)
    dialog(vault).get_by_role("button", name="Set an end for Vera").click()
    dialog(vault).get_by_label("Until when Vera has access").fill("2199-01-31")
    expect(status(vault)).to_contain_text("Vera has access until")
    (share,) = api.get(f"/nodes/{node['id']}/shares").json()["items"]
    assert (share["role"], share["expires_at"][:10]) == ("viewer", "2199-01-31")


def test_a_role_that_was_chosen_holds_though_the_dialog_is_closed_at_once(vault, folder, shared, api):
    node = shared("Plans")
    vault.open(folder)
    open_by_menu(vault, "Plans")
    dialog(vault).get_by_label("What Vera may do").select_option(label="Can edit")
    dialog(vault).get_by_role("button", name="Done").click()
    expect(vault.toast).to_contain_text("Vera: Can edit.")
    assert api.get(f"/nodes/{node['id']}/shares").json()["items"][0]["role"] == "editor"


def test_what_comes_from_a_folder_above_names_it_and_leads_there(vault, shared, mkdir):
    top = shared("Top")
    mkdir("Inner", top)
    vault.open(top)
    open_by_menu(vault, "Inner")
    expect(people(vault).filter(has_text="Vera")).to_contain_text("through “Top”")
    expect(dialog(vault).get_by_label("What Vera may do")).to_have_count(0)
    dialog(vault).get_by_role("button", name="through “Top”").click()
    expect(dialog(vault).get_by_role("heading", name="Share “Top”")).to_be_visible()
    dialog(vault).get_by_role("button", name="Remove Vera").click()
    expect(status(vault)).to_contain_text("Vera has no access any more.")


def test_it_goes_by_keyboard_alone_and_gives_the_focus_back(vault, folder, mkdir, api):
    node = mkdir("Keys")
    vault.open(folder)
    vault.row("Keys").focus()
    vault.press("Alt+Enter")
    expect(who(vault)).to_be_focused()
    vault.page.keyboard.type("vera")
    expect(dialog(vault).get_by_role("option", name="Vera")).to_have_attribute("aria-selected", "true")
    vault.press("Escape")
    expect(dialog(vault).get_by_role("option")).to_have_count(0)
    vault.press("ArrowDown")
    expect(dialog(vault).get_by_role("option", name="Vera")).to_have_attribute("aria-selected", "true")
    vault.press("Enter", "Tab", "Tab")
    expect(dialog(vault).locator("#share-until")).to_be_visible()
    who(vault).focus()
    vault.press("Enter")
    expect(status(vault)).to_contain_text("Shared with Vera: Can view.")
    vault.press("Escape")
    expect(dialog(vault)).to_have_count(0)
    vault.expect_focus("Keys")
    assert len(api.get(f"/nodes/{node['id']}/shares").json()["items"]) == 1


def test_who_may_only_view_sees_who_has_access_and_can_leave(vera, shared, api):
    node = shared("Look")
    vera.visit(f"/files/{node['id']}/")
    vera.page.get_by_role("button", name="Share this folder").click()
    expect(dialog(vera)).to_contain_text("Only those who manage it decide who has access.")
    expect(who(vera)).to_have_count(0)
    expect(people(vera).first).to_contain_text("Mia")
    dialog(vera).get_by_role("button", name="Leave").click()
    vera.page.get_by_role("dialog", name="Leave “Look”?").get_by_role("button", name="Leave").click()
    expect(vera.page.get_by_role("heading", name="Shared with me")).to_be_visible()
    assert api.get(f"/nodes/{node['id']}/shares").json()["items"] == []


def test_several_shares_are_ended_at_once_and_brought_back(vault, shared, api):
    nodes = [shared(f"Batch {number}", "editor") for number in range(3)]
    vault.visit("/shared/by-me/")
    for node in nodes[:2]:
        vault.page.get_by_role("checkbox", name=f"Select {node['name']}, shared with Vera").check()
    vault.page.get_by_role("button", name="Stop sharing 2").click()
    expect(vault.toast).to_contain_text("2 shares have ended.")
    line = vault.page.locator(".shared-line", has_text="Batch")
    expect(line).to_have_count(1)
    vault.toast.get_by_role("button", name="Undo").click()
    expect(line).to_have_count(3)
    assert {api.get(f"/nodes/{node['id']}/shares").json()["items"][0]["role"] for node in nodes} == {"editor"}


def test_on_a_phone_nothing_runs_over_the_edge(phone, shared, folder):
    shared("A folder with rather a long name that goes on and on for a while", message="Words " * 40)
    phone.open(folder)
    phone.page.get_by_role("button", name="More actions").first.tap()
    phone.page.get_by_role("menuitem", name="Share").tap()
    expect(dialog(phone)).to_be_visible()
    choose(phone, "ada", "Adam")
    box = dialog(phone).bounding_box()
    assert (box["x"], box["width"]) == (0, 390)
    assert dialog(phone).locator(".dialog-body").evaluate("body => body.scrollWidth <= body.clientWidth")
    for path in ("/shared/by-me/", "/shared/"):
        phone.visit(path)
        assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
