"""Downloads of more than one file: a selection, a folder and a whole list come as one zip."""

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
    expect(vault.toast).to_contain_text("The archive is ready")
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
