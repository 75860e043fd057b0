"""What a person does in a browser: scrolls a large folder to its end, as fast as a hand on the wheel, and drops a tree of small files."""

import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
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

DROPPED_FILES, FILES_IN_A_FOLDER = 3_000, 100
SMALLEST_BYTES, LARGEST_BYTES = 1_000, 200_000
DROPPED_SECONDS = 20.0
PATIENCE_MS = 300_000

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
    with signed_in(bench) as page:
        tries = [scroll(page, f"/files/{folder_id}/", bench.vault.demo) for _ in range(bench.runs)]
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


def dropping(bench: Bench) -> list[Figure]:
    """Drop a tree of small files onto a folder, and wait until the tray says that all are there."""
    count = DROPPED_FILES // 10 if bench.quick else DROPPED_FILES
    folder_id = bench.seed.folder("dropped into")
    with tempfile.TemporaryDirectory() as directory, signed_in(bench) as page:
        tree = Path(directory) / "tree"
        size = write_tree(tree, count)
        page.goto(f"{bench.vault.demo['browser_url']}/files/{folder_id}/")
        page.wait_for_load_state("networkidle")
        begun = time.perf_counter()
        drop(page, tree)
        page.get_by_text(f"{count} uploads finished").first.wait_for(timeout=PATIENCE_MS)
        seconds = time.perf_counter() - begun
    goal = at_most(DROPPED_SECONDS * count / DROPPED_FILES)
    return [
        Figure(f"{count:,} files of 1 to 200 kB, dropped into a browser", seconds, "s", goal, facts={"bytes": size}),
        Figure("  files in a second", count / seconds, "files/s"),
    ]


def write_tree(tree: Path, count: int) -> int:
    """Write files of chance, a hundred in a folder; returns their bytes."""
    chance, total = random.Random(7), 0
    for number in range(count):
        path = tree / f"folder {number // FILES_IN_A_FOLDER}" / f"file {number}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        size = chance.randint(SMALLEST_BYTES, LARGEST_BYTES)
        path.write_bytes(chance.randbytes(size))
        total += size
    return total


def drop(page: Page, path: Path) -> None:
    """Drop a folder of the disk onto the middle of the page, as a file manager does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 300, "data": data})
    session.detach()


@contextmanager
def signed_in(bench: Bench) -> Iterator[Page]:
    """Open a browser in which the demo's owner is signed in."""
    program = shutil.which("chromium")
    if program is None:
        raise VaultProblem("there is no chromium here to measure pages with: `make chromium` installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_ARGUMENTS)
        yield sign_in(browser, bench.vault.demo)
        browser.close()


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
