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


def open_editor(vault, name: str):
    vault.row(name).get_by_title("More actions").click()
    vault.page.get_by_role("menuitem", name="Edit", exact=True).click()
    editor = vault.page.get_by_role("dialog", name=name)
    expect(editor).to_be_visible()
    return editor


def test_a_new_text_is_written_saved_and_asked_about_before_it_is_lost(vault, folder, api, sender):
    vault.open(folder)
    vault.page.get_by_role("button", name="Upload", exact=True).click()
    vault.page.get_by_role("menuitem", name="New Markdown file").click()
    vault.page.get_by_label("Name", exact=True).fill("notes")
    vault.press("Enter")
    editor = vault.page.get_by_role("dialog", name="notes.md")
    expect(editor).to_be_visible()
    vault.page.keyboard.type("# Größe\nmehr")
    vault.press("Control+s")
    expect(editor.get_by_role("status")).to_have_text("Saved")
    node = api.get(f"/nodes/{folder['id']}/children").json()["items"][0]
    assert (node["name"], node["media_type"]) == ("notes.md", "text/markdown")
    assert sender.fetch(node).data == "# Größe\nmehr".encode()
    vault.page.keyboard.type("!")
    vault.press("Escape")
    vault.page.get_by_role("button", name="Cancel", exact=True).click()
    expect(editor.get_by_role("status")).to_have_text("Unsaved changes")
    expect(editor.get_by_role("textbox")).to_be_focused()
    vault.press("Escape")
    vault.page.get_by_role("button", name="Discard", exact=True).click()
    expect(editor).to_be_hidden()
    assert len(api.get(f"/nodes/{node['id']}/versions").json()["items"]) == 2


def test_lines_end_as_they_did_and_what_is_no_text_is_left_alone(vault, folder, sender):
    node = sender.bring("dos.txt", "\N{ZERO WIDTH NO-BREAK SPACE}one\r\ntwo\r\n".encode())
    sender.bring("latin.txt", "Größe".encode("latin-1"))
    vault.open(folder)
    editor = open_editor(vault, "dos.txt")
    vault.press("Control+End")
    vault.page.keyboard.type("three\n")
    editor.get_by_role("button", name="Save").click()
    expect(editor.get_by_role("status")).to_have_text("Saved")
    assert sender.fetch(node).data == "\N{ZERO WIDTH NO-BREAK SPACE}one\r\ntwo\r\nthree\r\n".encode()
    editor.get_by_role("button", name="Close").click()
    vault.row("latin.txt").get_by_title("More actions").click()
    vault.page.get_by_role("menuitem", name="Edit", exact=True).click()
    expect(vault.toast).to_contain_text("This file is not text in UTF-8")


@pytest.mark.parametrize(
    ("choice", "texts"),
    [
        ("Keep mine", {"a.txt": b"mine first"}),
        ("Take the newer one", {"a.txt": b"theirs"}),
        ("Keep both", {"a.txt": b"theirs", "a (2).txt": b"mine first"}),
    ],
)
def test_where_somebody_was_faster_both_texts_are_shown_and_one_chooses(vault, folder, api, sender, choice, texts):
    sender.bring("a.txt", b"first")
    vault.open(folder)
    editor = open_editor(vault, "a.txt")
    sender.bring("a.txt", b"theirs", mode="overwrite")
    vault.page.keyboard.type("mine ")
    vault.press("Control+s")
    expect(editor.get_by_label("The file as it is now")).to_have_value("theirs")
    expect(editor.get_by_label("Your text")).to_have_value("mine first")
    editor.get_by_role("button", name=choice).click()
    expect(vault.page.locator("#editor-state")).to_have_text("Saved")
    items = api.get(f"/nodes/{folder['id']}/children").json()["items"]
    assert {node["name"]: sender.fetch(node).data for node in items} == texts
