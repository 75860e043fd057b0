"""Finding by the box in the top bar: suggestions while one types, the page of results, by pointer and keyboard, on a phone too."""

import time

import pytest
from playwright.sync_api import expect

SECONDS = 15


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """The indexer runs beside the web."""
    worker = live.start_worker()
    yield
    live.kill(worker)


@pytest.fixture
def files(sender, mkdir, api):
    """A folder and two files whose names nobody else has, once the index knows them."""
    mkdir("Zebra crossing")
    sender.bring("zebra report.txt", b"stripes")
    sender.bring("Zebra übersicht.pdf", b"more stripes")
    made = api.post("/folders", {"parent_id": sender.parent_id, "name": "Zebra fields"})
    end = time.monotonic() + 60
    while (
        answer := api.get("/search", q="zebra", min_seq=int(made.headers["BitVault-Seq"]), wait_ms=5_000)
    ).status_code == 202:
        assert time.monotonic() < end, "the indexer does not come"
    assert answer.status_code == 200


def search(vault, text: str) -> None:
    vault.press("/")
    box = vault.page.get_by_role("combobox", name="Search files and folders")
    expect(box).to_be_focused()
    box.fill(text)


def test_names_are_suggested_and_a_key_leads_to_the_folder(vault, folder, files):
    vault.open(folder)
    search(vault, "zebra cros")
    option = vault.page.get_by_role("option", name="Zebra crossing")
    expect(option).to_be_visible(timeout=SECONDS * 1000)
    vault.press("ArrowDown", "Enter")
    expect(vault.page.get_by_role("heading", name="Zebra crossing")).to_be_visible()
    expect(vault.page.get_by_role("banner")).to_have_count(1)


def test_people_and_recent_searches_are_suggested(vault, folder, files):
    vault.open(folder)
    search(vault, "zebra report")
    vault.press("Enter")
    page = vault.page
    expect(page.get_by_role("heading", name="Results for “zebra report”")).to_be_visible()
    vault.open(folder)
    page.locator("#search-input").fill("")
    page.locator("#search-input").focus()
    expect(page.get_by_role("option", name="zebra report Recent search")).to_be_visible()
    search(vault, "olg")
    page.get_by_role("option", name="Olga Files of this person").click()
    expect(page.get_by_role("heading", name='Results for “owner:"Olga"”')).to_be_visible()
    expect(page.get_by_role("banner")).to_have_count(1)


def test_the_page_of_results_marks_the_words_and_leads_to_the_place(vault, folder, files):
    vault.open(folder)
    search(vault, "ubersicht")
    vault.press("Enter")
    page = vault.page
    expect(page.get_by_role("heading", name="Results for “ubersicht”")).to_be_visible()
    line = page.get_by_role("list", name="Results").get_by_role("listitem").filter(has_text="Zebra übersicht.pdf")
    expect(line.locator("mark").first).to_have_text("übersicht")
    line.get_by_role("link", name="Show Zebra übersicht.pdf in its folder").first.click()
    expect(vault.row("Zebra übersicht.pdf")).to_be_visible()


def test_filters_and_orders_are_links_and_a_wrong_filter_is_told(vault, folder, files):
    vault.open(folder)
    search(vault, "zebra")
    vault.press("Enter")
    page = vault.page
    page.get_by_role("navigation", name="Filters").get_by_role("link", name="Folders").click()
    lines = page.get_by_role("list", name="Results").get_by_role("listitem")
    expect(lines.filter(has_text="Zebra crossing").first).to_be_visible()
    expect(page.get_by_text("zebra report.txt")).to_have_count(0)
    search(vault, "size:huge")
    vault.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Write a size as")).to_be_visible()


def test_nothing_found_says_so(vault, folder):
    vault.open(folder)
    search(vault, "qqqqxyz")
    vault.press("Enter")
    expect(vault.page.get_by_role("heading", name="Nothing found")).to_be_visible()


def test_a_phone_searches_too(phone, folder, files):
    phone.open(folder)
    box = phone.page.get_by_role("combobox", name="Search files and folders")
    box.fill("zebra rep")
    box.press("Enter")
    expect(phone.page.get_by_role("list", name="Results")).to_contain_text("zebra report.txt")
