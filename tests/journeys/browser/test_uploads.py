"""Files and folders dropped, asked about and fetched again; what comes out is what went in."""

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

from playwright.sync_api import expect

from tests.journeys.browser.vault import TRICKLE, Vault, fetch, tree_of
from tests.support.sending import PART, Sender

ROOT = Path(__file__).parents[3]


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


def hear(page) -> Callable[[], list[str]]:
    """Note what a screen reader is given to say from now on."""
    page.evaluate(
        """() => {
          window.heard = [];
          const region = document.querySelector("#announcer");
          new MutationObserver(() => region.textContent && heard.push(region.textContent)).observe(region, { childList: true });
        }"""
    )
    return lambda: page.evaluate("heard")


def test_what_file_managers_leave_in_folders_is_left_out_and_told(vault, api, folder, disk, tmp_path):
    for path in ("Trip/plan.md", "Trip/.DS_Store", "Trip/day 1/.DS_Store", "Trip/day 1/Thumbs.db"):
        disk(path)
    vault.open(folder)
    heard = hear(vault.page)
    vault.drop(tmp_path / "Trip")
    vault.expect_uploaded("plan.md")
    told = "3 files of the operating system were left out (.DS_Store, Thumbs.db)."
    notice = vault.page.get_by_role("region", name="Uploads").get_by_text("left out")
    expect(notice).to_have_text(told)
    expect(notice).to_be_in_viewport()
    assert f"1 file added to the uploads. {told}" in heard()
    assert tree_of(api, folder).keys() == {"Trip", "Trip/plan.md", "Trip/day 1"}

    vault.page.get_by_role("button", name="Close and clear the list").click()
    vault.drop(disk("b.txt"))
    vault.expect_uploaded("b.txt")
    expect(notice).to_be_hidden()


def test_a_drop_of_nothing_but_such_files_says_so(vault, api, folder, disk):
    vault.open(folder)
    heard = hear(vault.page)
    vault.drop(disk("desktop.ini"))
    tray = vault.page.get_by_role("region", name="Uploads")
    expect(tray.get_by_role("heading")).to_have_text("Nothing to upload")
    expect(tray).to_contain_text("1 file of the operating system was left out (desktop.ini).")
    # A list that was put away would hide the answer to the next one.
    tray.get_by_role("button", name="Show or hide the list of uploads").click()
    expect(tray).not_to_contain_text("left out", use_inner_text=True)
    vault.page.get_by_role("button", name="Upload", exact=True).click()
    with vault.page.expect_file_chooser() as chooser:
        vault.page.get_by_role("menuitem", name="Upload files").click()
    chooser.value.set_files([disk("Thumbs.db"), disk("._.DS_Store")])
    expect(tray).to_contain_text(
        "3 files of the operating system were left out (desktop.ini, Thumbs.db, ._.DS_Store).", use_inner_text=True
    )
    expect(vault.page.locator("#announcer")).to_have_text(
        "2 files of the operating system were left out (Thumbs.db, ._.DS_Store)."
    )
    assert [words for words in heard() if "added" in words] == []
    tray.get_by_role("button", name="Close and clear the list").click()
    expect(tray).to_be_hidden()
    assert tree_of(api, folder) == {}


def test_a_file_of_many_parts_arrives_identical_and_is_downloaded_identical(vault, api, folder, disk, tmp_path, puts):
    file = disk("film.mov", 9 * PART + 4321)
    vault.open(folder)
    under_way = vault.count_puts()
    # A fast store has taken a part before the browser begins the next.
    vault.limit_upload(40_000_000)
    vault.drop(file)
    vault.expect_uploaded("film.mov")
    assert len(puts) == 10
    # Four; of each the end may be told after the next has begun.
    assert 4 <= max(under_way) <= 8, "parts go side by side, and not all at once"
    assert [worker for worker in vault.page.workers if "hashing.worker" in worker.url], "hashing leaves the page alone"
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
    vault.limit_upload(TRICKLE)
    vault.drop(file)
    vault.await_sent("slow.bin", 0.01)
    page = vault.page
    vault.row("Elsewhere").get_by_role("link").click()
    expect(page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Elsewhere")).to_be_visible()
    expect(vault.upload("slow.bin")).to_have_attribute("data-state", "sending")
    vault.limit_upload(-1)
    vault.expect_uploaded("slow.bin")
    assert vault.names() == []
    page.go_back()
    vault.expect_names("Elsewhere", "slow.bin")
    assert fetch(api, tree_of(api, folder)["slow.bin"]) == file.read_bytes()


def seconds_left(text: str) -> tuple[float, float]:
    """Give the least and the most that the words for the time left can mean."""
    if "a few seconds left" in text:
        return 0, 5
    number, unit = re.search(r"· (\d+) (s|min) left$", text).groups()
    step, most = (5, int(number)) if unit == "s" else (60, int(number) * 60)
    return most - step, most


def size_of(text: str) -> float:
    number, unit = text.split()
    return float(number.replace(",", "")) * {"bytes": 1, "KB": 2**10, "MB": 2**20}[unit]


def test_the_tray_tells_speed_and_time_left_and_both_are_right(vault, folder, disk):
    """The words are held against each other (what is left by the speed is the time) and the speed against that of the line."""
    line_speed, size = 2_000_000, 3 * PART
    vault.open(folder)
    vault.limit_upload(line_speed)
    vault.drop(disk("slow.bin", size))
    head, note = vault.page.locator("#tray-facts"), vault.upload("slow.bin").locator(".tray-item-note")
    expect(head).to_contain_text("left", timeout=30_000)
    expect(note).to_contain_text("left", timeout=30_000)
    readings = set()
    while "a few seconds" not in " ".join(readings):
        for element, form in ((head, r"(\d+)% of 24\sMB · (.+)/s · "), (note, r"(.+) of 24\sMB · (.+)/s · ")):
            text = element.inner_text()
            found = re.match(form, text)
            assert found, text
            sent = int(found[1]) / 100 * size if found[1].isdigit() else size_of(found[1])
            speed = size_of(found[2])
            # Slower where a machine is busy, and never faster than the line.
            assert 0.05 * line_speed < speed < 1.25 * line_speed, text
            least, most = seconds_left(text)
            # A little more or less: the figures are rounded to be read.
            assert 0.9 * least - 1 <= (size - sent) / speed <= 1.1 * most + 1, text
            readings.add(text)
        vault.page.wait_for_timeout(300)
    # At once, and by the same line: what is under way goes at full speed when the line changes.
    vault.upload("slow.bin").get_by_role("button", name="Pause").click()
    assert any(re.search(r"\d s left", text) for text in readings)
    expect(head).to_be_empty()
    expect(note).to_have_text(re.compile(r"^Paused · .+ of 24\sMB$"))
    vault.limit_upload(-1)
    vault.upload("slow.bin").get_by_role("button", name="Resume").click()
    vault.expect_uploaded("slow.bin")
    expect(head).to_be_empty()


# --- names that are taken -----------------------------------------------------------------------------------------------------


def answer(vault, name: str, choice: str, *, same_for_all: bool = False) -> None:
    dialog = vault.page.get_by_role("dialog", name="This name is taken")
    expect(dialog.locator("#conflict-text b")).to_have_text(name)
    dialog.get_by_role("radio", name=choice).check()
    if same_for_all:
        dialog.get_by_role("checkbox").check()
    dialog.get_by_role("button", name="Continue").click()


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


# --- what the tray says ----------------------------------------------------------------------------------------------------------------


def test_a_file_dropped_on_the_row_of_a_folder_goes_into_it(vault, api, folder, mkdir, disk):
    mkdir("Inbox")
    vault.open(folder)
    box = vault.row("Inbox").bounding_box()
    vault.drop(disk("letter.txt"), at=(box["x"] + 200, box["y"] + box["height"] / 2))
    vault.expect_uploaded("letter.txt")
    expect(vault.upload("letter.txt")).to_contain_text("in Inbox")
    assert tree_of(api, folder).keys() == {"Inbox", "Inbox/letter.txt"}


def test_a_file_that_is_there_already_is_said_to_be_here(vault, api, folder, sender, disk):
    file = disk("same.txt")
    sender.bring("same.txt", file.read_bytes())
    sender.bring("other.txt", b"another content")
    other = disk("other.txt")
    vault.open(folder)
    vault.drop(file, other)
    answer(vault, vault.page.locator("#conflict-text b").inner_text(), "Keep both", same_for_all=True)
    vault.expect_uploaded("same.txt", "other.txt")
    expect(vault.upload("same.txt")).to_contain_text("Already here")
    # The tray names what it was really called.
    expect(vault.upload("other.txt").locator(".tray-item-name")).to_have_text("other (2).txt")
    expect(vault.upload("other.txt").locator(".tray-item-name")).to_have_attribute(
        "title", re.compile(r"/ other \(2\)\.txt$")
    )
    assert tree_of(api, folder).keys() == {"same.txt", "other.txt", "other (2).txt"}


def test_the_end_is_told_with_what_failed(vault, api, folder, disk):
    def let_one_be_refused(route) -> None:
        """What starts together has a result each: one of them is to lie in a folder that is none."""
        body = route.request.post_data_json
        for wanted in body["uploads"]:
            if wanted["name"] == "2.txt":
                wanted["parent_id"] = str(uuid4())
        route.continue_(post_data=json.dumps(body))

    vault.page.route("**/api/v1/uploads/batch", let_one_be_refused)
    vault.open(folder)
    heard = hear(vault.page)
    vault.drop(*[disk(f"{number}.txt") for number in range(4)])
    expect(vault.page.locator("#tray-title")).to_have_text("3 uploaded, 1 failed")
    vault.page.wait_for_function("() => heard.at(-1) === '3 uploaded, 1 failed'")
    assert "3 uploaded, 1 failed" in heard()
    assert tree_of(api, folder).keys() == {"0.txt", "1.txt", "3.txt"}
    # Closing says what goes from the list, and can be taken back.
    vault.page.get_by_role("button", name="Close and clear the list").click()
    expect(vault.page.get_by_role("region", name="Uploads")).to_be_hidden()
    expect(vault.toast).to_contain_text("1 failed upload removed from the list.")
    vault.toast.get_by_role("button", name="Undo").click()
    vault.page.unroute("**/api/v1/uploads/batch")
    vault.upload("2.txt").get_by_role("button", name="Try again").click()
    vault.expect_uploaded("2.txt")


def test_a_file_whose_name_is_refused_is_uploaded_under_another(vault, api, folder, disk):
    vault.open(folder)
    name = "agen\u2028da.txt"
    vault.drop(disk(name))
    line = vault.page.locator(".tray-item")
    expect(line).to_have_attribute("data-state", "failed")
    line.get_by_role("button", name="Upload under another name").click()
    field = vault.page.get_by_role("dialog", name="Upload under another name").get_by_label("Name")
    expect(field).to_have_value("agenda.txt")
    vault.press("Enter")
    expect(line).to_have_attribute("data-state", "done")
    vault.expect_names("agenda.txt")
    assert tree_of(api, folder).keys() == {"agenda.txt"}


def test_the_list_is_hidden_while_uploads_go_on_and_says_so(vault, folder, disk):
    vault.open(folder)
    vault.limit_upload(TRICKLE)
    vault.drop(disk("slow.bin", PART))
    vault.await_sent("slow.bin", 0.01)
    vault.page.get_by_role("button", name="Hide the list; uploads continue").click()
    expect(vault.page.locator("#announcer")).to_have_text("The list of uploads is hidden. Uploads continue.")
    tray = vault.page.get_by_role("region", name="Uploads")
    expect(tray.get_by_role("heading", name="Uploading 1 file")).to_be_visible()
    expect(vault.upload("slow.bin")).to_be_hidden()
    tray.get_by_role("button", name="Show or hide the list of uploads").click()
    expect(vault.upload("slow.bin")).to_be_visible()
    vault.limit_upload(-1)
    vault.expect_uploaded("slow.bin")
