"""The history of a file: seen, named, pinned, brought back, taken back and deleted, by pointer and keyboard."""

import re

import pytest
from playwright.sync_api import expect


@pytest.fixture
def plan(sender) -> dict:
    """A file of three versions."""
    for content in (b"first", b"second plan", b"the third plan"):
        node = sender.bring("plan.txt", content, mode="overwrite")
    return node


def open_history(vault, name: str):
    vault.row(name).get_by_title("More actions").click()
    vault.page.get_by_role("menuitem", name="Version history").click()
    dialog = vault.page.get_by_role("dialog", name="Version history")
    expect(dialog).to_be_visible()
    return dialog


def test_the_history_shows_who_where_when_and_how_large(vault, folder, plan):
    vault.open(folder)
    dialog = open_history(vault, "plan.txt")
    lines = dialog.get_by_role("listitem")
    expect(lines).to_have_count(3)
    expect(lines.first).to_contain_text("Current")
    expect(lines.first).to_contain_text(re.compile("by a program.*14\N{NO-BREAK SPACE}bytes", re.DOTALL))
    expect(lines.first.get_by_role("button", name="Restore")).to_have_count(0)
    expect(lines.last.get_by_role("button", name="Restore")).to_be_visible()
    vault.press("Escape")
    expect(dialog).to_be_hidden()


def test_a_version_is_brought_back_and_the_undo_takes_it_back(vault, folder, plan, sender):
    vault.open(folder)
    dialog = open_history(vault, "plan.txt")
    dialog.get_by_role("listitem").last.get_by_role("button", name="Restore").click()
    expect(dialog).to_be_hidden()
    expect(vault.row("plan.txt")).to_contain_text("5\N{NO-BREAK SPACE}bytes")
    assert sender.fetch(plan).data == b"first"
    vault.toast.get_by_role("button", name="Undo").click()
    expect(vault.row("plan.txt")).to_contain_text("14\N{NO-BREAK SPACE}bytes")
    assert sender.fetch(plan).data == b"the third plan"
    dialog = open_history(vault, "plan.txt")
    expect(dialog.get_by_role("listitem")).to_have_count(5)
    expect(dialog.get_by_role("listitem").first).to_contain_text("Restored")


def test_a_version_gets_a_name_a_pin_and_is_deleted_once_it_is_unpinned(vault, folder, plan, api):
    vault.open(folder)
    dialog = open_history(vault, "plan.txt")
    middle = dialog.get_by_role("listitem").nth(1)
    middle.get_by_role("button", name="Name this version").click()
    vault.page.get_by_label("Name", exact=True).fill("Sent to the client")
    vault.press("Enter")
    expect(middle).to_contain_text("Sent to the client")
    middle.get_by_role("button", name="Pin: keep it").click()
    expect(middle).to_contain_text("Pinned")
    delete = middle.get_by_role("button", name="Delete this version permanently")
    delete.click()
    vault.page.get_by_role("button", name="Delete permanently", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("unpin it first")
    middle.get_by_role("button", name="Unpin").click()
    expect(middle).not_to_contain_text("Pinned")
    expect(dialog.get_by_role("alert")).to_be_hidden()
    delete.click()
    vault.page.get_by_role("button", name="Delete permanently", exact=True).click()
    expect(dialog.get_by_role("listitem")).to_have_count(2)
    items = api.get(f"/nodes/{plan['id']}/versions").json()["items"]
    assert [one["size_bytes"] for one in items] == [14, 5]


def test_an_old_version_is_downloaded_as_it_was(vault, folder, plan, tmp_path):
    vault.open(folder)
    dialog = open_history(vault, "plan.txt")
    with vault.page.expect_download() as download:
        dialog.get_by_role("listitem").last.get_by_role("button", name="Download this version").click()
    saved = tmp_path / "old.txt"
    download.value.save_as(saved)
    assert saved.read_bytes() == b"first"


def test_a_folder_has_no_history(vault, folder, mkdir):
    mkdir("Reports")
    vault.open(folder)
    vault.row("Reports").get_by_title("More actions").click()
    expect(vault.page.get_by_role("menuitem", name="Rename")).to_be_visible()
    expect(vault.page.get_by_role("menuitem", name="Version history")).to_be_hidden()
