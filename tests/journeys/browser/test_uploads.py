"""Files and folders dropped, stopped, interrupted, resumed and fetched again; what comes out is what went in."""

import hashlib
import os
import re
import shutil
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.browser.conftest import ARGUMENTS
from tests.journeys.browser.vault import Vault
from tests.support.sending import PART, Sender

ROOT = Path(__file__).parents[3]

SLOW = 6_000_000
"""Bytes a second: slow enough to step in, fast enough to wait for."""


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
def puts(vault):
    """The parts that this page sends to the store, by the number of each part."""
    sent = []
    vault.page.on("requestfinished", lambda request: sent.append(request.url) if request.method == "PUT" else None)
    return sent


@pytest.fixture
def browse(chromium):
    """Start browsers of their own processes, which keep what they know in a profile on the disk, and open a page in them."""
    contexts = []

    def start(profile: Path, state) -> Page:
        context = chromium.browser_type.launch_persistent_context(
            str(profile),
            executable_path=shutil.which("chromium"),
            args=list(ARGUMENTS),
            viewport={"width": 1440, "height": 900},
        )
        contexts.append(context)
        # Chromium writes its cookies every half a minute: who was signed in for less signs in again, which is not tried here.
        context.add_cookies(state["cookies"])
        return context.pages[0]

    yield start
    for context in contexts:
        context.close()


def kill_browser(profile: Path) -> None:
    """SIGKILL the browser that holds a profile, as its lock tells: a link to ``<host>-<pid>``."""
    pid = int(str((profile / "SingletonLock").readlink()).rpartition("-")[2])
    os.kill(pid, signal.SIGKILL)


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


# --- dropping and choosing --------------------------------------------------------------------------------------------------


def test_files_and_a_folder_with_all_below_it_are_dropped_and_arrive_identical(vault, api, folder, disk, tmp_path):
    paths = ["Trip/plan.md", "Trip/.DS_Store", "Trip/day 1/a.jpg", "Trip/day 1/b.jpg", "Trip/day 2/más/ñ.jpg"]
    written = {path: disk(path) for path in paths}
    written |= {f"Trip/many/{n}.txt": disk(f"Trip/many/{n}.txt", n * 10) for n in range(120)}
    (tmp_path / "Trip/empty/inside").mkdir(parents=True)
    loose, nothing = disk("loose.bin", 3_000_000), disk("nothing.txt", 0)
    vault.open(folder)
    vault.drop(tmp_path / "Trip", loose, nothing)
    expect(vault.page.locator("#tray-title")).to_have_text("126 uploads finished", timeout=60_000)
    vault.expect_names("Trip", "loose.bin", "nothing.txt")

    tree = tree_of(api, folder)
    files = {path: node for path, node in tree.items() if node["kind"] == "file"}
    expected = {path: file for path, file in written.items() if not path.endswith(".DS_Store")}
    expected |= {"loose.bin": loose, "nothing.txt": nothing}
    assert files.keys() == expected.keys()
    assert {"Trip/empty", "Trip/empty/inside"} <= tree.keys()
    for path, file in expected.items():
        assert fetch(api, files[path]) == file.read_bytes(), path


def test_a_folder_that_is_there_already_takes_the_new_files_in(vault, api, folder, mkdir, disk, tmp_path):
    trip = mkdir("trip")
    Sender(api, trip["id"]).bring("old.txt", b"old")
    disk("Trip/new.txt")
    vault.open(folder)
    vault.drop(tmp_path / "Trip")
    vault.expect_uploaded("new.txt")
    assert {"trip", "trip/old.txt", "trip/new.txt"} == tree_of(api, folder).keys()


def test_files_and_folders_are_chosen_by_the_menu(vault, api, folder, disk, tmp_path):
    files = [disk("a.txt"), disk("b.txt")]
    disk("Album/one.jpg")
    disk("Album/deep/two.jpg")
    vault.open(folder)
    page = vault.page
    for item, chosen in (("Upload files", files), ("Upload a folder", tmp_path / "Album")):
        page.get_by_role("button", name="Upload", exact=True).click()
        with page.expect_file_chooser() as chooser:
            page.get_by_role("menuitem", name=item).click()
        chooser.value.set_files(chosen)
    vault.expect_uploaded("a.txt", "b.txt", "one.jpg", "two.jpg")
    assert {"Album/one.jpg", "Album/deep/two.jpg", "a.txt", "b.txt"} <= tree_of(api, folder).keys()


def test_a_file_of_many_parts_arrives_identical_and_is_downloaded_identical(vault, api, folder, disk, tmp_path, puts):
    file = disk("film.mov", 9 * PART + 4321)
    vault.open(folder)
    vault.drop(file)
    vault.expect_uploaded("film.mov")
    assert len(puts) == 10
    vault.select("film.mov")
    with vault.page.expect_download() as download:
        vault.command("Download")
    assert download.value.suggested_filename == "film.mov"
    saved = tmp_path / "saved.mov"
    download.value.save_as(saved)
    assert hashlib.sha256(saved.read_bytes()).digest() == hashlib.sha256(file.read_bytes()).digest()


def test_rows_appear_without_taking_selection_or_place(vault, folder, sender, disk):
    for number in range(40):
        sender.bring(f"n{number}.txt", b"x")
    vault.open(folder)
    vault.select("n30.txt")
    vault.row("n30.txt").focus()
    place = vault.page.evaluate("scrollY")
    assert place > 0
    vault.drop(disk("zzz.txt"))
    expect(vault.row("zzz.txt")).to_have_count(1)
    assert vault.selected() == ["n30.txt"]
    assert vault.focused() == "n30.txt"
    assert vault.page.evaluate("scrollY") == place


def test_uploads_go_on_while_one_looks_around(vault, api, folder, mkdir, disk):
    mkdir("Elsewhere")
    file = disk("slow.bin", 2 * PART)
    vault.open(folder)
    vault.limit_upload(SLOW)
    vault.drop(file)
    vault.await_sent("slow.bin", 0.1)
    page = vault.page
    vault.row("Elsewhere").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    vault.expect_uploaded("slow.bin")
    assert vault.names() == []
    page.go_back()
    vault.expect_names("Elsewhere", "slow.bin")
    assert fetch(api, tree_of(api, folder)["slow.bin"]) == file.read_bytes()


# --- names that are taken -----------------------------------------------------------------------------------------------------


def answer(vault, name: str, choice: str, *, same_for_all: bool = False) -> None:
    dialog = vault.page.get_by_role("dialog", name="This name is taken")
    expect(dialog.locator("#conflict-text b")).to_have_text(name)
    dialog.get_by_role("radio", name=choice).check()
    if same_for_all:
        dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Go on").click()


def test_each_taken_name_is_asked_about_and_the_answer_is_done(vault, api, folder, sender, disk):
    old = {name: sender.bring(name, name.encode()) for name in ("1 keep.txt", "2 replace.txt", "3 skip.txt")}
    new = {name: disk(name) for name in old}
    free = disk("free.txt")
    vault.open(folder)
    vault.drop(*new.values(), free)
    # What is in nobody's way does not wait for answers.
    vault.expect_uploaded("free.txt")
    answers = {"1 keep.txt": "Keep both", "2 replace.txt": "Replace", "3 skip.txt": "Skip"}
    asked = vault.page.locator("#conflict-text b")
    while answers:
        expect(asked).to_have_text(re.compile("|".join(answers)))
        name = asked.inner_text()
        answer(vault, name, answers.pop(name))
    vault.expect_uploaded("1 keep.txt", "2 replace.txt")
    expect(vault.upload("3 skip.txt")).to_have_attribute("data-state", "skipped")
    expect(vault.page.locator("#tray-title")).to_have_text("3 uploads finished, 1 skipped")
    vault.expect_names("1 keep (2).txt", "1 keep.txt", "2 replace.txt", "3 skip.txt", "free.txt")

    tree = tree_of(api, folder)
    assert fetch(api, tree["1 keep.txt"]) == b"1 keep.txt"
    assert fetch(api, tree["1 keep (2).txt"]) == new["1 keep.txt"].read_bytes()
    assert fetch(api, tree["2 replace.txt"]) == new["2 replace.txt"].read_bytes()
    assert tree["2 replace.txt"]["id"] == old["2 replace.txt"]["id"]
    assert fetch(api, tree["3 skip.txt"]) == b"3 skip.txt"


def test_one_answer_does_for_all_others(vault, api, folder, sender, disk):
    for number in range(8):
        sender.bring(f"{number}.txt", b"old")
    new = {f"{number}.txt": disk(f"{number}.txt") for number in range(8)}
    vault.open(folder)
    vault.drop(*new.values())
    expect(vault.page.get_by_role("dialog", name="This name is taken")).to_be_visible()
    answer(vault, vault.page.locator("#conflict-text b").inner_text(), "Replace", same_for_all=True)
    vault.expect_uploaded(*new)
    tree = tree_of(api, folder)
    assert {name: fetch(api, tree[name]) for name in new} == {name: file.read_bytes() for name, file in new.items()}


# --- stopping and going on ------------------------------------------------------------------------------------------------------


def test_a_paused_upload_stands_still_and_goes_on_from_what_has_arrived(vault, api, folder, disk, puts):
    file = disk("big.bin", 5 * PART)
    vault.open(folder)
    vault.limit_upload(2 * SLOW)
    vault.drop(file)
    vault.await_sent("big.bin", 0.5)
    line = vault.upload("big.bin")
    line.get_by_role("button", name="Pause").click()
    expect(line).to_contain_text("Paused")
    stopped, before = line.inner_text(), len(puts)
    vault.page.wait_for_timeout(1500)
    assert (line.inner_text(), len(puts)) == (stopped, before)
    vault.limit_upload(-1)
    line.get_by_role("button", name="Resume").click()
    vault.expect_uploaded("big.bin")
    assert len(puts) == 5, "no part travels twice"
    assert fetch(api, tree_of(api, folder)["big.bin"]) == file.read_bytes()


def test_a_canceled_upload_leaves_nothing(vault, api, folder, disk):
    vault.open(folder)
    vault.limit_upload(SLOW)
    with vault.page.expect_response(lambda answer: answer.url.endswith("/api/v1/uploads")) as started:
        vault.drop(disk("big.bin", 4 * PART))
    upload = started.value.json()
    vault.await_sent("big.bin", 0.05)
    with vault.page.expect_response(lambda answer: answer.request.method == "DELETE") as dropped:
        vault.upload("big.bin").get_by_role("button", name="Cancel").click()
    assert dropped.value.status == 204
    expect(vault.upload("big.bin")).to_have_count(0)
    assert api.get(f"/uploads/{upload['id']}").json()["state"] == "aborted"
    assert tree_of(api, folder) == {}


def test_a_page_that_was_reloaded_resumes_when_the_file_is_chosen_again(vault, api, folder, disk, puts):
    file, small = disk("big.bin", 6 * PART), disk("note.txt")
    vault.open(folder)
    vault.limit_upload(2 * SLOW)
    vault.drop(file)
    vault.await_sent("big.bin", 0.7)
    arrived = len(puts)
    assert arrived > 0
    vault.page.reload()
    vault.limit_upload(-1)
    tray = vault.page.get_by_role("region", name="Uploads")
    expect(tray).to_contain_text("1 unfinished upload from before")
    expect(tray).to_contain_text("big.bin")
    with vault.page.expect_file_chooser() as chooser:
        tray.get_by_role("button", name="Choose files").click()
    chooser.value.set_files([file, small])
    vault.expect_uploaded("big.bin")
    expect(vault.toast).to_contain_text("1 other file left alone")
    assert len(puts) == 6, "no part that has arrived travels twice"
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
    first.limit_upload(2 * SLOW)
    first.drop(tmp_path / "Shoot")
    first.await_sent("reel.mov", 0.8)
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
    vault.limit_upload(SLOW)
    vault.drop(file)
    vault.await_sent("big.bin", 0.2)
    vault.cut_line()
    expect(vault.upload("big.bin")).to_contain_text("Connection lost", timeout=15_000)
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


# --- hashing without a secure context ---------------------------------------------------------------------------------------------


def test_the_fallback_hashes_as_the_browser_does(vault, folder):
    """FIPS 180-4; the lengths are those around the borders of a block."""
    vault.open(folder)
    lengths = [0, 1, 3, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 1000, 100_000]
    script = """
    async (lengths) => {
      const {sha256} = await import('/static/files/uploads/sha256.js');
      const hex = (buffer) => [...new Uint8Array(buffer)].map((b) => b.toString(16).padStart(2, '0')).join('');
      return lengths.map((length) => hex(sha256(Uint8Array.from({length}, (_, i) => (i * 7 + length) & 255).buffer)));
    }
    """
    expected = [hashlib.sha256(bytes((i * 7 + n) & 255 for i in range(n))).hexdigest() for n in lengths]
    assert vault.page.evaluate(script, lengths) == expected


def test_a_plain_address_without_crypto_still_uploads(visitor, signed_in, live, api, folder, disk):
    """By http from another machine a browser hides ``crypto.subtle``; the worker is made to believe that it is there."""
    page = visitor(storage_state=signed_in)
    worker = (ROOT / "apps/files/ui/static/files/uploads/hashing.worker.js").read_text()
    blind = "Object.defineProperty(globalThis.crypto, 'subtle', {value: undefined});\n" + worker
    served = []

    def hide(route) -> None:
        served.append(route.request.url)
        route.fulfill(body=blind, content_type="text/javascript")

    page.context.route("**/hashing.worker*.js", hide)
    vault = Vault(page, live.tenant_url).open(folder)
    file = disk("a.bin", 2_000_001)
    vault.drop(file)
    vault.expect_uploaded("a.bin")
    assert len(served) == 1
    assert fetch(api, tree_of(api, folder)["a.bin"]) == file.read_bytes()


def test_no_byte_of_a_file_passes_the_application(vault, live, folder, disk):
    bodies = {}
    vault.page.on(
        "request",
        lambda request: bodies.setdefault(urlsplit(request.url).port, []).append(len(request.post_data_buffer or b"")),
    )
    vault.open(folder)
    vault.drop(disk("a.bin", 500_000))
    vault.expect_uploaded("a.bin")
    assert sum(bodies[live.port]) < 5_000
