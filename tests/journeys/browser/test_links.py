"""Public links in the browser: made and copied by one person, opened by a stranger in another browser, limited, ended, taken back."""

import os
import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import poor_contrasts
from tests.journeys.browser.vault import Vault

SHOTS = os.environ.get("BITVAULT_SHOTS", "")


@pytest.fixture
def open_dialog(vault, folder):
    """Open the dialog of a node in the folder, as whoever shares it."""

    def open_dialog(name: str):
        vault.open(folder)
        vault.row(name).focus()
        vault.page.keyboard.press("Alt+Enter")
        section = vault.page.locator("#links-section")
        expect(section).to_be_visible()
        return section

    return open_dialog


@pytest.fixture
def stranger(visitor, live):
    """A browser of somebody who has no account, and that keeps what it downloads."""
    return visitor(accept_downloads=True)


def make_link(section, **fields) -> str:
    section.get_by_role("button", name="Make a link").click()
    for label, value in fields.items():
        section.get_by_label(label.replace("_", " ")).fill(value)
    section.get_by_role("button", name="Make link", exact=True).click()
    return section.locator(".links-address input").last.input_value()


def test_a_link_with_password_and_limit_is_made_by_one_and_used_up_by_a_stranger(
    vault, folder, sender, open_dialog, stranger
):
    sender.bring("press.txt", b"for the press")
    section = open_dialog("press.txt")
    url = make_link(section, Password="a good password", Downloads_at_most="1")
    assert re.search(r"/s/[\w-]{22}$", url)
    expect(vault.page.locator("#share-said")).to_contain_text("Its address is shown this once")
    expect(section.locator(".links-line")).to_contain_text("with a password")

    stranger.goto(url)
    expect(stranger.get_by_role("heading")).to_have_text("This link has a password")
    stranger.get_by_label("Password", exact=True).fill("a wrong guess")
    stranger.get_by_role("button", name="Continue").click()
    expect(stranger.get_by_role("alert")).to_contain_text("The password is wrong")
    stranger.get_by_label("Password", exact=True).fill("a good password")
    stranger.get_by_role("button", name="Continue").click()
    expect(stranger.get_by_role("heading")).to_have_text("press.txt")
    with stranger.expect_download() as saved:
        stranger.get_by_role("link", name="Download").click()
    assert saved.value.path().read_bytes() == b"for the press"
    assert saved.value.suggested_filename == "press.txt"

    section = open_dialog("press.txt")
    expect(section.locator(".links-line")).to_contain_text("1 of 1 downloads")


def test_another_stranger_is_told_whom_to_ask(folder, sender, open_dialog, visitor):
    sender.bring("last.txt", b"one only")
    url = make_link(open_dialog("last.txt"), Downloads_at_most="1")
    first, second = visitor(accept_downloads=True), visitor()
    first.goto(url)
    with first.expect_download():
        first.get_by_role("link", name="Download").click()
    second.goto(url)
    expect(second.get_by_role("heading")).to_have_text("This link has been used up")
    expect(second.get_by_role("main")).to_contain_text("Mia made it and can send you another one.")


def test_a_folder_is_walked_by_a_stranger_on_a_phone(folder, mkdir, open_dialog, visitor, api):
    from tests.support.sending import Sender

    kit = mkdir("Press kit with rather a long name that goes on")
    inner = api.post("/folders", {"parent_id": kit["id"], "name": "Pictures"}).json()
    Sender(api, inner["id"]).bring("logo.png", b"png")
    url = make_link(open_dialog(kit["name"]))
    phone = visitor(viewport={"width": 390, "height": 844}, color_scheme="dark", java_script_enabled=False)
    phone.goto(url)
    phone.get_by_role("link", name="Pictures").click()
    expect(phone.get_by_role("heading")).to_have_text("Pictures")
    expect(phone.get_by_role("link", name="logo.png")).to_be_visible()
    phone.get_by_role("link", name=kit["name"]).click()
    expect(phone.get_by_role("heading")).to_have_text(kit["name"])


def test_a_link_is_changed_ended_and_brought_back(vault, folder, sender, open_dialog, visitor):
    sender.bring("plan.txt", b"plan")
    section = open_dialog("plan.txt")
    url = make_link(section, Name="For the council")
    section.get_by_role("button", name="Change For the council").click()
    section.get_by_label("Until").fill("2199-01-31")
    section.get_by_role("button", name="Save", exact=True).click()
    expect(section.locator(".links-line")).to_contain_text("2199")
    section.get_by_role("button", name="End For the council").click()
    expect(section.locator(".links-line")).to_have_count(0)
    stranger = visitor()
    stranger.goto(url)
    expect(stranger.get_by_role("heading")).to_have_text("This link has ended")
    vault.page.locator("#share-said").get_by_role("button", name="Undo").click()
    expect(section.locator(".links-line")).to_contain_text("For the council")
    stranger.reload()
    expect(stranger.get_by_role("heading")).to_have_text("plan.txt")


def test_a_refused_wish_is_said_at_the_form_and_nothing_is_lost(folder, sender, open_dialog):
    sender.bring("form.txt", b"form")
    section = open_dialog("form.txt")
    section.get_by_role("button", name="Make a link").click()
    section.get_by_label("Name").fill("Kept")
    section.get_by_label("Own address").fill("short")
    section.get_by_role("button", name="Make link", exact=True).click()
    expect(section.get_by_role("alert")).to_be_visible()
    expect(section.get_by_label("Name")).to_have_value("Kept")


def test_ones_links_are_listed_with_what_one_shares_and_ended_there(vault: Vault, folder, sender, api):
    file = sender.bring("listed.txt", b"listed")
    link = api.post(f"/nodes/{file['id']}/links", {"kind": "download", "name": "Listed link"}).json()
    vault.visit("/shared/by-me/")
    line = vault.page.locator("#my-links .links-line", has_text="listed.txt")
    expect(line).to_contain_text("Listed link")
    line.get_by_role("button", name="End the link to listed.txt").click()
    expect(vault.toast).to_contain_text("has ended")
    expect(line).to_have_count(0)
    vault.toast.get_by_role("button", name="Undo").click()
    expect(line).to_contain_text("Listed link")
    assert api.get(f"/nodes/{file['id']}/links").json()["items"][0]["id"] == link["id"]


def test_a_stranger_writes_a_text_on_a_phone_and_is_asked_where_somebody_was_faster(folder, sender, api, visitor):
    node = sender.bring("notes.md", b"first")
    sender.bring("logo.png", b"png")
    url = api.post(f"/nodes/{folder['id']}/links", {"kind": "edit", "password": "a good password"}).json()["url"]
    phone = visitor(viewport={"width": 390, "height": 844}, color_scheme="dark")
    phone.goto(url)
    phone.get_by_label("Password", exact=True).fill("a good password")
    phone.get_by_role("button", name="Continue").click()
    expect(phone.get_by_role("button", name="Edit logo.png")).to_be_hidden()
    phone.get_by_role("button", name="Edit notes.md").click()
    editor = phone.get_by_role("dialog", name="notes.md")
    expect(editor).to_be_visible()
    state = editor.locator("#editor-state")
    phone.keyboard.type("more than ")
    expect(state).to_have_text("Unsaved changes")
    editor.get_by_role("button", name="Save").click()
    expect(state).to_have_text("Saved")
    assert sender.fetch(node).data == b"more than first"

    sender.bring("notes.md", b"of mia", mode="overwrite")
    phone.keyboard.type("still ")
    phone.keyboard.press("Escape")
    phone.get_by_role("button", name="Cancel", exact=True).click()
    phone.keyboard.press("Control+s")
    expect(editor.get_by_label("The file as it is now")).to_have_value("of mia")
    editor.get_by_role("button", name="Keep mine").click()
    expect(state).to_have_text("Saved")
    assert sender.fetch(node).data == b"more than still first"
    versions = api.get(f"/nodes/{node['id']}/versions").json()["items"]
    assert [one["made_on"] for one in versions] == ["link", "API", "link", "API"]

    api.request("PUT", f"/nodes/{node['id']}/lock", {})
    phone.keyboard.type("never ")
    editor.get_by_role("button", name="Save").click()
    expect(editor.locator("#editor-lock")).to_contain_text("What you have written stays here")
    expect(editor.get_by_role("button", name="Save")).to_be_disabled()
    editor.get_by_role("button", name="Close").click()
    phone.get_by_role("button", name="Discard", exact=True).click()
    expect(editor).to_be_hidden()
    expect(phone.get_by_role("listitem").filter(has_text="notes.md")).to_contain_text("21")


def test_through_a_link_on_one_text_a_stranger_keeps_one_of_two(folder, sender, api, visitor):
    node = sender.bring("alone.txt", b"first")
    url = api.post(f"/nodes/{node['id']}/links", {"kind": "edit"}).json()["url"]
    page = visitor()
    page.goto(url)
    page.get_by_role("button", name="Edit", exact=True).click()
    editor = page.get_by_role("dialog", name="alone.txt")
    expect(editor).to_be_visible()
    sender.bring("alone.txt", b"of mia", mode="overwrite")
    page.keyboard.type("mine ")
    page.keyboard.press("Control+s")
    expect(editor.get_by_label("The file as it is now")).to_have_value("of mia")
    expect(editor.get_by_role("button", name="Keep both")).to_be_hidden()
    editor.get_by_role("button", name="Take the newer one").click()
    expect(editor.locator("#editor-state")).to_have_text("Saved")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#editor-text")).to_have_value("mine first")
    editor.get_by_role("button", name="Save").click()
    expect(editor.locator("#editor-state")).to_have_text("Saved")
    assert sender.fetch(node).data == b"mine first"
    items = api.get(f"/nodes/{folder['id']}/children").json()["items"]
    assert [one["name"] for one in items] == ["alone.txt"]


def test_a_stranger_is_told_of_a_lock_when_they_open_a_text_and_when_one_comes_or_ends(folder, sender, api, visitor):
    node = sender.bring("locked.txt", b"first")
    url = api.post(f"/nodes/{node['id']}/links", {"kind": "edit"}).json()["url"]
    api.request("PUT", f"/nodes/{node['id']}/lock", {"reason": "A secret"})
    page = visitor(viewport={"width": 390, "height": 844}, color_scheme="dark")
    page.clock.install()
    page.goto(url)
    expect(page.get_by_text("Somebody has locked this file until")).to_be_visible()
    page.get_by_role("button", name="Edit", exact=True).click()
    editor = page.get_by_role("dialog", name="locked.txt")
    note = editor.locator("#editor-lock")
    expect(note).to_contain_text("You can read it")
    expect(page.locator("#editor-text")).to_have_js_property("readOnly", True)
    assert "A secret" not in page.content()
    assert "Mia" not in note.inner_text()
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/payment-lock-390.png")
    assert poor_contrasts(page) == []

    api.delete(f"/nodes/{node['id']}/lock")
    page.clock.run_for(16_000)
    expect(note).to_be_hidden()
    page.locator("#editor-text").focus()
    page.keyboard.type("more than ")
    api.request("PUT", f"/nodes/{node['id']}/lock", {})
    page.clock.run_for(16_000)
    expect(note).to_contain_text("What you have written stays here")
    expect(editor.get_by_role("button", name="Save")).to_be_disabled()
    api.delete(f"/nodes/{node['id']}/lock")
    page.clock.run_for(16_000)
    editor.get_by_role("button", name="Save").click()
    expect(editor.locator("#editor-state")).to_have_text("Saved")
    assert sender.fetch(node).data == b"more than first"
