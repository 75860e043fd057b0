"""Lists of many rows: only what is near the window is in the page, and everything in them is still found, selected and come back to."""

import re
from uuid import UUID

import pytest
from playwright.sync_api import expect

from benchmarks.seed import Owner, Sower

COUNT = 3000

ELEMENTS_OF_A_ROW = 45
"""More than a row has."""

WATCH_FRAMES = """
() => {
  window.frames_ms = [];
  let last = performance.now();
  const tick = (now) => { window.frames_ms.push(now - last); last = now; requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
}
"""

SCROLL_TO_END = """
async () => {
  let most = 0;
  let step = 0;
  for (let still = 0; still < 20;) {
    const before = scrollY;
    scrollBy(0, 900);
    await new Promise((resolve) => setTimeout(resolve, 30));
    step += 1;
    if (step % 10 === 0) most = Math.max(most, document.querySelectorAll('#rows *').length);
    still = scrollY === before ? still + 1 : 0;
  }
  return most;
}
"""


@pytest.fixture(scope="module")
def sow(api, root_id, live):
    """Make a folder of folders with numbered names, from ``Item 0`` on."""
    me = api.get("/me").json()
    sower = Sower(live, Owner(UUID(me["tenant"]["id"]), UUID(me["user"]["id"]), UUID(root_id)))

    def make(name, count):
        folder = api.post("/folders", {"parent_id": root_id, "name": name}).json()
        sower.fill(UUID(folder["id"]), folders=count, prefix="Item")
        return folder

    return make


@pytest.fixture(scope="module")
def long_folder(api, sow):
    """The last row has a letter of its own."""
    folder = sow("Long", COUNT - 1)
    api.post("/folders", {"parent_id": folder["id"], "name": "Zebra"})
    return folder


def number_of(name):
    return COUNT if name == "Zebra" else int(name.removeprefix("Item "))


def test_it_scrolls_to_its_end_and_keeps_few_rows_in_the_page(vault, long_folder):
    vault.open(long_folder)
    expect(vault.page.locator("#totals")).to_have_text(re.compile(r"^3,?000 items$"))
    vault.page.evaluate(WATCH_FRAMES)
    most = vault.page.evaluate(SCROLL_TO_END)
    expect(vault.row("Zebra")).to_be_in_viewport()
    assert most <= 1_000 * ELEMENTS_OF_A_ROW
    # On an idle machine no frame takes 100 ms (`make bench`); here others work beside it.
    frames = sorted(vault.page.evaluate("window.frames_ms"))
    assert frames[-1] < 2_000
    assert frames[len(frames) // 2] < 200
    # What was emptied comes again.
    vault.page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    expect(vault.row("Item 0")).to_be_in_viewport(timeout=60_000)
    numbers = [number_of(name) for name in vault.names()]
    assert numbers == sorted(set(numbers))


def test_end_home_and_typing_find_rows_that_were_not_loaded(vault, long_folder):
    vault.open(long_folder)
    vault.row("Item 0").focus()
    vault.press("End")
    expect(vault.row("Zebra")).to_be_focused()
    vault.press("Home")
    expect(vault.row("Item 0")).to_be_focused()
    vault.press("z")
    expect(vault.row("Zebra")).to_be_focused()
    vault.press("ArrowUp")
    expect(vault.row(f"Item {COUNT - 2}")).to_be_focused()


def test_back_returns_to_the_same_row(vault, long_folder):
    vault.open(long_folder)
    vault.row("Item 0").focus()
    vault.press("End")
    expect(vault.row("Zebra")).to_be_focused()
    vault.press("PageUp", "PageUp")
    name = f"Item {COUNT - 25}"
    row = vault.row(name)
    expect(row).to_be_focused()
    top = vault.page.evaluate("scrollY")
    vault.page.evaluate("window.notReloaded = true")
    vault.press("Enter")
    expect(vault.page.get_by_role("heading", name=name)).to_be_visible()
    vault.page.go_back()
    expect(row).to_be_in_viewport()
    expect(row).to_be_focused()
    assert abs(vault.page.evaluate("scrollY") - top) < 100
    assert vault.page.evaluate("window.notReloaded")


def test_a_range_takes_in_the_rows_between_that_were_never_read(vault, api, sow):
    folder = sow("Ranged", 400)
    vault.open(folder)
    vault.row("Item 5").locator(".cell-modified").click()
    vault.press("Control+End")
    expect(vault.row("Item 399")).to_be_focused()
    vault.press("Shift+Space")
    expect(vault.page.locator("#selection-count")).to_have_text("395")
    vault.command("Move to trash")
    expect(vault.page.locator(".toast", has_text="395 items moved to trash.")).to_be_visible(timeout=60_000)
    vault.expect_names(*[f"Item {number}" for number in range(5)])
    assert api.get(f"/nodes/{folder['id']}/children").json()["total_count"] == 5


def test_a_whole_folder_that_was_moved_is_moved_back(vault, api, sow):
    source, target = sow("From here", 250), sow("To here", 3)
    vault.open(source)
    vault.row("Item 0").focus()
    vault.press("Control+a")
    vault.command("Move")
    dialog = vault.page.get_by_role("dialog", name="Move 250 items")
    dialog.get_by_role("navigation", name="Destination").get_by_text("My files").click()
    dialog.get_by_role("option", name="To here").click()
    dialog.get_by_role("button", name="Move here").click()
    moved = vault.page.locator(".toast", has_text="247 items moved to To here.")
    expect(moved).to_be_visible(timeout=60_000)
    vault.expect_names("Item 0", "Item 1", "Item 2")  # their names are taken there
    moved.get_by_role("button", name="Undo").click()
    expect(vault.page.locator(".toast", has_text="247 items moved back.")).to_be_visible(timeout=60_000)
    expect(vault.page.locator("#totals")).to_have_text("250 items")
    counts = [api.get(f"/nodes/{one['id']}/children").json()["total_count"] for one in (source, target)]
    assert counts == [250, 3]


def test_all_means_everything_in_the_folder_apart_from_what_was_taken_out(vault, api, root_id):
    folder = api.post("/folders", {"parent_id": root_id, "name": "To be emptied"}).json()
    for number in range(1, 251):
        api.post("/folders", {"parent_id": folder["id"], "name": f"Item {number:03}"})
    vault.open(folder)
    vault.row("Item 001").focus()
    vault.press("Control+a")
    expect(vault.page.locator("#selection-count")).to_have_text("250")
    expect(vault.page.locator('[data-act="toggle-all"]')).to_have_attribute("aria-checked", "true")
    vault.row("Item 002").get_by_role("button", name="Select Item 002").click()
    expect(vault.page.locator("#selection-count")).to_have_text("249")
    expect(vault.page.locator('[data-act="toggle-all"]')).to_have_attribute("aria-checked", "mixed")
    vault.command("Move to trash")
    expect(vault.page.locator(".toast", has_text="249 items moved to trash.")).to_be_visible(timeout=60_000)
    vault.expect_names("Item 002")
    left = api.get(f"/nodes/{folder['id']}/children").json()
    assert ([node["name"] for node in left["items"]], left["total_count"]) == (["Item 002"], 1)


def test_a_long_trash_is_read_and_restored_in_the_same_way(vault, api, sow):
    api.delete("/trash")
    folder = sow("Thrown away", 320)
    answer = {"next_cursor": ""}
    while answer["next_cursor"] is not None:
        cursor = {"cursor": answer["next_cursor"]} if answer["next_cursor"] else {}
        answer = api.post(f"/nodes/{folder['id']}/children/batch", {"action": "trash", **cursor}).json()
    vault.visit("/trash/")
    expect(vault.page.locator("#totals")).to_have_text("320 items")
    vault.row("Item 319").focus()
    vault.press("End")
    expect(vault.row("Item 0")).to_be_focused()
    expect(vault.row("Item 0")).to_contain_text("My files / Thrown away")
    assert vault.rows.count() < 320
    vault.press("Home")
    vault.page.keyboard.type("item 123")
    expect(vault.row("Item 123")).to_be_focused()
    vault.press("Control+a")
    expect(vault.page.locator("#selection-count")).to_have_text("320")
    vault.row("Item 123").get_by_role("button", name="Select Item 123").click()
    vault.command("Restore")
    expect(vault.page.locator(".toast", has_text="319 items restored")).to_be_visible(timeout=60_000)
    vault.expect_names("Item 123")
    assert api.get(f"/nodes/{folder['id']}/children").json()["total_count"] == 319


def test_as_tiles_it_scrolls_the_same_and_the_arrows_follow_what_is_seen(vault, long_folder):
    vault.open(long_folder)
    vault.row("Item 0").focus()
    vault.page.get_by_role("button", name="Grid view").click()
    across = vault.page.evaluate(
        "Number(getComputedStyle(document.getElementById('rows')).getPropertyValue('--tiles'))"
    )
    assert across > 1
    vault.row("Item 0").focus()
    vault.press("ArrowDown", "ArrowRight")
    expect(vault.row(f"Item {across + 1}")).to_be_focused()
    below, above = vault.row(f"Item {across + 1}").bounding_box(), vault.row("Item 1").bounding_box()
    assert below["x"] == above["x"]
    assert below["y"] > above["y"]
    vault.press("ArrowUp", "ArrowUp")
    expect(vault.row("Item 1")).to_be_focused()
    # The choice is remembered, and the whole list has its height.
    vault.page.reload()
    expect(vault.page.get_by_role("button", name="Grid view")).to_have_attribute("aria-pressed", "true")
    most = vault.page.evaluate(SCROLL_TO_END)
    expect(vault.row("Zebra")).to_be_in_viewport()
    assert most <= 1_000 * ELEMENTS_OF_A_ROW
    vault.row("Zebra").focus()
    vault.press("Home")
    expect(vault.row("Item 0")).to_be_focused()
    numbers = [number_of(name) for name in vault.names()]
    assert numbers == sorted(set(numbers))
    vault.press("Escape")
    vault.page.get_by_role("button", name="Grid view").click()
    expect(vault.row("Item 0").locator(".cell-owner")).to_be_visible()
