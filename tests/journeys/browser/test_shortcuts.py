"""Shortcuts and stars of what others share, by pointer, keyboard and finger."""

import secrets

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.vault import Vault
from tests.support.shares import by_rest
from tests.support.world import ACME, PASSWORD

ADAM = ACME.people["adam"]


@pytest.fixture
def enter(visitor, live):
    """Open a browser of Adam, who has a tree of his own."""

    def act(**options):
        page = visitor(**options)
        sign_in(page, live.tenant_url, ADAM.email, PASSWORD)
        page.wait_for_url(f"{live.tenant_url}/files/")
        return Vault(page, live.tenant_url)

    return act


@pytest.fixture
def place(live):
    """A folder of his own."""
    client = live.client("adam")
    root_id = client.get("/me").json()["root_id"]
    return client.post("/folders", {"parent_id": root_id, "name": f"Work {secrets.token_hex(3)}"}).json()


@pytest.fixture
def shared(api, mkdir):
    """Share a folder of mia's with adam."""

    def act(name):
        node = mkdir(name)
        answer = api.post(f"/nodes/{node['id']}/shares", by_rest(ADAM.user_id, "viewer", notify=False))
        assert answer.status_code == 201, answer.content
        return node, answer.json()["id"]

    return act


def shelf(vault):
    return vault.page.get_by_role("region", name="Shortcuts")


def test_a_shortcut_is_added_renamed_opened_broken_and_removed(enter, api, place, shared, tmp_path):
    _, share_id = shared("Plans of mia")
    adam = enter()
    page = adam.page
    adam.visit("/shared/")
    page.get_by_role("button", name="Add a shortcut to Plans of mia to my files").click()
    dialog = page.get_by_role("dialog", name="Add a shortcut to “Plans of mia”")
    expect(dialog.get_by_role("option", name=place["name"])).to_be_visible()
    dialog.get_by_role("option", name=place["name"]).click()
    expect(dialog.get_by_text("No folders in here.")).to_be_visible()
    dialog.get_by_role("button", name="Add here").click()
    expect(adam.toast).to_contain_text(f"The shortcut is in “{place['name']}”")

    adam.open(place)
    link = shelf(adam).get_by_role("link", name="Plans of mia")
    expect(link).to_be_visible()
    page.get_by_role("button", name="More actions for the shortcut Plans of mia").focus()
    page.keyboard.press("Enter")
    page.get_by_role("menuitem", name="Rename…").press("Enter")
    page.get_by_role("textbox", name="Name").fill("Theirs")
    page.keyboard.press("Enter")
    expect(shelf(adam).get_by_role("link", name="Theirs")).to_be_visible()
    for width in (1440, 768, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.screenshot(path=tmp_path / f"shelf-{width}.png")
    page.set_viewport_size({"width": 1440, "height": 900})
    shelf(adam).get_by_role("link", name="Theirs").click()
    expect(page.get_by_role("heading", name="Plans of mia", level=1)).to_be_visible()

    assert api.delete(f"/shares/{share_id}").status_code == 204
    adam.open(place)
    expect(shelf(adam)).to_contain_text("No longer shared")
    page.screenshot(path=tmp_path / "broken.png")
    page.get_by_role("button", name="More actions for the shortcut Theirs").click()
    page.get_by_role("menuitem", name="Remove shortcut").click()
    expect(adam.toast).to_contain_text("removed")
    expect(shelf(adam)).to_have_count(0)


def test_a_removed_shortcut_comes_back_by_undo(enter, live, place, shared):
    node, _ = shared("Drawings")
    live.client("adam").post(f"/nodes/{place['id']}/shortcuts", {"node_id": node["id"]})
    adam = enter().open(place)
    adam.page.get_by_role("button", name="More actions for the shortcut Drawings").click()
    adam.page.get_by_role("menuitem", name="Remove shortcut").click()
    expect(shelf(adam)).to_have_count(0)
    adam.toast.get_by_role("button", name="Undo").click()
    expect(shelf(adam).get_by_role("link", name="Drawings")).to_be_visible()


def test_a_row_of_others_offers_a_shortcut_and_ones_own_does_not(enter, place, shared, api, live):
    node, _ = shared("Lent")
    api.post("/folders", {"parent_id": node["id"], "name": "Inner"})
    live.client("adam").post("/folders", {"parent_id": place["id"], "name": "Mine"})
    adam = enter()
    for folder, name, count in ((node, "Inner", 1), (place, "Mine", 0)):
        adam.open(folder)
        adam.row(name).get_by_role("button", name="More actions").click()
        expect(adam.page.get_by_role("menuitem", name="Open")).to_be_visible()
        expect(adam.page.get_by_role("menuitem", name="Add shortcut to my files…")).to_have_count(count)
        adam.page.keyboard.press("Escape")


def test_what_is_shared_is_starred_and_found_among_favourites(enter, shared, tmp_path):
    shared("Starred")
    shared("Plain")
    adam = enter(viewport={"width": 390, "height": 800}, has_touch=True, is_mobile=True)
    page = adam.page
    adam.visit("/shared/")
    line = page.locator('.shared-line[data-name="Starred"]')
    line.get_by_role("button", name="Add Starred to favourites").click()
    expect(line.get_by_role("button", name="Remove Starred from favourites")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.screenshot(path=tmp_path / "shared-390.png")
    page.get_by_role("link", name="Only favourites").click()
    expect(page.locator('.shared-line[data-name="Plain"]')).to_have_count(0)
    expect(line).to_be_visible()
    for width in (1440, 768):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=tmp_path / f"shared-{width}.png")
    adam.visit("/favourites/")
    expect(page.get_by_role("link", name="Starred", exact=True)).to_be_visible()
