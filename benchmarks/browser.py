"""The list of a large folder in a browser: Chromium scrolls it to its end, as fast as a hand on the wheel."""

import shutil
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.bench import Bench
from benchmarks.figures import Figure, at_most
from benchmarks.vault import VaultProblem
from soak.watcher import CHROMIUM_ARGUMENTS

ROWS = 10_000
STEP_PX = 900
PAUSE_MS = 30
LONGEST_FRAME_MS = 100.0
MOST_ROWS = 2_000
"""In the page at once."""

SCROLL = """
async ([step, pause]) => {
  const frames = [];
  let last = performance.now();
  let watching = true;
  const tick = (now) => { frames.push(now - last); last = now; if (watching) requestAnimationFrame(tick); };
  requestAnimationFrame(tick);
  const begun = performance.now();
  let [most, elements, steps] = [0, 0, 0];
  for (let still = 0; still < 10;) {
    const before = scrollY;
    scrollBy(0, step);
    await new Promise((resolve) => setTimeout(resolve, pause));
    steps += 1;
    if (steps % 10 === 0) {
      most = Math.max(most, document.querySelectorAll('#rows > .row').length);
      elements = Math.max(elements, document.getElementsByTagName('*').length);
    }
    still = scrollY === before && !document.querySelector('#rows > .gap[data-open]:last-child') ? still + 1 : 0;
  }
  watching = false;
  const end = [...document.querySelectorAll('#rows > .row')].at(-1)?.dataset.name ?? '';
  return {frames, rows: most, elements, seconds: (performance.now() - begun) / 1000, end};
}
"""


def scrolling(bench: Bench) -> list[Figure]:
    """Scroll a folder of 10,000 rows to its end."""
    folder_id = bench.seed.folder("to be scrolled")
    made = bench.seed.fill(folder_id, folders=100, files=ROWS - 100)
    program = shutil.which("chromium")
    if program is None:
        raise VaultProblem("there is no chromium here to measure the list with: `make chromium` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        page = sign_in(browser, bench.vault.demo)
        tries = [scroll(page, f"/files/{folder_id}/", bench.vault.demo) for _ in range(bench.runs)]
        browser.close()
    assert all(one["end"] == made[-1].name for one in tries), [one["end"] for one in tries]
    best = min(tries, key=lambda one: max(one["frames"]))
    frames = sorted(best["frames"])
    return [
        Figure("list of 10,000 scrolled to its end: longest frame", frames[-1], "ms", at_most(LONGEST_FRAME_MS)),
        Figure("  frame, p99", frames[len(frames) * 99 // 100], "ms"),
        Figure("  rows in the page, at most", max(one["rows"] for one in tries), "", at_most(MOST_ROWS)),
        Figure("  elements in the page, at most", max(one["elements"] for one in tries), ""),
        Figure("  seconds", best["seconds"], "s"),
    ]


def sign_in(browser: Browser, demo: dict[str, Any]) -> Page:
    """Open the demo's vault as its owner."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(demo["browser_url"])
    page.get_by_label("E-mail").fill(demo["email"])
    page.get_by_label("Password", exact=True).fill(demo["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/files/**")
    return page


def scroll(page: Page, path: str, demo: dict[str, Any]) -> dict[str, Any]:
    """Open a folder, go down to its end, and give what was seen on the way."""
    page.goto(f"{demo['browser_url']}{path}")
    page.wait_for_selector("#rows > .row")
    page.wait_for_timeout(500)
    found: dict[str, Any] = page.evaluate(SCROLL, [STEP_PX, PAUSE_MS])
    return found
