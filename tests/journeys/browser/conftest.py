"""A real browser for journeys. A page that breaks its own content policy, or whose script fails, fails its test."""

import itertools
import os
import shutil
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, StorageState, expect, sync_playwright

from soak.watcher import CHROMIUM_ARGUMENTS
from tests.journeys.browser.vault import PATIENCE_SECONDS, Vault
from tests.support.sending import Sender

_numbers = itertools.count(1)

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


TOLD = pytest.StashKey[list[str]]()
"""What the pages of a test asked for and heard: shown when it fails, for a page that shows nothing was told nothing or did nothing."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    if report.failed and (told := item.stash.get(TOLD, [])):
        report.sections.append(("what the pages asked and heard", "\n".join(told)))
    return report


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if "journeys/browser" in str(item.path):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.journey)
            item.add_marker(pytest.mark.store)


@pytest.fixture(scope="module")
def chromium(live) -> Iterator[Browser]:
    """Start Chromium for the tests of one file: the loop that drives it may not outlive them, Django refuses to work beside one."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(chromium, live):
    """The cookies of somebody who has signed in at acme, by the form."""
    context = chromium.new_context()
    page = context.new_page()
    sign_in(page, live.tenant_url, live.email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    state = context.storage_state()
    context.close()
    return state


def sign_in(page: Page, url: str, email: str, password: str) -> None:
    """Sign in by the form, again where a busy machine had no room for another password."""
    end = time.monotonic() + 60
    status = HTTPStatus.SERVICE_UNAVAILABLE
    while status == HTTPStatus.SERVICE_UNAVAILABLE and time.monotonic() < end:
        page.goto(f"{url}/sign-in/")
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        with page.expect_response(lambda answer: answer.request.method == "POST") as answer:
            page.get_by_role("button", name="Sign in").click()
        status = HTTPStatus(answer.value.status)


def listen(page: Page, told: list[str]) -> None:
    """Write down what a page asks the REST surface and what its socket says, with the seconds since it was opened."""
    begun = time.monotonic()

    def note(what: str) -> None:
        told.append(f"{time.monotonic() - begun:8.2f} s  {what}")

    def note_socket(socket) -> None:
        note(f"socket {socket.url}")
        socket.on("framereceived", lambda frame: note(f"heard {frame}"))
        socket.on("close", lambda _: note("socket closed"))

    def note_answer(answer) -> None:
        if "/api/" in answer.url:
            note(f"{answer.status} {answer.request.method} {answer.url}")

    page.on("websocket", note_socket)
    page.on("response", note_answer)
    page.on("requestfailed", lambda request: note(f"failed {request.method} {request.url}: {request.failure}"))


@pytest.fixture(scope="module")
def wardrobe(chromium, live) -> "Wardrobe":
    """Browsers of their own for the tests of one file."""
    return Wardrobe(chromium, [live.tenant_url, live.bare_url])


class Wardrobe:
    """Browser contexts that are cleaned and used again: what they keep of static files is what takes longest to fetch and to read."""

    def __init__(self, chromium: Browser, origins: list[str]) -> None:
        self._chromium = chromium
        self._origins = origins
        self._spare: dict[str, list[BrowserContext]] = {}

    def take(self, *, storage_state: StorageState | None = None, **options) -> BrowserContext:
        """Give a context that nobody has used, or none will notice that somebody has."""
        spare = self._spare.setdefault(repr(sorted(options.items())), [])
        context = spare.pop() if spare else self._chromium.new_context(**options)
        if storage_state is not None:
            context.add_cookies(storage_state["cookies"])
        return context

    def give_back(self, context: BrowserContext, **options) -> None:
        """Clean a context of all but what is served to everybody."""
        options.pop("storage_state", None)
        context.unroute_all()
        context.set_offline(False)
        context.clear_cookies()
        context.clear_permissions()
        for page in context.pages[1:]:
            page.close()
        (page,) = context.pages or [context.new_page()]
        page.goto("about:blank")
        session = context.new_cdp_session(page)
        for origin in self._origins:
            kept = "local_storage,indexeddb,cache_storage,service_workers,file_systems,websql"
            session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": kept})
        session.detach()
        page.close()
        self._spare[repr(sorted(options.items()))].append(context)


@pytest.fixture
def visitor(request, wardrobe) -> Iterator[Callable[..., Page]]:
    """Open a page in a browser of its own; ``complaints`` of all of them are looked at when the test is over."""
    taken: list[tuple[BrowserContext, dict[str, Any]]] = []
    complaints: list[str] = []
    told = request.node.stash.setdefault(TOLD, [])

    def open_page(**options) -> Page:
        options = {"viewport": {"width": 1440, "height": 900}, **options}
        context = wardrobe.take(**options)
        taken.append((context, options))
        page = context.new_page()
        listen(page, told)
        page.set_default_timeout(PATIENCE_SECONDS * 1000)
        page.on("pageerror", lambda error: complaints.append(f"script failed: {error}"))
        page.on("console", lambda message: _note(message, complaints))
        # Leaving in the middle of an upload asks whether one means it.
        page.on("dialog", lambda dialog: dialog.accept())
        return page

    yield open_page
    for context, options in taken:
        wardrobe.give_back(context, **options)
    assert complaints == []


def _note(message, complaints: list[str]) -> None:
    # "Failed to load resource" tells of an answer like 409, which the page shows to the person and the test looks at. No sockets run
    # here: a page does without them, and tries again now and then. htmx tells of a request that came to nothing, as the page does.
    expected = ("Failed to load resource", "WebSocket connection to", "htmx:sendError", "htmx:afterRequest")
    if message.type == "error" and not message.text.startswith(expected):
        complaints.append(message.text)


@pytest.fixture
def vault(visitor, signed_in, live) -> Vault:
    """Mia's browser, signed in."""
    return Vault(visitor(storage_state=signed_in), live.tenant_url)


@pytest.fixture
def phone(visitor, signed_in, live) -> Vault:
    """Mia's phone, signed in."""
    page = visitor(
        storage_state=signed_in,
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    )
    return Vault(page, live.tenant_url)


@pytest.fixture(scope="module")
def api(live):
    return live.client("mia")


@pytest.fixture(scope="module")
def root_id(api) -> str:
    return api.get("/me").json()["root_id"]


@pytest.fixture
def folder(api, root_id):
    """A folder of this test's own."""
    return api.post("/folders", {"parent_id": root_id, "name": f"Test {next(_numbers)}"}).json()


@pytest.fixture
def sender(api, folder) -> Sender:
    return Sender(api, folder["id"])


@pytest.fixture
def mkdir(api, folder):
    """Make a folder in the test's own one."""
    return lambda name, parent=folder: api.post("/folders", {"parent_id": parent["id"], "name": name}).json()


@pytest.fixture
def disk(tmp_path):
    """Write files below a place of the test's own."""

    def write(path: str, size: int = 1000) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(os.urandom(size))
        return file

    return write


@pytest.fixture
def sent_parts(vault):
    """The numbers of the parts that this page has begun to send to the store, whatever becomes of them."""
    sent = []

    def note(request) -> None:
        if request.method == "PUT":
            sent.append(int(parse_qs(urlsplit(request.url).query)["partNumber"][0]))

    vault.page.on("request", note)
    return sent


@pytest.fixture
def puts(vault):
    """The parts that this page sends to the store, by the number of each part."""
    sent = []
    vault.page.on("requestfinished", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    return sent
