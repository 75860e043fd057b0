"""The details panel, favourites and tags, by pointer, keyboard and finger."""

import pytest
from playwright.sync_api import expect


@pytest.fixture
def panel(vault):
    return vault.page.locator("#details")


def test_the_panel_tells_of_the_folder_of_what_is_selected_and_of_several(vault, folder, sender, panel):
    sender.bring("a.txt", b"some text")
    sender.bring("b.txt", b"other text")
    vault.open(folder)
    page = vault.page
    expect(panel).to_be_hidden()
    page.locator("[data-details-toggle]").click()
    expect(panel.get_by_role("heading", level=2)).to_have_text(folder["name"])
    expect(panel).to_contain_text("2 items")
    vault.row("a.txt").locator(".cell-modified").click()
    expect(panel.get_by_role("heading", level=2)).to_have_text("a.txt")
    expect(panel).to_contain_text("9 bytes")
    expect(panel).to_contain_text("You")
    vault.row("b.txt").locator(".cell-modified").click(modifiers=["Shift"])
    expect(panel.get_by_role("heading", level=2)).to_have_text("2 items selected")
    expect(panel).to_contain_text("2 × Text")
    page.reload()
    expect(panel).to_be_visible()  # it is remembered
    page.keyboard.press("Control+i")
    expect(panel).to_be_hidden()
    page.reload()
    expect(vault.row("a.txt")).to_be_visible()
    expect(panel).to_be_hidden()


def test_a_favourite_and_a_tag_are_put_on_a_row_and_found_again(vault, folder, sender, panel):
    sender.bring("a.txt", b"some text")
    vault.open(folder)
    page, row = vault.page, vault.row("a.txt")
    row.hover()
    row.get_by_role("button", name="Add a.txt to favourites").click()
    expect(row.get_by_role("button", name="Remove a.txt from favourites")).to_be_visible()
    row.get_by_role("button", name="More actions").click()
    expect(page.get_by_role("menuitem", name="Remove from favourites")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Add to favourites")).to_be_hidden()
    page.get_by_role("menuitem", name="Tags…").click()
    dialog = page.get_by_role("dialog", name="Tags")
    dialog.get_by_label("Find or make a tag").fill("Checked by Mia")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("checkbox", name="Checked by Mia")).to_be_checked()
    dialog.get_by_role("button", name="Done").click()
    row.get_by_role("link", name="Checked by Mia").click()
    page.wait_for_url("**/tags/*/")
    line = page.locator(".noted-line", has_text="a.txt")
    line.get_by_role("button", name="Details").click()
    expect(panel.get_by_role("link", name="Checked by Mia")).to_be_visible()
    vault.visit("/favourites/")
    expect(page.locator(".noted-line", has_text="a.txt")).to_be_visible()


def test_on_a_phone_the_details_are_a_sheet_that_escape_closes(phone, folder, sender):
    sender.bring("a.txt", b"some text")
    phone.open(folder)
    panel = phone.page.locator("#details")
    phone.row("a.txt").get_by_role("button", name="More actions").click()
    phone.page.locator('#row-menu [data-command="details"]').click()
    expect(panel).to_have_attribute("aria-modal", "true")
    expect(panel.get_by_role("heading", level=2)).to_have_text("a.txt")
    phone.page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
