"""Conflicts in the browser: told of where one is, listed, and settled by mouse, by keyboard and by thumb."""

import re

import pytest
from playwright.sync_api import expect

from tests.support.sockets import SocketProcess


@pytest.fixture(scope="module")
def told(live):
    """Sockets and worker: the whole way from a commit to the page."""
    process = SocketProcess(live)
    worker = live.start_worker()
    yield process
    live.kill(worker)


@pytest.fixture(scope="module")
def device(api):
    return api.post("/sync/devices", {"name": "Mia's laptop", "platform": "linux"}).json()["id"]


@pytest.fixture(autouse=True)
def settled_before(told, api):
    """No test sees the conflicts of the one before."""
    yield
    for conflict in api.get("/sync/conflicts").json()["items"]:
        api.post(f"/sync/conflicts/{conflict['id']}/resolve", {"keep": "both"})


@pytest.fixture
def clash(told, api, sender, device):
    """Let two edits of a file meet; gives the file and the copy."""

    def make(name, first=b"first edit", second=b"the second, later edit"):
        file = sender.bring(name, b"base")
        update = {"mode": "update", "node_id": file["id"], "base_version_id": file["version_id"]}
        sender.bring(name, first, **update)
        upload = sender.started(name, second, **update)
        sender.send(upload, second)
        answer = api.request("POST", f"/uploads/{upload['id']}/commit", {}, headers={"BitVault-Device": device})
        seq = answer.headers["BitVault-Seq"]
        assert api.get("/sync/conflicts", min_seq=seq, wait_ms="10000").status_code == 200
        return file, answer.json()

    return make


def rail(vault):
    return vault.page.locator('.side-link[data-section="conflicts"]')


def card(vault, name):
    return vault.page.locator(".conflict", has=vault.page.get_by_role("heading", name=name, exact=True))


def keep(vault, name, what):
    card(vault, name).get_by_role("button", name=f"Keep {what}", exact=True).click()


def test_a_conflict_shows_in_the_rail_of_an_open_list_and_leads_to_its_card(clash, vault, folder):
    vault.open(folder)
    expect(vault.page.get_by_role("heading", name=folder["name"])).to_be_visible()
    expect(rail(vault)).to_be_hidden()
    clash("plan.txt")
    expect(rail(vault)).to_have_accessible_name(re.compile("Conflicts 1"), timeout=15_000)
    rail(vault).click()
    expect(rail(vault)).to_have_attribute("aria-current", "page")
    shown = card(vault, "plan.txt")
    expect(shown).to_contain_text("by you on Mia's laptop")
    expect(shown).to_contain_text(re.compile(r"plan \(conflicted copy, Mia's laptop, 20\d\d-\d\d-\d\d\)\.txt"))
    expect(shown).to_contain_text("10 bytes")
    expect(shown).to_contain_text("22 bytes")
    shown.get_by_role("link", name="Show in folder").click()
    expect(vault.page.get_by_role("heading", name=folder["name"])).to_be_visible()
    assert len(vault.names()) == 2


@pytest.mark.parametrize(("what", "content"), [("original", b"first edit"), ("copy", b"the second, later edit")])
def test_one_of_two_is_kept_and_the_other_lies_in_the_trash(clash, vault, api, folder, sender, what, content):
    file, copy = clash("plan.txt")
    vault.visit("/conflicts/")
    keep(vault, "plan.txt", what)
    expect(vault.toast).to_contain_text("is in the trash")
    expect(vault.page.get_by_role("heading", name="No conflicts")).to_be_visible()
    (left,) = api.get(f"/nodes/{folder['id']}/children").json()["items"]
    assert left["name"] == "plan.txt"
    assert sender.fetch(left).data == content
    assert left["id"] == (file if what == "original" else copy)["id"]


def test_both_can_stay_and_all_of_it_works_by_keyboard(clash, vault, api, folder):
    clash("one.txt")
    clash("two.txt")
    vault.visit("/conflicts/")
    expect(vault.page.locator(".conflict")).to_have_count(2)
    card(vault, "two.txt").get_by_role("button", name="Keep both").focus()
    vault.press("Enter")
    expect(card(vault, "two.txt")).to_have_count(0)
    expect(card(vault, "one.txt")).to_be_focused()
    for _ in range(6):
        vault.press("Tab")
        if vault.page.evaluate("document.activeElement.dataset.keep") == "both":
            break
    vault.press("Enter")
    expect(vault.page.get_by_role("heading", name="No conflicts")).to_be_visible()
    assert len(api.get(f"/nodes/{folder['id']}/children").json()["items"]) == 4


def test_what_others_settle_and_make_shows_while_the_page_is_open(clash, vault, api):
    _, copy = clash("one.txt")
    vault.visit("/conflicts/")
    expect(card(vault, "one.txt")).to_be_visible()
    vault.page.evaluate("window.notReloaded = true")
    clash("two.txt")
    expect(card(vault, "two.txt")).to_be_visible(timeout=20_000)
    api.post(f"/sync/conflicts/{copy['id']}/resolve", {"keep": "original"})
    expect(card(vault, "one.txt")).to_have_count(0, timeout=20_000)
    assert vault.page.evaluate("window.notReloaded")


def test_a_conflict_that_somebody_else_settled_goes_without_harm(clash, vault, api):
    _, copy = clash("plan.txt")
    # Before the page looks for the first time: an answer that is under way could tell it.
    vault.page.route("**/api/v1/sync/conflicts?*", lambda route: route.abort())
    vault.visit("/conflicts/")
    api.post(f"/sync/conflicts/{copy['id']}/resolve", {"keep": "both"})
    keep(vault, "plan.txt", "copy")
    expect(vault.toast).to_contain_text("Somebody else has settled this one")
    expect(card(vault, "plan.txt")).to_have_count(0)


def test_a_phone_shows_names_and_buttons_whole(clash, phone):
    long = "Quarterly figures of the northern regions, second draft with remarks.xlsx"
    clash(long)
    phone.visit("/conflicts/")
    shown = card(phone, long)
    expect(shown).to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    for button in shown.get_by_role("button").all():
        box = button.bounding_box()
        assert box["height"] >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    shown.get_by_role("button", name="Keep copy").tap()
    expect(phone.page.get_by_role("heading", name="No conflicts")).to_be_visible()
