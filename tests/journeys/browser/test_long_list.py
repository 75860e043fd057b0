"""A folder of many rows: only what is near the window is in the page, and everything in it is still found, selected and come back to."""

import pytest
from playwright.sync_api import expect

COUNT = 900

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
def long_folder(api, root_id, live):
    """A folder of folders with numbered names; the last one has a letter of its own."""
    folder = api.post("/folders", {"parent_id": root_id, "name": "Long"}).json()
    for number in range(1, COUNT):
        api.post("/folders", {"parent_id": folder["id"], "name": f"Item {number:05}"})
    api.post("/folders", {"parent_id": folder["id"], "name": "Zebra"})
    return folder


def test_it_scrolls_to_its_end_and_keeps_few_rows_in_the_page(vault, long_folder):
    vault.open(long_folder)
    expect(vault.page.locator("#totals")).to_have_text(f"{COUNT:,} items")
    vault.page.evaluate(WATCH_FRAMES)
    most = vault.page.evaluate(SCROLL_TO_END)
    expect(vault.row("Zebra")).to_be_in_viewport()
    assert most <= 1_000 * ELEMENTS_OF_A_ROW
    # On an idle machine no frame takes 100 ms; here others work beside it.
    frames = sorted(vault.page.evaluate("window.frames_ms"))
    assert frames[-1] < 2_000
    assert frames[len(frames) // 2] < 200


def test_end_home_and_typing_find_rows_that_were_not_loaded(vault, long_folder):
    vault.open(long_folder)
    vault.row("Item 00001").focus()
    vault.press("End")
    expect(vault.row("Zebra")).to_be_focused()
    vault.press("Home")
    expect(vault.row("Item 00001")).to_be_focused()
    vault.press("z")
    expect(vault.row("Zebra")).to_be_focused()
    vault.press("ArrowUp")
    expect(vault.row(f"Item {COUNT - 1:05}")).to_be_focused()


def test_back_returns_to_the_same_row(vault, long_folder):
    vault.open(long_folder)
    vault.row("Item 00001").focus()
    vault.press("End")
    expect(vault.row("Zebra")).to_be_focused()
    vault.press("PageUp", "PageUp")
    row = vault.row(f"Item {COUNT - 24:05}")
    expect(row).to_be_focused()
    top = vault.page.evaluate("scrollY")
    vault.press("Enter")
    expect(vault.page.get_by_role("heading", name=f"Item {COUNT - 24:05}")).to_be_visible()
    vault.page.go_back()
    expect(row).to_be_in_viewport()
    assert abs(vault.page.evaluate("scrollY") - top) < 100


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
