"""Results, favourites and shares: a file is looked at where it is listed, and is seen to be locked, as in its folder."""

import time

import pytest
from playwright.sync_api import expect

from tests.apps.previews import pictures
from tests.journeys.browser.conftest import sign_in
from tests.support.shares import by_rest
from tests.support.world import ACME, PASSWORD

WORD = "quagga"


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """The indexer and jobs run beside the web."""
    worker = live.start_worker()
    yield
    live.kill(worker)


def wait_for_index(api, text, seq=0):
    """Wait until a search knows everything up to a number of the stream, and finds something."""
    end = time.monotonic() + 60
    while (answer := api.get("/search", q=text, min_seq=seq, wait_ms=5_000)).status_code == 202 or not answer.json()[
        "items"
    ]:
        assert time.monotonic() < end, "the indexer does not come"
        time.sleep(0.2)


@pytest.fixture
def listed(api, folder, sender):
    """Two files in every list, of which the first is locked."""
    first, second = (sender.bring(f"{WORD} {name}.txt", f"text of {name}".encode()) for name in ("one", "two"))
    locked = api.request("PUT", f"/nodes/{first['id']}/lock", {"reason": "at work"})
    assert locked.status_code == 200, locked.content
    for node in (first, second):
        assert api.request("PUT", f"/nodes/{node['id']}/favourite").status_code == 204
        shared = api.post(f"/nodes/{node['id']}/shares", by_rest(ACME.people["olga"].user_id, "viewer"))
        assert shared.status_code == 201, shared.content
    wait_for_index(api, f"{WORD} locked:yes", int(locked.headers["BitVault-Seq"]))
    yield folder
    assert api.request("DELETE", f"/nodes/{folder['id']}").status_code == 204


def look_around(page, lines):
    """Look at the first file from its line on, go to the next, and come back."""
    line = lines.filter(has_text=f"{WORD} one.txt").first
    mark = line.locator("[data-lock]")
    expect(mark).to_be_visible()
    assert "at work" in (mark.get_attribute("title") or "")
    expect(lines.filter(has_text=f"{WORD} two.txt").first.locator("[data-lock]")).to_have_count(0)
    line.locator("[data-view]").click()
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("heading", name=f"{WORD} one.txt")).to_be_visible()
    expect(viewer).to_contain_text("text of one")
    aside = "Previous file" if viewer.get_by_role("button", name="Next file").is_hidden() else "Next file"
    viewer.get_by_role("button", name=aside).click()
    expect(viewer).not_to_contain_text("text of one")
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    assert page.evaluate("document.activeElement.matches('[data-view]')")


@pytest.mark.parametrize(
    ("path", "lines"),
    [
        (f"/search/?q={WORD}", ".search-line"),
        ("/favourites/", ".noted-line"),
        ("/shared/by-me/", ".shared-line"),
    ],
)
def test_a_file_is_looked_at_where_it_is_listed_and_is_seen_to_be_locked(vault, listed, path, lines, tmp_path):
    vault.visit(path)
    page = vault.page
    for look, width in (("light", 390), ("dark", 768), ("light", 1440)):
        page.emulate_media(color_scheme=look)
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=tmp_path / f"{look}-{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    look_around(page, page.locator(lines))


def test_what_was_shared_is_looked_at_by_who_has_it(listed, visitor, live):
    page = visitor()
    sign_in(page, live.tenant_url, ACME.people["olga"].email, PASSWORD)
    page.goto(f"{live.tenant_url}/shared/")
    look_around(page, page.locator(".shared-line"))


@pytest.mark.parametrize(("path", "lines"), [(f"/search/?q={WORD}", ".search-line"), ("/favourites/", ".noted-line")])
def test_a_picture_is_shown_where_it_is_listed(vault, listed, api, sender, path, lines):
    node = sender.bring(f"{WORD} photo.jpg", pictures.picture("JPEG", (1600, 900)))
    assert api.request("PUT", f"/nodes/{node['id']}/favourite").status_code == 204
    made = api.post("/folders", {"parent_id": sender.parent_id, "name": "Beside it"})
    wait_for_index(api, f"{WORD} photo", int(made.headers["BitVault-Seq"]))
    vault.visit(path)
    line = vault.page.locator(lines).filter(has_text=f"{WORD} photo.jpg")
    expect(line.locator("> img.thumb")).to_be_visible(timeout=30_000)
    expect(line.locator("> .type")).to_be_hidden()
    plain = vault.page.locator(lines).filter(has_text=f"{WORD} two.txt").first
    expect(plain.locator("> .type")).to_be_visible()


def test_a_comment_is_found_by_its_words_and_leads_to_the_comments(vault, listed, api, folder, sender, tmp_path):
    node = sender.bring("plain.txt", b"nothing")
    said = api.post(f"/nodes/{node['id']}/comments", {"text": "The okapi <b>is</b> approved"})
    described = api.request("PUT", f"/nodes/{folder['id']}/description", {"text": "About the okapi"})
    assert (said.status_code, described.status_code) == (201, 200)
    wait_for_index(api, "okapi", int(described.headers["BitVault-Seq"]))
    vault.visit("/search/?q=okapi")
    page = vault.page
    line = page.locator(".search-line").filter(has_text="plain.txt")
    expect(line.locator(".search-written mark")).to_have_text("okapi")
    expect(line.locator(".search-written")).to_contain_text("The okapi <b>is</b> approved")
    page.screenshot(path=tmp_path / "written.png")
    line.get_by_role("link", name="Comment", exact=True).click()
    expect(page.locator("#details [data-comment]")).to_contain_text("okapi")
    vault.visit("/search/?q=okapi")
    page.locator(".search-line").filter(has_text="About the okapi").get_by_role("link", name="Description").click()
    expect(page.locator("#folder-description")).to_contain_text("About the okapi")
