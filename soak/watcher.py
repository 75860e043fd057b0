"""A person who looks on: a browser that shows a folder all the time, and at the end the operators' page of the stream."""

import secrets
import shutil
import threading
import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from bitvault.stack.up import read_demo
from soak.clients import PatientClient
from soak.tally import Tally
from soak.vault import RECOVERY_SECONDS, Vault

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.localhost 127.0.0.1",
]
"""For a browser that nobody sees, as root too; it speaks to this machine alone. The journeys of the tests start it in the same way."""
LOOK_MS = 250
OPERATOR = "operator@soak.test"

ROWS = """
async () => {
  const seen = new Map();
  const take = () => {
    for (const { dataset: row } of document.querySelectorAll('#rows > .row')) seen.set(row.id, [row.id, row.name, Number(row.revision)]);
  };
  scrollTo({ top: 0, behavior: 'instant' });
  for (let still = 0; still < 5;) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    take();
    const before = scrollY;
    scrollBy({ top: innerHeight / 2, behavior: 'instant' });
    still = scrollY === before ? still + 1 : 0;
  }
  return [...seen.values()];
}
"""
"""Reads all rows of a list on the way to its end: only those near the window are in the page."""
CELLS = "rows => rows.map(row => [...row.cells].slice(0, 8).map(cell => cell.innerText.trim()))"


class Watcher(threading.Thread):
    """Somebody whose browser shows the personal root, from before the first strike to the end, and never loads it again."""

    def __init__(self, vault: Vault, client: PatientClient, tally: Tally) -> None:
        super().__init__(name="browser", daemon=True)
        self._vault = vault
        self._client = client
        self._tally = tally
        self._words = 0
        self._password = self._make_operator()
        self._ended = threading.Event()
        self.looks = threading.Event()

    @staticmethod
    def can_look() -> bool:
        """Tell whether there is a browser here."""
        return shutil.which("chromium") is not None

    def end(self) -> None:
        self._ended.set()

    def run(self) -> None:
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
                self._watch(browser)
                self._look_at_the_operators_page(browser)
                browser.close()
        except Exception as surprise:
            self._tally.violate(f"the browser broke off: {surprise!r}")
            raise
        finally:
            self.looks.set()

    # --- the folder ------------------------------------------------------------------------------------------------------------

    def _watch(self, browser: Browser) -> None:
        demo = read_demo(self._vault.stack.layout.demo)
        page = browser.new_page()
        page.on("pageerror", lambda error: self._tally.violate(f"a script of the page failed: {error}"))
        page.on("websocket", lambda channel: channel.on("framereceived", self._hear))
        _sign_in(page, f"{demo['browser_url']}/sign-in/", email=demo["email"], password=demo["password"])
        page.wait_for_selector("#rows", state="attached")
        page.evaluate("window.neverReloaded = true")
        self.looks.set()
        while not self._ended.is_set():
            page.wait_for_timeout(LOOK_MS)
        differences = self._until_none(page, lambda: self._compare(page))
        if not page.evaluate("window.neverReloaded"):
            differences.append("the browser has loaded its page again")
        self._tally.check([f"browser: {difference}" for difference in differences])
        self._tally.facts["browser"] = f"{page.locator('#rows > .row').count()} rows, {self._words} words heard"

    def _hear(self, *_: object) -> None:
        self._words += 1

    def _compare(self, page: Page) -> list[str]:
        """List what the page shows otherwise than REST does."""
        root_id = self._client.get("/me").json()["root_id"]
        nodes: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 1000}
        while query.get("cursor", "") is not None:
            answer = self._client.get(f"/nodes/{root_id}/children", **query).json()
            nodes += answer["items"]
            query["cursor"] = answer["next_cursor"]
        shown = {tuple(row) for row in page.evaluate(ROWS)}
        listed = {(node["id"], node["name"], node["revision"]) for node in nodes}
        only_shown, only_listed = shown - listed, listed - shown
        return [
            *(f"only the page shows {row}" for row in only_shown),
            *(f"the page does not show {row}" for row in only_listed),
        ]

    @staticmethod
    def _until_none(page: Page, find: Callable[[], list[str]]) -> list[str]:
        """Look until nothing is found any more, or as long as anything may take."""
        deadline = time.monotonic() + RECOVERY_SECONDS
        while (found := find()) and time.monotonic() < deadline:
            page.wait_for_timeout(LOOK_MS)
        return found

    # --- the operators' page ---------------------------------------------------------------------------------------------------

    def _look_at_the_operators_page(self, browser: Browser) -> None:
        page = browser.new_page()
        address = f"http://admin.localhost:{self._vault.ports['web']}/admin/stream/"
        _sign_in(page, address, email=OPERATOR, password=self._password)
        found = self._until_none(page, lambda: _behind(page, address))
        self._tally.check([f"operators' page: {row}" for row in found])
        self._tally.facts["operators"] = f"their page shows {len(_consumers(page))} consumers"

    def _make_operator(self) -> str:
        password = secrets.token_urlsafe(16)
        named = ("createsuperuser", "--noinput", "--email", OPERATOR)
        if self._vault.command(*named, DJANGO_SUPERUSER_PASSWORD=password).wait():
            self._tally.violate("no operator can be made")
        return password


def _consumers(page: Page) -> list[list[str]]:
    return list(page.locator("#content-main table").first.locator("tbody tr").evaluate_all(CELLS))


def _behind(page: Page, address: str) -> list[str]:
    """List the consumers that the page shows behind, or with dead letters."""
    page.goto(address)
    rows = _consumers(page)
    behind = [
        f"{consumer} of {tenant}: head {head}, cursor {cursor}, lag {lag}, {seconds} s, {letters} dead letters, {error}"
        for consumer, tenant, head, cursor, lag, seconds, letters, error in rows
        if (head, lag, letters) != (cursor, "0", "0")
    ]
    return behind if rows else ["no consumer is shown"]


def _sign_in(page: Page, address: str, *, email: str, password: str) -> None:
    """Fill the form that stands at an address, or before it."""
    page.goto(address)
    page.locator("input[autocomplete=username]").fill(email)
    page.locator("input[autocomplete=current-password]").fill(password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "sign-in" not in url and "login" not in url)
