"""Pictures in the list, and the viewer: by pointer, keyboard and finger, in both looks, and nothing of an uploaded file ever runs."""

import io
import wave

import pytest
from playwright.sync_api import expect

from tests.apps.previews import pictures

SCRIPT = b"<script>document.title = 'broken into'</script><b>bold</b>"


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """Consumers and jobs run beside the web."""
    worker = live.start_worker()
    yield
    live.kill(worker)


def sound():
    body = io.BytesIO()
    with wave.open(body, "wb") as file:
        file.setparams((1, 2, 8000, 8000, "NONE", ""))
        file.writeframes(b"\0\0" * 8000)
    return body.getvalue()


@pytest.fixture
def files(folder, sender):
    """One file of each kind, in the order of their names."""
    sender.bring("a photo.jpg", pictures.picture("JPEG", (1600, 900)))
    sender.bring("b paper.pdf", pictures.pdf(pages=3))
    sender.bring("c page.html", SCRIPT)
    sender.bring("d sound.wav", sound())
    sender.bring("e archive.zip", b"PK nothing")
    return folder


def viewer(vault):
    return vault.page.get_by_role("dialog")


def is_drawn(image):
    expect(image).to_be_visible(timeout=30_000)
    image.page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=image.element_handle())


def test_a_picture_takes_the_place_of_the_icon_without_a_reload(vault, files):
    vault.open(files)
    for name in ("a photo.jpg", "b paper.pdf"):
        is_drawn(vault.row(name).locator("img.thumb"))
        expect(vault.row(name).locator(".cell-name > .type")).to_be_hidden()
    expect(vault.row("e archive.zip").locator("img.thumb")).to_have_count(0)


def test_enter_opens_the_viewer_arrows_go_on_and_escape_gives_the_focus_back(vault, files):
    vault.open(files)
    vault.row("a photo.jpg").focus()
    vault.press("Enter")
    shown = viewer(vault)
    expect(shown.get_by_role("heading", name="a photo.jpg")).to_be_visible()
    is_drawn(shown.get_by_role("img", name="a photo.jpg"))
    expect(shown.get_by_text("1 of 5", exact=True)).to_be_visible()
    expect(shown.get_by_role("button", name="Previous file")).to_be_hidden()
    vault.press("ArrowRight")
    is_drawn(shown.get_by_role("img", name="Page 1 of 3"))
    shown.get_by_role("img", name="Page 1 of 3").hover()
    shown.get_by_role("region", name="Preview").evaluate("stage => stage.scrollTo(0, stage.scrollHeight)")
    is_drawn(shown.get_by_role("img", name="Page 3 of 3"))
    vault.press("ArrowRight")
    expect(shown.get_by_text(SCRIPT.decode())).to_be_visible(timeout=30_000)
    assert "broken into" not in vault.page.title()
    shown.get_by_role("button", name="Next file").click()
    expect(shown.locator("audio")).to_be_visible()
    vault.page.wait_for_function("() => document.querySelector('audio').duration > 0.9")
    shown.get_by_role("button", name="Next file").click()
    expect(shown.get_by_text("There is no preview of files of this type.")).to_be_visible()
    with vault.page.expect_download() as download:
        shown.locator(".viewer-note").get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "e archive.zip"
    vault.press("Escape")
    expect(shown).to_be_hidden()
    assert vault.focused() == "e archive.zip"


def test_a_click_on_a_name_opens_the_viewer_and_the_focus_stays_in_it(vault, files):
    vault.open(files)
    vault.row("a photo.jpg").locator("a.name").click()
    is_drawn(viewer(vault).get_by_role("img", name="a photo.jpg"))
    for _ in range(9):
        vault.press("Tab")
        assert vault.page.evaluate(
            "document.activeElement === document.body || document.querySelector('#viewer').contains(document.activeElement)"
        )


def test_a_picture_is_zoomed_and_turned(vault, files):
    vault.open(files)
    vault.row("a photo.jpg").locator("a.name").click()
    image = viewer(vault).get_by_role("img", name="a photo.jpg")
    is_drawn(image)
    width = image.bounding_box()["width"]
    vault.press("+")
    assert image.bounding_box()["width"] > 1.2 * width
    vault.press("-")
    assert abs(image.bounding_box()["width"] - width) < 2
    vault.press("r")
    box = image.bounding_box()
    assert box["height"] > box["width"]
    stage = viewer(vault).get_by_role("region", name="Preview").bounding_box()
    assert box["height"] <= stage["height"] + 1


def test_a_picture_that_cannot_be_read_says_so(vault, folder, sender):
    sender.bring("broken.jpg", b"no picture at all")
    vault.open(folder)
    vault.row("broken.jpg").locator("a.name").click()
    expect(viewer(vault).get_by_text("This file cannot be read.")).to_be_visible(timeout=30_000)
    expect(viewer(vault).locator(".viewer-note").get_by_role("button", name="Download")).to_be_visible()


def test_a_finger_goes_to_the_next_file(phone, files):
    phone.open(files)
    phone.row("a photo.jpg").locator("a.name").tap()
    is_drawn(viewer(phone).get_by_role("img", name="a photo.jpg"))
    phone.page.evaluate(
        """() => {
            const stage = document.querySelector("#viewer-stage");
            const touch = (x) => new Touch({ identifier: 1, target: stage, clientX: x, clientY: 300 });
            stage.dispatchEvent(new TouchEvent("touchstart", { touches: [touch(300)], changedTouches: [touch(300)] }));
            stage.dispatchEvent(new TouchEvent("touchend", { touches: [], changedTouches: [touch(80)] }));
        }"""
    )
    expect(viewer(phone).get_by_role("heading", name="b paper.pdf")).to_be_visible()


@pytest.mark.parametrize("look", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1440, 900), (768, 1024), (390, 844)])
def test_everything_of_the_viewer_is_in_the_window(visitor, signed_in, live, files, look, width, height, tmp_path):
    from tests.journeys.browser.vault import Vault

    page = visitor(storage_state=signed_in, viewport={"width": width, "height": height}, color_scheme=look)
    vault = Vault(page, live.tenant_url).open(files)
    is_drawn(vault.row("a photo.jpg").locator("img.thumb"))
    page.screenshot(path=tmp_path / f"list-{width}-{look}.png")
    for name in ("a photo.jpg", "b paper.pdf", "c page.html", "d sound.wav", "e archive.zip"):
        vault.row(name).locator("a.name").click()
        expect(viewer(vault)).to_have_attribute("data-state", "shown", timeout=30_000)
        page.screenshot(path=tmp_path / f"{name}-{width}-{look}.png")
        for button in viewer(vault).get_by_role("button").all():
            if button.is_visible():
                box = button.bounding_box()
                assert (box["x"] >= 0, box["x"] + box["width"] <= width) == (True, True), button
        assert page.evaluate("document.querySelector('#viewer').scrollWidth") <= width
        vault.press("Escape")
