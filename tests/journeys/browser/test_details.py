"""The details panel, favourites and tags, by pointer, keyboard and finger."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.support.world import ACME, PASSWORD


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
    vault.open(folder)
    page.get_by_role("button", name="Filter by tag").click()
    choice = page.get_by_role("menuitem", name="Checked by Mia")
    expect(choice).to_be_focused()
    href = choice.get_attribute("href") or ""
    assert re.fullmatch(rf"/search/\?tag=[0-9a-f-]{{36}}&in={folder['id']}", href)
    vault.press("Escape")
    expect(page.get_by_role("button", name="Filter by tag")).to_be_focused()
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


def test_people_discuss_a_file_in_its_comments(vault, folder, sender, panel):
    sender.bring("a.txt", b"some text")
    vault.open(folder)
    page = vault.page
    vault.row("a.txt").get_by_role("button", name="More actions").click()
    page.get_by_role("menuitem", name="Comments").click()
    field = panel.get_by_label("Write a comment")
    field.press_sequentially("Please look, @Ol")
    expect(panel.get_by_role("button", name="Olga")).to_be_visible()
    vault.press("Enter")
    expect(field).to_have_value("Please look, @Olga ")
    field.press_sequentially("<b>now</b> https://example.org/x")
    vault.press("Control+Enter")
    thread = panel.locator("[data-thread]")
    expect(thread.locator(".comment-text")).to_have_text("Please look, @Olga <b>now</b> https://example.org/x")
    expect(thread.locator(".comment-name")).to_have_text("@Olga")
    expect(thread.get_by_role("link", name="https://example.org/x")).to_have_attribute(
        "rel", "noopener noreferrer nofollow"
    )
    expect(vault.row("a.txt").get_by_role("button", name="1 open comment: a.txt")).to_be_visible()
    thread.get_by_role("button", name="Reply").click()
    thread.get_by_label("Reply").fill("Done already")
    thread.locator("form").get_by_role("button", name="Reply").click()
    expect(thread.locator(".comment-text")).to_have_count(2)
    thread.get_by_role("button", name="Edit").last.click()
    thread.get_by_label("Comment").fill("Done since yesterday")
    thread.get_by_role("button", name="Save").click()
    expect(thread.locator(".comment-text").last).to_have_text("Done since yesterday")
    expect(thread).to_contain_text("edited")
    thread.get_by_role("button", name="Resolve").click()
    expect(thread).to_contain_text("Resolved by You")
    thread.get_by_role("button", name="Delete").first.click()
    page.get_by_role("dialog", name="Delete this thread?").get_by_role("button", name="Delete").click()
    expect(thread).to_have_count(0)
    expect(panel.get_by_label("Write a comment")).to_be_focused()
    page.goto(f"{vault.base_url}/files/{folder['id']}/#comments={folder['id']}")
    expect(panel.get_by_role("heading", level=2)).to_have_text(folder["name"])
    expect(panel.get_by_role("tab", name="Comments")).to_have_attribute("aria-selected", "true")


def test_a_template_is_made_by_an_administrator_and_filled_in_beside_a_file(
    vault, visitor, live, folder, sender, panel, tmp_path
):
    administrator = visitor()
    sign_in(administrator, live.tenant_url, ACME.people["adam"].email, PASSWORD)
    administrator.goto(f"{live.tenant_url}/metadata/")
    administrator.get_by_role("button", name="New template").click()
    dialog = administrator.get_by_role("dialog", name="New template")
    dialog.get_by_label("Name", exact=True).fill("Contract")
    for name, kind in (("Status", "choice"), ("Amount", "number"), ("Reviewer", "person")):
        if name != "Status":
            dialog.get_by_role("button", name="Add field").click()
        dialog.get_by_label("Name of the field").last.fill(name)
        dialog.get_by_label("Kind of the field").last.select_option(kind)
    dialog.get_by_label("Choices, one in each line").first.fill("Open\nDone")
    administrator.screenshot(path=tmp_path / "dialog.png")
    dialog.get_by_role("button", name="Create").click()
    expect(administrator.locator(".meta-template", has_text="Contract")).to_contain_text("Choice: Open, Done")

    sender.bring("a.txt", b"some text")
    vault.open(folder)
    page = vault.page
    vault.row("a.txt").locator(".cell-modified").click()
    page.keyboard.press("Control+i")
    panel.get_by_label("Add a field").select_option(label="Status")
    panel.get_by_label("Status").select_option("Open")
    panel.get_by_role("button", name="Save").click()
    expect(panel.get_by_role("button", name="Edit Status")).to_contain_text("Open")
    panel.get_by_label("Add a field").select_option(label="Amount")
    panel.get_by_label("Amount").fill("ten")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("alert")).to_contain_text("This is not what the field takes")
    panel.get_by_label("Amount").fill("12345,5")
    page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Edit Amount")).to_contain_text("12,345.5")
    panel.get_by_label("Add a field").select_option(label="Reviewer")
    panel.get_by_label("Reviewer").press_sequentially("Adam")
    expect(panel.locator("#meta-people option")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(panel.get_by_role("button", name="Edit Reviewer")).to_contain_text("Adam")
    page.screenshot(path=tmp_path / "panel.png")
    panel.get_by_role("button", name="Edit Status").click()
    panel.get_by_label("Status").select_option("Done")
    panel.get_by_role("button", name="Save").click()
    toast = page.locator(".toast").filter(has_text="“Status” is now “Done”.")
    toast.get_by_role("button", name="Undo").click()
    expect(panel.get_by_role("button", name="Edit Status")).to_contain_text("Open")
    panel.get_by_role("button", name="Remove Amount").click()
    expect(panel.get_by_role("button", name="Edit Amount")).to_have_count(0)
    for look, width in (("light", 1440), ("dark", 768), ("light", 390)):
        administrator.emulate_media(color_scheme=look)
        administrator.set_viewport_size({"width": width, "height": 900})
        administrator.screenshot(path=tmp_path / f"page{width}.png")
