"""What a person does in the pages, in the words of the tests."""

import contextlib
import re
import time
from pathlib import Path

from playwright.sync_api import CDPSession, Error, Locator, Page, Request, Route, expect

from tests.support.sending import Sender

PARTS = re.compile(r"[?&]partNumber=")
"""Addresses of the store that take a part of a file."""

TRICKLE = 200_000
"""Bytes a second: a file of a few parts has begun within a second or two, and takes more than a minute to arrive."""

PATIENCE_SECONDS = 15.0
"""How long a page may take for one step. Only what fails waits so long; a page's own pauses are looked at in the test that meets them."""


class Vault:
    """A page of a vault in a browser."""

    def __init__(self, page: Page, base_url: str) -> None:
        self.page = page
        self.base_url = base_url
        self._network: CDPSession | None = None
        self._held: list[Route] = []
        self._parts_left = 0

    # --- going places -------------------------------------------------------------------------------------------------------

    def open(self, folder: dict[str, str], query: str = "") -> "Vault":
        self.page.goto(f"{self.base_url}/files/{folder['id']}/{query}")
        return self

    def visit(self, path: str) -> "Vault":
        self.page.goto(f"{self.base_url}{path}")
        return self

    # --- the list -----------------------------------------------------------------------------------------------------------

    @property
    def rows(self) -> Locator:
        return self.page.locator("#rows > .row")

    def row(self, name: str) -> Locator:
        return self.page.locator(f'#rows > .row[data-name="{name}"]')

    def names(self) -> list[str]:
        return self.page.locator("#rows > .row").evaluate_all("rows => rows.map(row => row.dataset.name)")

    def expect_names(self, *names: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the list shows these, in this order."""
        deadline = time.monotonic() + seconds
        while (shown := self.names()) != list(names) and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert shown == list(names)

    def selected(self) -> list[str]:
        return self.page.locator('#rows > .row[aria-selected="true"]').evaluate_all(
            "rows => rows.map(row => row.dataset.name)"
        )

    def focused(self) -> str:
        return self.page.evaluate("document.activeElement.closest('.row')?.dataset.name ?? ''")

    def expect_focus(self, name: str, *, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until the focus is on a row: a dialog that closes gives it back a moment later."""
        deadline = time.monotonic() + seconds
        while (focused := self.focused()) != name and time.monotonic() < deadline:
            self.page.wait_for_timeout(50)
        assert focused == name

    def select(self, *names: str) -> None:
        for name in names:
            self.row(name).get_by_role("button", name=f"Select {name}").click()

    def command(self, name: str) -> None:
        self.page.get_by_role("toolbar", name="Selected items").get_by_role("button", name=name, exact=True).click()

    @property
    def toast(self) -> Locator:
        return self.page.locator(".toast").last

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    # --- uploads ------------------------------------------------------------------------------------------------------------

    def drop(self, *paths: Path, at: tuple[float, float] = (600, 300)) -> None:
        """Drop files and folders from the disk onto a point of the page, as a file manager does."""
        session = self.page.context.new_cdp_session(self.page)
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            session.send("Input.dispatchDragEvent", {"type": kind, "x": at[0], "y": at[1], "data": data})
        session.detach()

    def count_puts(self) -> list[int]:
        """Give a list that grows by how many parts are under way whenever one sets out."""
        under_way: set[Request] = set()
        counts: list[int] = []

        def begin(request: Request) -> None:
            if request.method == "PUT":
                under_way.add(request)
                counts.append(len(under_way))

        self.page.on("request", begin)
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, lambda request: under_way.discard(request))  # noqa: PLW0108 - Playwright takes no built-in
        return counts

    def limit_upload(self, bytes_per_second: int) -> None:
        """Make the line as slow as that; -1 makes it as fast as it is."""
        self._shape_line(offline=False, bytes_per_second=bytes_per_second)

    def hold_after(self, parts: int) -> None:
        """Let so many parts go to the store as fast as they can, and keep those that come after them from setting out until `let_go`.

        Counted where they leave the page: however busy the machine is, nothing goes beyond it before the test steps in.
        """
        self._parts_left = parts

        def judge(route: Route) -> None:
            if route.request.method == "PUT" and self._parts_left <= 0:
                self._held.append(route)
            else:
                self._parts_left -= route.request.method == "PUT"
                route.continue_()

        self.page.route(PARTS, judge)

    def await_held(self, name: str, share: float) -> None:
        """Wait until all that may go has gone: so much of a file has arrived, and a part of it waits."""
        self.await_sent(name, share)
        end = time.monotonic() + PATIENCE_SECONDS
        while not self._held:
            assert time.monotonic() < end, "no part waits"
            self.page.wait_for_timeout(20)

    def let_go(self) -> None:
        """Let parts set out again, those that wait first."""
        self._parts_left = 1_000_000
        for route in self._held:
            with contextlib.suppress(Error):  # the page gave it up meanwhile
                route.continue_()
        self._held.clear()
        self.page.unroute(PARTS)

    def cut_line(self) -> None:
        self._shape_line(offline=True, bytes_per_second=0)

    def _shape_line(self, *, offline: bool, bytes_per_second: int) -> None:
        if self._network is None:
            self._network = self.page.context.new_cdp_session(self.page)
            self._network.send("Network.enable")
        self._network.send(
            "Network.emulateNetworkConditions",
            {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes_per_second},
        )

    def upload(self, name: str) -> Locator:
        """Find a file's line in the tray, by the name that it has on the disk."""
        return self.page.locator(f'.tray-item[data-file="{name}"]')

    def expect_uploaded(self, *names: str, seconds: float = 60) -> None:
        for name in names:
            expect(self.upload(name)).to_have_attribute("data-state", "done", timeout=seconds * 1000)

    def await_sent(self, name: str, share: float, *, seconds: float = 60) -> None:
        """Wait until so much of a file has been sent."""
        self.page.wait_for_function(
            "([title, share]) => [...document.querySelectorAll('.tray-item')].some(item =>"
            " item.dataset.file === title &&"
            " Number(item.querySelector('.bar').getAttribute('aria-valuenow')) >= Math.floor(share * 100))",
            arg=[name, share],
            timeout=seconds * 1000,
        )


def tree_of(api, folder):
    """List everything below a folder: path → node."""
    found = {}
    for node in api.get(f"/nodes/{folder['id']}/children", limit=1000).json()["items"]:
        found[node["name"]] = node
        if node["kind"] == "folder":
            found |= {f"{node['name']}/{path}": child for path, child in tree_of(api, node).items()}
    return found


def fetch(api, node) -> bytes:
    return Sender(api, "").fetch(node).data
