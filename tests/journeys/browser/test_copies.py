"""Copies in the list: beside the original, elsewhere by the dialog, and of a folder that is too large for one request. And archives."""

import io
import zipfile

import pytest
from playwright.sync_api import expect

from tests.support.sending import Sender


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """Jobs are done beside the web."""
    worker = live.start_worker()
    yield
    live.kill(worker)


def menu(vault, name, item):
    vault.row(name).focus()
    vault.press("ContextMenu")
    vault.page.get_by_role("menuitem", name=item, exact=True).click()


def names_in(api, folder):
    return {node["name"] for node in api.get(f"/nodes/{folder['id']}/children").json()["items"]}


def test_a_copy_beside_the_original_gets_a_number_and_is_taken_back(vault, folder, sender):
    sender.bring("one.txt", b"1")
    vault.open(folder)
    menu(vault, "one.txt", "Make a copy")
    vault.expect_names("one (2).txt", "one.txt")
    expect(vault.toast).to_contain_text("“one.txt” copied.")
    vault.toast.get_by_role("button", name="Undo").click()
    vault.expect_names("one.txt")


def test_a_selection_is_copied_into_a_folder_and_stays_where_it_is(vault, api, folder, sender, mkdir):
    archive = mkdir("Archive")
    sender.bring("one.txt", b"1")
    sender.bring("two.txt", b"2")
    vault.open(folder)
    vault.select("one.txt", "two.txt")
    menu(vault, "one.txt", "Copy…")
    dialog = vault.page.get_by_role("dialog", name="Copy 2 items")
    expect(dialog.get_by_role("button", name="Copy here")).to_be_enabled()
    dialog.get_by_role("option", name="Archive").click()
    dialog.get_by_role("button", name="Copy here").click()
    expect(vault.toast).to_contain_text("2 items copied to Archive.")
    vault.expect_names("Archive", "one.txt", "two.txt")
    assert names_in(api, archive) == {"one.txt", "two.txt"}
    vault.toast.get_by_role("button", name="Undo").click()
    expect(vault.page.locator("#announcer")).to_contain_text("The copies are in the trash.")
    assert names_in(api, archive) == set()


def test_a_large_folder_is_copied_while_its_progress_is_told(vault, api, folder, mkdir):
    large = mkdir("Large")
    for number in range(110):
        mkdir(f"folder {number}", large)
    vault.open(folder)
    menu(vault, "Large", "Make a copy")
    expect(vault.page.locator(".toast").filter(has_text="“Large” copied.")).to_be_visible(timeout=60_000)
    vault.expect_names("Large", "Large (2)")
    listed = api.get(f"/nodes/{folder['id']}/children").json()["items"]
    copy = next(node for node in listed if node["name"] == "Large (2)")
    assert len(api.get(f"/nodes/{copy['id']}/children", limit=1000).json()["items"]) == 110


def save(vault, tmp_path, act):
    with vault.page.expect_download(timeout=60_000) as download:
        act()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_a_selection_a_folder_and_a_whole_list_are_downloaded_as_one_file_each(
    vault, api, folder, sender, mkdir, tmp_path
):
    inner = mkdir("Photos")
    Sender(api, inner["id"]).bring("sea.jpg", b"sea")
    sender.bring("one.txt", b"1")
    sender.bring("two.txt", b"22")
    vault.open(folder)
    vault.select("one.txt", "two.txt")
    path = save(vault, tmp_path, lambda: vault.command("Download"))
    assert path.name == f"{folder['name']}.zip"
    with zipfile.ZipFile(path) as packed:
        assert packed.namelist() == ["one.txt", "two.txt"]
    expect(vault.toast).to_contain_text("Downloading the archive")
    again = save(vault, tmp_path, vault.toast.get_by_role("button", name="Download again").click)
    assert again.read_bytes()[:2] == b"PK"

    vault.press("Escape")
    vault.row("Photos").focus()
    vault.press("ContextMenu")
    item = vault.page.get_by_role("menuitem", name="Download", exact=True)
    path = save(vault, tmp_path, item.click)
    assert path.name == "Photos.zip"
    with zipfile.ZipFile(path) as packed:
        assert packed.read("Photos/sea.jpg") == b"sea"

    vault.row("one.txt").focus()
    vault.press("ControlOrMeta+a")
    path = save(vault, tmp_path, lambda: vault.command("Download"))
    with zipfile.ZipFile(path) as packed:
        assert packed.namelist() == [
            f"{folder['name']}/{name}" for name in ("", "one.txt", "Photos/", "two.txt", "Photos/sea.jpg")
        ]


def test_a_zip_is_extracted_beside_itself_told_of_shown_and_taken_back(vault, api, folder, sender):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("inner/one.txt", b"1")
        archive.writestr("two.txt", b"2")
        archive.writestr("../up.txt", b"3")
    sender.bring("Photos.zip", packed.getvalue())
    sender.bring("plain.txt", b"1")
    vault.open(folder)
    vault.row("plain.txt").focus()
    vault.press("ContextMenu")
    expect(vault.page.get_by_role("menuitem", name="Extract here")).to_be_hidden()
    vault.press("Escape")
    menu(vault, "Photos.zip", "Extract here")
    done = vault.page.locator(".toast").filter(has_text="2 files extracted to “Photos”.")
    expect(done).to_be_visible(timeout=60_000)
    told = "1 entry of the archive was left out: ../up.txt (its path leads out of the folder)"
    expect(vault.page.locator(".toast").filter(has_text=told)).to_be_visible()
    vault.expect_names("Photos", "Photos.zip", "plain.txt")
    done.get_by_role("button", name="Undo").click()
    vault.expect_names("Photos.zip", "plain.txt")
    menu(vault, "Photos.zip", "Extract here")
    done.get_by_role("button", name="Show").click(timeout=60_000)
    expect(vault.page.get_by_role("heading", name="Photos", level=1)).to_be_visible()
    vault.expect_names("inner", "two.txt")
