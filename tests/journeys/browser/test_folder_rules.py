"""A folder's rules for files in the page: set and taken back in the details, told before and after somebody brings a file."""

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import faults, poor_contrasts


def open_dialog(page):
    if page.locator("#details").is_hidden():
        page.keyboard.press("Control+i")
    page.get_by_role("button", name="Set rules for files…").or_(
        page.get_by_role("button", name="Change the rules…")
    ).click()
    dialog = page.locator("#folder-rules-dialog")
    expect(dialog).to_be_visible()
    return dialog


def test_rules_are_set_told_beforehand_obeyed_and_taken_back(vault, folder, mkdir, api, tmp_path):
    papers = mkdir("Papers")
    inner = api.post("/folders", {"parent_id": papers["id"], "name": "Inner"}).json()
    page = vault.page
    vault.open(papers)
    dialog = open_dialog(page)
    extensions = dialog.get_by_label("These types")
    expect(extensions).to_be_hidden()
    dialog.get_by_label("Which files may come in").select_option("only")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_have_text("Name the types of files that may come in.")
    extensions.fill("pdf, a:b")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("“a:b” is not an ending of file names")
    expect(extensions).to_be_focused()
    assert (faults(page), poor_contrasts(page)) == ([], [])
    extensions.fill("pdf txt")
    dialog.get_by_label("Largest file").fill("0.001")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    section = page.locator('[data-details-section="files.rules"]')
    expect(section).to_contain_text("Only .pdf, .txt · up to 1.0\N{NO-BREAK SPACE}KB each")
    expect(page.locator("#empty")).to_contain_text("Only .pdf, .txt")
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator("#upload-menu .menu-note")).to_have_text("Only .pdf, .txt · up to 1.0\N{NO-BREAK SPACE}KB each")
    assert (faults(page), poor_contrasts(page)) == ([], [])
    with page.expect_file_chooser():
        page.get_by_role("menuitem", name="Upload files").click()
    expect(page.locator("#choose-files")).to_have_attribute("accept", ".pdf,.txt")

    vault.open(inner)
    expect(section).to_contain_text("Of the folder Papers")
    for name in ("setup.exe", "good.txt"):
        (tmp_path / name).write_bytes(b"x")
    vault.drop(tmp_path / "setup.exe", tmp_path / "good.txt")
    told = "The folder “Papers” takes no .exe files. It takes only: .pdf, .txt. Ask who manages the folder."
    expect(vault.upload("setup.exe")).to_contain_text(told)
    vault.expect_uploaded("good.txt")

    vault.open(papers)
    dialog = open_dialog(page)
    expect(dialog.get_by_label("These types")).to_have_value(".pdf, .txt")
    dialog.get_by_label("Which files may come in").select_option("all")
    dialog.get_by_label("Largest file").fill("")
    dialog.get_by_role("button", name="Save").click()
    expect(section).to_contain_text("All files come in.")
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(section).to_contain_text("Only .pdf, .txt")


@pytest.mark.parametrize(("width", "look"), [(390, "dark"), (768, "light"), (1440, "light")])
def test_the_dialog_fits_every_screen(vault, mkdir, api, width, look):
    papers = mkdir("Papers")
    rules = {"file_types": "except", "file_extensions": ["exe", "bat"], "largest_file_bytes": 20 * 1024 * 1024}
    assert api.request("PUT", f"/nodes/{papers['id']}/file-rules", rules).status_code == 200
    page = vault.page
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=look, reduced_motion="reduce")
    vault.open(papers)
    page.keyboard.press("Control+i")
    expect(page.locator('[data-details-section="files.rules"]')).to_contain_text("No .exe, .bat · up to 20.0")
    open_dialog(page)
    assert (faults(page), poor_contrasts(page)) == ([], [])
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_senders_are_told_what_the_rules_take_before_they_choose(vault, mkdir, api, visitor):
    inbox = mkdir("Inbox")
    rules = {"file_types": "only", "file_extensions": ["pdf", "png"], "largest_file_bytes": 1024}
    assert api.request("PUT", f"/nodes/{inbox['id']}/file-rules", rules).status_code == 200
    body = {"kind": "upload", "request": {"title": "Papers", "ask_name": False, "accepts": ["image/*"]}}
    link = api.post(f"/nodes/{inbox['id']}/links", body).json()
    stranger = visitor()
    stranger.goto(link["url"])
    expect(stranger.get_by_role("list", name="What is taken")).to_contain_text(
        "Only PNG · up to 1.0\N{NO-BREAK SPACE}KB each"
    )
    expect(stranger.locator("#send-files")).to_have_attribute("accept", ".png")
    stranger.locator("#send-files").set_input_files(
        [{"name": name, "mimeType": "image/png", "buffer": b"x"} for name in ("a.png", "b.gif")]
    )
    expect(stranger.locator(".send-line[data-failed] .send-note")).to_have_text(
        "Files of this type are not taken here."
    )
