"""The vault's rules for files in the page: set and taken back in the settings, told in the tray, at a rename and to visitors of links."""

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.support.world import PASSWORD

HELP = "Ask an owner or administrator of the vault."


@pytest.fixture
def open_settings(visitor, live):
    """Open the settings of the vault as Adam, who administers it."""

    def open_settings(**options):
        page = visitor(reduced_motion="reduce", **options)
        sign_in(page, live.tenant_url, "adam@acme.test", PASSWORD)
        page.wait_for_url(f"{live.tenant_url}/files/")
        page.goto(f"{live.tenant_url}/settings/team/")
        return page

    return open_settings


def form_of(page):
    return page.locator("#file-rules-form")


def save(page):
    form_of(page).get_by_role("button", name="Save").click()


def test_rules_are_set_refused_where_they_make_no_sense_and_taken_back(open_settings, live):
    page = open_settings()
    form = form_of(page)
    extensions, largest = form.get_by_label("These types"), form.get_by_label("Largest file")
    expect(extensions).to_be_hidden()
    form.get_by_label("Which files may come in").select_option("except")
    extensions.fill("exe, *.BAT\ntar.gz")
    largest.fill("1.5")
    save(page)
    expect(page.locator(".toast").last).to_contain_text("The rules are saved.")
    expect(extensions).to_have_value(".exe\n.bat\n.tar.gz")
    page.reload()
    expect(extensions).to_have_value(".exe\n.bat\n.tar.gz")
    expect(largest).to_have_value("1.5")
    assert (faults(page), poor_contrasts(page)) == ([], [])

    extensions.fill("a:b")
    save(page)
    expect(page.locator("#file-rules-error")).to_contain_text("is not an ending of file names")
    expect(extensions).to_be_focused()
    extensions.fill("")
    form.get_by_label("Which files may come in").select_option("only")
    save(page)
    expect(page.locator("#file-rules-error")).to_have_text("Name the types of files that may come in.")
    largest.fill("0")
    extensions.fill("pdf")
    save(page)
    expect(largest).to_be_focused()
    largest.fill("")
    save(page)
    expect(page.locator(".toast").last).to_contain_text("The rules are saved.")
    page.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(extensions).to_have_value(".exe\n.bat\n.tar.gz")
    expect(largest).to_have_value("1.5")
    expect(form.get_by_label("Which files may come in")).to_have_value("except")
    form.get_by_label("Which files may come in").select_option("all")
    expect(extensions).to_be_hidden()
    largest.fill("")
    save(page)
    expect(page.locator(".toast").last).to_contain_text("The rules are saved.")


@pytest.mark.parametrize(("width", "look"), [(390, "dark"), (1440, "light")])
def test_the_form_fits_every_screen(open_settings, width, look):
    page = open_settings(viewport={"width": width, "height": 900}, color_scheme=look)
    form_of(page).get_by_label("Which files may come in").select_option("only")
    assert (faults(page), poor_contrasts(page)) == ([], [])
    for each in (width, 768):
        page.set_viewport_size({"width": each, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_who_brings_a_refused_file_is_told_what_is_taken_and_whom_to_ask(
    vault, open_settings, folder, mkdir, sender, api, visitor, tmp_path
):
    inbox = mkdir("Inbox")
    body = {"kind": "upload", "request": {"title": "Papers", "ask_name": False}}
    link = api.post(f"/nodes/{inbox['id']}/links", body).json()
    edited = api.post(f"/nodes/{inbox['id']}/links", {"kind": "edit"}).json()
    sender.bring("notes.txt", b"notes")
    settings = open_settings()
    form = form_of(settings)
    form.get_by_label("Which files may come in").select_option("only")
    form.get_by_label("These types").fill("txt pdf .")
    form.get_by_label("Largest file").fill("0.001")
    save(settings)
    expect(settings.locator(".toast").last).to_contain_text("The rules are saved.")
    try:
        vault.open(folder)
        settings.wait_for_timeout(1000)  # the rules are remembered for 0.8 s in other processes
        for name, content in {"setup.exe": b"x", "large.pdf": b"x" * 2000, "good.txt": b"good"}.items():
            (tmp_path / name).write_bytes(content)
        vault.drop(tmp_path / "setup.exe", tmp_path / "large.pdf", tmp_path / "good.txt")
        told = "This vault takes no .exe files. It takes only: .txt, .pdf, files without an ending."
        expect(vault.upload("setup.exe")).to_contain_text(f"{told} {HELP}")
        expect(vault.upload("large.pdf")).to_contain_text("This vault takes files up to 1.0")
        expect(vault.upload("large.pdf")).to_contain_text(HELP)
        vault.expect_uploaded("good.txt")
        vault.expect_names("Inbox", "good.txt", "notes.txt")
        vault.row("notes.txt").focus()
        vault.page.keyboard.press("F2")
        vault.page.get_by_role("textbox", name="Name").fill("notes.exe")
        vault.page.keyboard.press("Enter")
        expect(vault.page.locator("#rows").get_by_role("alert")).to_contain_text(f"{told} {HELP}")
        vault.page.keyboard.press("Escape")

        stranger = visitor()
        stranger.goto(link["url"])
        stranger.locator("#send-files").set_input_files(
            [{"name": "setup.exe", "mimeType": "application/octet-stream", "buffer": b"x"}]
        )
        expect(stranger.get_by_role("list", name="What is taken")).to_contain_text(
            "Only TXT, PDF, files without an ending"
        )
        note = stranger.locator(".send-line[data-failed] .send-note")
        expect(note).to_have_text("Files of this type are not taken here.")
        expect(stranger.locator("#send-submit")).to_be_disabled()

        editor = visitor()
        editor.goto(edited["url"])
        with editor.expect_file_chooser() as chooser:
            editor.locator('[data-edit="upload"]').first.click()
        chooser.value.set_files(tmp_path / "setup.exe")
        failed = editor.locator('#link-edit [data-role="sending"] [data-failed]')
        expect(failed).to_have_text(f"{told} Ask whoever gave you the link.")
    finally:
        form.get_by_label("Which files may come in").select_option("all")
        form.get_by_label("Largest file").fill("")
        save(settings)
        settings.wait_for_timeout(1000)
