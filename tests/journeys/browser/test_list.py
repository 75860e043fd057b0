"""The list of a folder and of the trash: what keys, pointer and menus do, and that the page tells the truth."""

import re
import time

from playwright.sync_api import expect

from apps.files.ui.views import ROWS

# --- folders and names -----------------------------------------------------------------------------------------------------


def test_a_folder_is_made_opened_and_left_by_the_path(vault, folder):
    vault.open(folder)
    page = vault.page
    expect(page.get_by_role("heading", name="This folder is empty")).to_be_visible()
    page.get_by_role("button", name="New folder").first.click()
    page.get_by_label("Name", exact=True).fill("Reports")
    vault.press("Enter")
    expect(vault.row("Reports")).to_be_focused()
    vault.press("Enter")
    expect(page.get_by_role("heading", name="Reports")).to_be_visible()
    expect(page).to_have_title(re.compile("^Reports"))
    page.get_by_role("navigation", name="Folder path").get_by_role("link", name=folder["name"]).click()
    vault.expect_names("Reports")
    page.go_back()
    expect(page.get_by_role("heading", name="Reports")).to_be_visible()


def test_a_taken_name_is_told_in_the_dialog_which_stays_open(vault, folder, mkdir):
    mkdir("Reports")
    vault.open(folder)
    page = vault.page
    page.get_by_role("button", name="New folder").first.click()
    page.get_by_label("Name", exact=True).fill("reports")
    vault.press("Enter")
    expect(page.locator("#name-dialog-error")).to_contain_text("here already")
    # Another name is offered in place, and taken by one key.
    expect(page.get_by_label("Name", exact=True)).to_have_value("reports (2)")
    vault.press("Enter")
    vault.expect_names("Reports", "reports (2)")


def test_f2_renames_in_place_and_the_row_moves_to_where_it_belongs(vault, folder, sender):
    for name in ("alpha.txt", "beta.txt", "gamma.txt"):
        sender.bring(name, name.encode())
    vault.open(folder)
    vault.row("alpha.txt").focus()
    vault.press("F2")
    field = vault.page.get_by_label("New name for alpha.txt")
    expect(field).to_be_focused()
    assert field.evaluate("field => field.value.slice(field.selectionStart, field.selectionEnd)") == "alpha"
    vault.page.keyboard.type("omega")
    vault.press("Enter")
    vault.expect_names("beta.txt", "gamma.txt", "omega.txt")
    expect(vault.row("omega.txt")).to_be_focused()

    vault.press("F2")
    vault.page.keyboard.type("who?")
    vault.press("Enter")
    expect(vault.row("who?.txt").get_by_title("Windows cannot hold this name")).to_be_visible()
    expect(vault.row("beta.txt").get_by_title("Windows cannot hold this name")).to_be_hidden()


def test_a_refused_name_is_told_under_the_field_and_escape_takes_it_back(vault, folder, sender):
    sender.bring("alpha.txt", b"a")
    sender.bring("beta.txt", b"b")
    vault.open(folder)
    vault.row("alpha.txt").focus()
    vault.press("F2")
    field = vault.page.get_by_label("New name for alpha.txt")
    field.fill("beta.txt")
    vault.press("Enter")
    expect(vault.page.locator("#rename-error")).to_contain_text("here already")
    expect(field).to_be_focused()
    expect(field).to_have_value("beta (2).txt")
    field.fill("a/b")
    vault.press("Enter")
    expect(vault.page.locator("#rename-error")).to_be_visible()
    expect(field).to_have_value("ab")
    vault.press("Escape")
    vault.expect_names("alpha.txt", "beta.txt")
    expect(vault.row("alpha.txt")).to_be_focused()


def test_what_was_changed_elsewhere_is_not_overwritten_but_shown(vault, api, folder, sender):
    node = sender.bring("draft.txt", b"a")
    vault.open(folder)
    api.patch(f"/nodes/{node['id']}", {"name": "final.txt"}, revision=node["revision"])
    vault.row("draft.txt").focus()
    vault.press("F2")
    vault.page.get_by_label("New name for draft.txt").fill("mine.txt")
    vault.press("Enter")
    expect(vault.toast).to_contain_text("changed elsewhere")
    vault.expect_names("final.txt")


# --- moving -----------------------------------------------------------------------------------------------------------------


def test_things_are_moved_by_the_dialog_and_moved_back(vault, api, folder, sender, mkdir):
    archive = mkdir("Archive")
    year = mkdir("2026", archive)
    sender.bring("one.txt", b"1")
    sender.bring("two.txt", b"2")
    vault.open(folder)
    vault.select("one.txt", "two.txt")
    vault.command("Move")
    dialog = vault.page.get_by_role("dialog", name="Move 2 items")
    expect(dialog.get_by_role("button", name="It is here now")).to_be_disabled()
    dialog.get_by_role("option", name="Archive").click()
    dialog.get_by_role("option", name="2026").click()
    dialog.get_by_role("button", name="Move here").click()
    vault.expect_names("Archive")
    names = {node["name"] for node in api.get(f"/nodes/{year['id']}/children").json()["items"]}
    assert names == {"one.txt", "two.txt"}
    vault.toast.get_by_role("button", name="Undo").click()
    vault.expect_names("Archive", "one.txt", "two.txt")


def test_the_folder_dialog_works_by_keyboard_and_bars_what_is_being_moved(vault, api, folder, sender, mkdir):
    mkdir("Alpha")
    beta = mkdir("Beta")
    vault.open(folder)
    vault.row("Alpha").focus()
    vault.press("ContextMenu")
    vault.page.get_by_role("menuitem", name="Move to…").press("Enter")
    dialog = vault.page.get_by_role("dialog", name="Move “Alpha”")
    expect(dialog.get_by_role("option", name="Alpha")).to_have_attribute("aria-disabled", "true")
    expect(dialog.get_by_role("option", name="Alpha")).to_be_focused()
    vault.press("ArrowDown", "Enter")
    expect(dialog.get_by_text("No folders in here.")).to_be_visible()
    dialog.get_by_role("button", name="Move here").press("Enter")
    vault.expect_names("Beta")
    assert [node["name"] for node in api.get(f"/nodes/{beta['id']}/children").json()["items"]] == ["Alpha"]


def test_a_selection_is_dragged_onto_a_folder_and_onto_the_path(vault, api, folder, sender, mkdir):
    archive = mkdir("Archive")
    for name in ("one.txt", "two.txt", "three.txt"):
        sender.bring(name, name.encode())
    vault.open(folder)
    vault.select("one.txt", "two.txt")
    vault.row("one.txt").drag_to(vault.row("Archive"))
    vault.expect_names("Archive", "three.txt")
    assert len(api.get(f"/nodes/{archive['id']}/children").json()["items"]) == 2

    vault.open(archive)
    path = vault.page.get_by_role("navigation", name="Folder path")
    vault.row("one.txt").drag_to(path.get_by_role("link", name=folder["name"]))
    vault.expect_names("two.txt")
    vault.open(folder)
    vault.expect_names("Archive", "one.txt", "three.txt")


# --- trash ------------------------------------------------------------------------------------------------------------------


def test_delete_throws_away_and_undo_brings_back(vault, folder, sender):
    for name in ("one.txt", "two.txt", "three.txt"):
        sender.bring(name, name.encode())
    vault.open(folder)
    vault.row("one.txt").focus()
    vault.press("Space", "Shift+ArrowDown", "Delete")
    vault.expect_names("two.txt")
    expect(vault.toast).to_contain_text("2 items moved to trash")
    vault.toast.get_by_role("button", name="Undo").click()
    vault.expect_names("one.txt", "three.txt", "two.txt")

    vault.row("two.txt").focus()
    vault.press("Delete")
    vault.expect_names("one.txt", "three.txt")
    expect(vault.row("three.txt")).to_be_focused()
    vault.press("Control+z")
    vault.expect_names("one.txt", "three.txt", "two.txt")


def test_the_trash_tells_where_things_were_and_gives_them_back_or_deletes_them(vault, api, folder, sender):
    names = ["keep.txt", "burn.txt", "leave.txt"]
    for name in names:
        api.delete(f"/nodes/{sender.bring(name, name.encode())['id']}")
    sender.bring("keep.txt", b"another")
    vault.visit("/trash/")
    page = vault.page
    expect(vault.row("keep.txt")).to_contain_text(f"My files / {folder['name']}")
    vault.row("keep.txt").get_by_role("button", name="Restore").click()
    expect(vault.toast).to_contain_text(f"restored to “My files / {folder['name']}”")
    expect(vault.toast).to_contain_text("it is now “keep (2).txt”")
    expect(vault.row("keep.txt")).to_have_count(0)

    vault.select("burn.txt")
    vault.command("Delete permanently")
    dialog = page.get_by_role("dialog", name="Delete “burn.txt” permanently?")
    expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    dialog.get_by_role("button", name="Delete permanently").click()
    expect(vault.row("burn.txt")).to_have_count(0)

    page.get_by_role("button", name="Empty trash").click()
    page.get_by_role("dialog").get_by_role("button", name="Empty trash").click()
    expect(page.get_by_role("heading", name="Trash is empty")).to_be_visible()
    expect(page.get_by_role("button", name="Empty trash")).to_be_hidden()
    assert api.get("/trash").json()["items"] == []
    vault.open(folder)
    vault.expect_names("keep (2).txt", "keep.txt")


def test_a_selection_comes_back_whole_and_the_toast_names_the_place(vault, api, folder, sender, mkdir):
    inner = mkdir("Inner")
    made = [sender.bring(f"{number}.txt", b"%d" % number, parent_id=inner["id"]) for number in range(3)]
    for node in (*made, inner):
        api.delete(f"/nodes/{node['id']}")
    vault.visit("/trash/")
    vault.select("0.txt", "1.txt", "2.txt", "Inner")
    vault.command("Restore")
    expect(vault.toast).to_contain_text("4 items restored to 2 folders")
    vault.open(inner)
    vault.expect_names("0.txt", "1.txt", "2.txt")
    for node in (made[0], inner):
        api.delete(f"/nodes/{node['id']}")
    vault.visit("/trash/")
    vault.select("0.txt")
    vault.command("Restore")
    expect(vault.toast).to_contain_text(
        f"restored to “My files / {folder['name']}”, since its folder is not there any more"
    )


def test_spaces_around_a_typed_name_are_left_out(vault, api, folder, sender):
    node = sender.bring("old.txt", b"1")
    vault.open(folder)
    vault.row("old.txt").focus()
    vault.press("F2")
    vault.page.get_by_label("New name for old.txt").fill("  new.txt ")
    vault.press("Enter")
    vault.expect_names("new.txt")
    assert api.get(f"/nodes/{node['id']}").json()["name"] == "new.txt"


# --- keyboard and selection ---------------------------------------------------------------------------------------------------


def test_the_list_is_worked_by_keyboard_alone(vault, folder, sender, mkdir):
    mkdir("Sub")
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        sender.bring(name, name.encode())
    vault.open(folder)
    vault.press("ArrowDown")
    assert vault.focused() == "Sub"
    vault.press("ArrowDown")
    assert (vault.focused(), vault.selected()) == ("a.txt", ["a.txt"])
    vault.press("Shift+ArrowDown", "Shift+ArrowDown")
    assert vault.selected() == ["a.txt", "b.txt", "c.txt"]
    expect(vault.page.get_by_role("toolbar", name="Selected items")).to_contain_text("3")
    expect(vault.page.locator("#announcer")).to_have_text("3 items selected")
    vault.press("Control+ArrowDown", "Control+Space")
    assert vault.selected() == ["a.txt", "b.txt", "c.txt", "d.txt"]
    vault.press("Escape")
    assert vault.selected() == []
    vault.press("Control+a")
    assert len(vault.selected()) == 5
    vault.press("Home")
    assert (vault.focused(), vault.selected()) == ("Sub", ["Sub"])
    vault.press("End")
    assert vault.focused() == "d.txt"
    vault.press("b")
    assert vault.focused() == "b.txt"
    # One stop of the tab order for the whole list, whatever is done in it.
    assert vault.page.locator('#rows > .row[tabindex="0"]').count() == 1
    vault.press("Home", "Enter")
    expect(vault.page.get_by_role("heading", name="Sub")).to_be_visible()


def test_clicks_select_one_several_and_a_range(vault, folder, sender):
    for name in ("a.txt", "b.txt", "c.txt", "d.txt"):
        sender.bring(name, name.encode())
    vault.open(folder)
    size = ".cell-size"
    vault.row("a.txt").locator(size).click()
    vault.row("c.txt").locator(size).click(modifiers=["Shift"])
    assert vault.selected() == ["a.txt", "b.txt", "c.txt"]
    vault.row("b.txt").get_by_role("link").click(modifiers=["Control"])
    assert vault.selected() == ["a.txt", "c.txt"]
    vault.page.get_by_role("checkbox", name="Select all").click()
    assert len(vault.selected()) == 4
    vault.page.get_by_role("button", name="Clear selection").click()
    assert vault.selected() == []


# --- order and length -----------------------------------------------------------------------------------------------------------


def test_the_list_is_sorted_by_each_column_in_both_directions(vault, folder, sender, mkdir):
    mkdir("Folder")
    for name, size in (("file10.txt", 10), ("file2.txt", 30), ("file1.txt", 20)):
        sender.bring(name, b"x" * size)
    vault.open(folder)
    vault.expect_names("Folder", "file1.txt", "file2.txt", "file10.txt")
    page = vault.page
    page.get_by_role("columnheader", name="Name").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Name")).to_have_attribute("aria-sort", "descending")
    vault.expect_names("Folder", "file10.txt", "file2.txt", "file1.txt")
    page.get_by_role("columnheader", name="Size").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "ascending")
    vault.expect_names("Folder", "file10.txt", "file1.txt", "file2.txt")
    page.get_by_role("columnheader", name="Modified").get_by_role("link").click()
    expect(page.get_by_role("columnheader", name="Modified")).to_have_attribute("aria-sort", "ascending")
    vault.expect_names("Folder", "file10.txt", "file2.txt", "file1.txt")
    assert "sort=modified_at" in page.url


def test_a_long_list_comes_piece_by_piece_and_each_row_once(vault, folder, mkdir):
    for number in range(1, 231):
        mkdir(f"Client {number}")
    vault.open(folder)
    expect(vault.rows).to_have_count(ROWS)
    # A folder made meanwhile stands where it belongs, and is not doubled by the page that brings it too.
    vault.page.get_by_role("button", name="New folder").first.click()
    vault.page.get_by_label("Name", exact=True).fill("Client 150 b")
    vault.press("Enter")
    wanted = [*[f"Client {n}" for n in range(1, 151)], "Client 150 b", *[f"Client {n}" for n in range(151, 231)]]
    # The page keeps the rows around the window; so they are taken down on the way.
    seen = {}
    end = time.monotonic() + 60
    while list(seen)[-1:] != wanted[-1:] and time.monotonic() < end:
        names = vault.names()
        assert len(names) == len(set(names))
        seen |= dict.fromkeys(names)
        vault.page.mouse.wheel(0, 600)
        vault.page.wait_for_timeout(100)
    assert list(seen) == wanted
