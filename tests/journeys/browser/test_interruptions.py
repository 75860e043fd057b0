"""Uploads that are stopped, killed, cut off and refused go on from what has arrived; what comes out is what went in."""

import os
import re
import shutil
import signal
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Response, expect

from soak.watcher import CHROMIUM_ARGUMENTS
from tests.journeys.browser.vault import PATIENCE_SECONDS, TRICKLE, Vault, fetch, tree_of
from tests.support.sending import PART


@pytest.fixture
def browse(chromium):
    """Start browsers of their own processes, which keep what they know in a profile on the disk, and open a page in them."""
    contexts = []

    def start(profile: Path, state) -> Page:
        context = chromium.browser_type.launch_persistent_context(
            str(profile),
            executable_path=shutil.which("chromium"),
            args=CHROMIUM_ARGUMENTS,
            viewport={"width": 1440, "height": 900},
        )
        contexts.append(context)
        # Chromium writes its cookies every half a minute: who was signed in for less signs in again, which is not tried here.
        context.add_cookies(state["cookies"])
        return context.pages[0]

    yield start
    for context in contexts:
        context.close()


@pytest.fixture
def reserved(api):
    """Ask how much room of the tenant is promised to uploads."""
    return lambda: api.get("/quotas").json()["items"][0]["reserved_bytes"]


def kill_browser(profile: Path) -> None:
    """SIGKILL the browser that holds a profile, as its lock tells: a link to ``<host>-<pid>``."""
    pid = int(str((profile / "SingletonLock").readlink()).rpartition("-")[2])
    os.kill(pid, signal.SIGKILL)


def require_no_part_twice(answer: Response, sent_parts: list[int]) -> None:
    """What a page is told when it resumes, and what it sends after that.

    A part counts as arrived when the server says so: of one that was cut off the store may have got the last byte all the same, a moment
    later and without anybody in the page hearing of it.
    """
    arrived = {part["number"] for part in answer.json()["parts"] if part["state"] == "stored"}
    assert arrived
    assert arrived.isdisjoint(sent_parts), "no part that has arrived travels twice"
    assert len(set(sent_parts)) == len(sent_parts), "and no other one either"


def test_a_paused_upload_stands_still_and_goes_on_from_what_has_arrived(vault, api, folder, disk, sent_parts):
    file = disk("big.bin", 8 * PART)
    vault.open(folder)
    vault.hold_after(parts=3)
    with vault.page.expect_response("**/api/v1/uploads") as started:
        vault.drop(file)
    upload_id = started.value.json()["id"]
    vault.await_held("big.bin", 3 / 8)
    line = vault.upload("big.bin")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    stopped = line.inner_text()
    sent_parts.clear()
    vault.page.wait_for_timeout(1500)
    assert (line.inner_text(), sent_parts) == (stopped, [])
    vault.let_go()
    with vault.page.expect_response(f"**/api/v1/uploads/{upload_id}") as resumed:
        line.get_by_role("button", name="Resume").click()
    vault.expect_uploaded("big.bin")
    require_no_part_twice(resumed.value, sent_parts)
    assert fetch(api, tree_of(api, folder)["big.bin"]) == file.read_bytes()


def test_a_canceled_upload_leaves_nothing(vault, api, folder, disk):
    vault.open(folder)
    vault.limit_upload(TRICKLE)
    with vault.page.expect_response(lambda answer: answer.url.endswith("/api/v1/uploads")) as started:
        vault.drop(disk("big.bin", 4 * PART))
    upload = started.value.json()
    vault.await_sent("big.bin", 0.01)
    with vault.page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        vault.upload("big.bin").get_by_role("button", name="Cancel").click()
    assert dropped.value.status == 204
    expect(vault.upload("big.bin")).to_have_count(0)
    assert api.get(f"/uploads/{upload['id']}").json()["state"] == "aborted"
    assert tree_of(api, folder) == {}


def test_a_large_upload_that_is_canceled_can_be_taken_back_and_sends_nothing_twice(
    vault, api, folder, disk, sent_parts
):
    file = disk("big.bin", 8 * PART)
    vault.open(folder)
    vault.hold_after(parts=3)
    with vault.page.expect_response("**/api/v1/uploads") as started:
        vault.drop(file)
    upload_id = started.value.json()["id"]
    vault.await_held("big.bin", 3 / 8)
    vault.upload("big.bin").get_by_role("button", name="Cancel").click()
    expect(vault.upload("big.bin")).to_have_count(0)
    expect(vault.toast).to_contain_text("Upload of “big.bin” canceled.")
    sent_parts.clear()
    vault.let_go()
    with vault.page.expect_response(f"**/api/v1/uploads/{upload_id}") as resumed:
        vault.toast.get_by_role("button", name="Undo").click()
    vault.expect_uploaded("big.bin")
    require_no_part_twice(resumed.value, sent_parts)
    assert fetch(api, tree_of(api, folder)["big.bin"]) == file.read_bytes()


def test_unfinished_uploads_that_are_discarded_can_be_taken_back(vault, api, folder, disk, reserved):
    before = reserved()
    vault.open(folder)
    vault.limit_upload(TRICKLE)
    vault.drop(disk("big.bin", 4 * PART))
    vault.await_sent("big.bin", 0.01)
    vault.page.reload()
    tray = vault.page.get_by_role("region", name="Uploads")
    tray.get_by_role("button", name="Discard").click()
    expect(tray).to_be_hidden()
    expect(vault.toast).to_contain_text("“big.bin” discarded.")
    vault.toast.get_by_role("button", name="Undo").click()
    expect(tray).to_contain_text("1 unfinished upload from before")
    tray.get_by_role("button", name="Discard").click()
    with vault.page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        vault.toast.get_by_role("button", name="Dismiss").click()
    assert dropped.value.status == 204
    assert reserved() == before


def test_small_files_are_asked_for_together_and_an_answer_that_was_lost_begins_nothing_twice(
    vault, api, folder, disk, reserved, tmp_path
):
    before = reserved()
    files = {f"Many/{n}.txt": disk(f"Many/{n}.txt", 10 + n) for n in range(150)}
    asked: list[str] = []
    lost = []
    network = vault.page.context.new_cdp_session(vault.page)

    def lose_first(event) -> None:
        if lost:
            network.send("Fetch.continueRequest", {"requestId": event["requestId"]})
        else:
            lost.append(event["responseStatusCode"])
            network.send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "ConnectionReset"})

    network.on("Fetch.requestPaused", lose_first)
    network.send("Fetch.enable", {"patterns": [{"urlPattern": "*/api/v1/uploads/batch", "requestStage": "Response"}]})
    vault.page.on("request", lambda request: asked.append(f"{request.method} {urlsplit(request.url).path}"))
    vault.open(folder)
    vault.drop(tmp_path / "Many")
    expect(vault.page.locator("#tray-title")).to_have_text("150 uploads finished", timeout=60_000)
    assert lost == [200]
    starts = [one for one in asked if one in {"POST /api/v1/uploads", "POST /api/v1/uploads/batch"}]
    commits = [one for one in asked if one.endswith("/commit")]
    assert len(starts) <= 20, "150 files by themselves would be as many requests"
    assert len(commits) <= 60, "those that arrive while two requests are on the way gather"
    tree = tree_of(api, folder)
    assert {path for path, node in tree.items() if node["kind"] == "file"} == files.keys()
    for path in ("Many/0.txt", "Many/77.txt", "Many/149.txt"):
        assert fetch(api, tree[path]) == files[path].read_bytes()
    assert reserved() == before, "nothing is left of what was begun"


class HeldAnswers:
    """Answers to ``POST /uploads`` that the server has given and the page has not got yet: the attempts stand, their ids are unknown."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys: list[str] = []
        self._held: list[str] = []
        self._network = page.context.new_cdp_session(page)
        self._network.on("Fetch.requestPaused", self._keep)
        self._network.send(
            "Fetch.enable", {"patterns": [{"urlPattern": "*/api/v1/uploads", "requestStage": "Response"}]}
        )

    def _keep(self, event) -> None:
        self._held.append(event["requestId"])
        self.keys.append(event["request"]["headers"]["Idempotency-Key"])

    def expect(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.keys) < count and time.monotonic() < deadline:
            self.page.wait_for_timeout(20)
        assert len(self.keys) == count

    def let_go(self) -> None:
        while self._held:
            self._network.send("Fetch.continueRequest", {"requestId": self._held.pop(0)})


@pytest.mark.parametrize("size", [1000, 9 * PART])
def test_what_is_canceled_before_its_start_is_answered_leaves_nothing(vault, api, folder, disk, reserved, size):
    before = reserved()
    vault.open(folder)
    answers = HeldAnswers(vault.page)
    vault.drop(disk("a.bin", size))
    answers.expect(1)
    assert reserved() == before + size
    vault.upload("a.bin").get_by_role("button", name="Cancel").click()
    expect(vault.upload("a.bin")).to_have_count(0)
    with vault.page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        answers.let_go()
    assert dropped.value.status == 204
    assert reserved() == before
    assert tree_of(api, folder) == {}
    # Nor does another page hear of it.
    vault.page.reload()
    expect(vault.page.get_by_role("region", name="Uploads")).to_be_hidden()


@pytest.mark.parametrize("answered", ["before", "after"])
def test_what_is_paused_before_its_start_is_answered_goes_on_with_the_same_attempt(
    vault, api, folder, disk, puts, reserved, answered
):
    before = reserved()
    file = disk("a.bin", 2 * PART)
    vault.open(folder)
    answers = HeldAnswers(vault.page)
    started = []
    vault.page.on("response", lambda answer: started.append(answer) if answer.url.endswith("/api/v1/uploads") else None)
    vault.drop(file)
    answers.expect(1)
    line = vault.upload("a.bin")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    if answered == "before":
        with vault.page.expect_response("**/api/v1/uploads"):
            answers.let_go()
        # It stays paused, whatever comes.
        vault.page.wait_for_timeout(300)
        expect(line).to_have_attribute("data-state", "paused")
    line.get_by_role("button", name="Resume").click()
    if answered == "after":
        answers.expect(2)
        answers.let_go()
    vault.expect_uploaded("a.bin")
    assert len({answer.json()["id"] for answer in started}) == 1
    assert len(set(answers.keys)) == 1
    assert len(puts) == 2
    assert reserved() == before
    assert fetch(api, tree_of(api, folder)["a.bin"]) == file.read_bytes()


def await_stored(api, upload_id, *, seconds: float = 30) -> None:
    """Wait until the store holds a part: what the browser has sent, it may not have taken yet."""
    end = time.monotonic() + seconds
    while not any(part["state"] == "stored" for part in api.get(f"/uploads/{upload_id}").json()["parts"]):
        assert time.monotonic() < end, "no part arrived"
        time.sleep(0.2)


def test_a_page_that_was_reloaded_resumes_when_the_file_is_chosen_again(vault, api, folder, disk, sent_parts):
    file, small = disk("big.bin", 6 * PART), disk("note.txt")
    vault.open(folder)
    vault.hold_after(parts=2)
    with vault.page.expect_response("**/api/v1/uploads") as started:
        vault.drop(file)
    upload_id = started.value.json()["id"]
    vault.await_held("big.bin", 2 / 6)
    await_stored(api, upload_id)
    vault.page.reload()
    vault.let_go()
    vault.limit_upload(TRICKLE)
    tray = vault.page.get_by_role("region", name="Uploads")
    expect(tray).to_contain_text("1 unfinished upload from before")
    expect(tray).to_contain_text("big.bin")
    sent_parts.clear()
    with vault.page.expect_file_chooser() as chooser:
        tray.get_by_role("button", name="Choose files").click()
    with vault.page.expect_response(f"**/api/v1/uploads/{upload_id}") as resumed:
        chooser.value.set_files([file, small])
    # What had arrived before the reload is no speed.
    for _ in range(20):
        shown = re.search(r"· ([\d.]+)\s(bytes|KB|MB)/s", vault.page.locator("#tray-facts").inner_text())
        if shown:
            assert float(shown[1]) * {"bytes": 1, "KB": 2**10, "MB": 2**20}[shown[2]] < 2 * TRICKLE
        vault.page.wait_for_timeout(200)
    vault.limit_upload(-1)
    vault.expect_uploaded("big.bin")
    expect(vault.toast).to_contain_text("1 other file left alone")
    require_no_part_twice(resumed.value, sent_parts)
    vault.expect_names("big.bin")
    assert fetch(api, tree_of(api, folder)["big.bin"]) == file.read_bytes()
    vault.page.reload()
    vault.expect_names("big.bin")
    expect(tray).to_be_hidden()


def test_a_browser_that_was_killed_resumes_a_folder_and_leaves_alone_what_is_there(
    live, api, folder, disk, tmp_path, browse, signed_in
):
    """SIGKILL: nothing is written after it. The profile stays, as after a crash; what arrived is not sent again."""
    files = [disk(f"Shoot/{number}.raw", 300_000) for number in range(20)]
    large = disk("Shoot/reel.mov", 6 * PART)
    profile = tmp_path / "profile"
    first = Vault(browse(profile, signed_in), live.tenant_url).open(folder)
    first.hold_after(parts=4)
    first.drop(tmp_path / "Shoot")
    first.await_held("reel.mov", 4 / 6)
    kill_browser(profile)

    second = Vault(browse(profile, signed_in), live.tenant_url).open(folder)
    sent = []
    second.page.on("requestfinished", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    tray = second.page.get_by_role("region", name="Uploads")
    expect(tray).to_contain_text("unfinished upload")
    with second.page.expect_file_chooser() as chooser:
        tray.get_by_role("button", name="Choose folder").click()
    chooser.value.set_files(tmp_path / "Shoot")
    second.expect_uploaded("reel.mov")
    expect(second.page.locator("#tray-title")).to_have_text(re.compile("finished"), timeout=30_000)
    expect(tray.get_by_text("unfinished")).to_be_hidden()
    tree = tree_of(api, folder)
    assert tree.keys() == {"Shoot", *(f"Shoot/{file.name}" for file in [*files, large])}
    for file in [*files, large]:
        assert fetch(api, tree[f"Shoot/{file.name}"]) == file.read_bytes()
    assert len([url for url in sent if "partNumber=" in url]) < 6


def test_a_lost_connection_is_waited_out(vault, api, folder, disk):
    file = disk("big.bin", 3 * PART)
    vault.open(folder)
    vault.limit_upload(TRICKLE)
    vault.drop(file)
    vault.await_sent("big.bin", 0.01)
    vault.cut_line()
    expect(vault.upload("big.bin")).to_contain_text("Connection lost", timeout=15_000)
    # A speed that is over is not shown.
    expect(vault.page.locator("#tray-facts")).not_to_contain_text("/s")
    vault.page.wait_for_timeout(1000)
    vault.limit_upload(-1)
    vault.expect_uploaded("big.bin")
    assert fetch(api, tree_of(api, folder)["big.bin"]) == file.read_bytes()


def test_a_server_that_is_busy_or_asks_to_slow_down_is_asked_again(vault, api, folder, disk):
    file = disk("a.txt")
    told = []

    def refuse(route) -> None:
        if len(told) >= 2:
            return route.continue_()
        told.append(route.request.url)
        headers = {"Content-Type": "application/problem+json", "Retry-After": "1"}
        status = 429 if len(told) == 1 else 503
        return route.fulfill(status=status, headers=headers, body='{"code": "x", "detail": "Later."}')

    vault.page.route("**/api/v1/uploads", refuse)
    vault.open(folder)
    vault.drop(file)
    vault.expect_uploaded("a.txt")
    assert len(told) == 2
    assert fetch(api, tree_of(api, folder)["a.txt"]) == file.read_bytes()


def test_an_url_that_has_grown_too_old_is_renewed(vault, api, folder, disk):
    file = disk("a.bin", 100_000)
    refused = []

    def expire(route) -> None:
        if refused:
            return route.continue_()
        refused.append(route.request.url)
        return route.fulfill(status=403, headers={"Access-Control-Allow-Origin": vault.base_url}, body="Expired")

    store = os.environ["BITVAULT_S3_PUBLIC_ENDPOINT_URL"]
    vault.page.route(re.compile(f"^{re.escape(store)}/"), expire)
    vault.open(folder)
    vault.drop(file)
    vault.expect_uploaded("a.bin")
    assert len(refused) == 1
    assert fetch(api, tree_of(api, folder)["a.bin"]) == file.read_bytes()


@pytest.mark.parametrize("where", ["server", "store"])
def test_a_full_disk_is_told_at_once_and_not_asked_again(vault, folder, disk, where):
    asked = []

    def refuse(route) -> None:
        if route.request.method == "OPTIONS":
            return route.continue_()
        asked.append(route.request.url)
        headers = {"Content-Type": "application/problem+json", "Access-Control-Allow-Origin": vault.base_url}
        body = '{"code": "platform.insufficient_storage", "title": "The server has no room for this"}'
        return route.fulfill(status=507, headers=headers, body=body)

    store = re.escape(os.environ["BITVAULT_S3_PUBLIC_ENDPOINT_URL"])
    vault.page.route("**/api/v1/uploads" if where == "server" else re.compile(f"^{store}/"), refuse)
    vault.open(folder)
    vault.drop(disk("a.txt"))
    expect(vault.upload("a.txt")).to_contain_text("The server has no room for this")
    expect(vault.upload("a.txt")).to_have_attribute("data-state", "failed")
    vault.page.wait_for_timeout(1500)
    assert len(asked) == 1


def test_a_click_on_a_folder_without_a_line_says_so(vault, folder, mkdir):
    mkdir("Sub")
    vault.open(folder)
    vault.cut_line()
    vault.row("Sub").get_by_role("link").click()
    expect(vault.toast).to_contain_text("BitVault cannot be reached. Check your connection.")
    expect(vault.page.get_by_role("heading", name=folder["name"])).to_be_visible()
    vault.limit_upload(-1)
    vault.row("Sub").get_by_role("link").click()
    expect(vault.page.get_by_role("heading", name="Sub")).to_be_visible()


def test_what_the_server_refuses_is_told_beside_the_file_and_can_be_tried_again(vault, folder, disk):
    def refuse(route) -> None:
        body = '{"code": "billing.quota_exceeded", "detail": "There is no room left for this file."}'
        route.fulfill(status=413, headers={"Content-Type": "application/problem+json"}, body=body)

    vault.page.route("**/api/v1/uploads", refuse)
    vault.open(folder)
    vault.drop(disk("a.txt"))
    line = vault.upload("a.txt")
    expect(line).to_contain_text("There is no room left for this file.")
    vault.page.unroute("**/api/v1/uploads")
    line.get_by_role("button", name="Try again").click()
    vault.expect_uploaded("a.txt")
