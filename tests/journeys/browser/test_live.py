"""The list follows what others do, without a reload and without taking anything out of one's hands."""

import pytest
from playwright.sync_api import expect

from apps.files.ui.views import ROWS
from tests.support.shares import by_rest, make_team_by_rest
from tests.support.sockets import SocketProcess

READING = "**/children?**"
"""How a page reads what has changed."""


@pytest.fixture(scope="module")
def told(live):
    """Sockets and worker: the whole way from a commit to the page."""
    process = SocketProcess(live)
    worker = live.start_worker()
    yield process
    live.kill(worker)


@pytest.fixture
def open_live(told, vault):
    """Open a folder and wait until its socket has said the head and the page has read what that may have changed."""

    def open_it(folder):
        with vault.page.expect_response(READING):
            vault.open(folder)
        return vault

    return open_it


def test_what_another_client_makes_appears_and_selection_focus_and_place_stay(open_live, folder, sender, mkdir):
    for number in range(60):
        sender.bring(f"file {number:02}.txt", b"x")
    vault = open_live(folder)
    vault.page.evaluate("window.notReloaded = true")
    vault.select("file 50.txt", "file 52.txt")
    vault.row("file 52.txt").focus()
    before = vault.row("file 52.txt").bounding_box()
    mkdir("Made elsewhere")
    expect(vault.row("Made elsewhere")).to_have_count(1)
    assert vault.names()[0] == "Made elsewhere"
    assert vault.selected() == ["file 50.txt", "file 52.txt"]
    assert vault.focused() == "file 52.txt"
    assert abs(vault.row("file 52.txt").bounding_box()["y"] - before["y"]) < 2
    assert vault.page.evaluate("window.notReloaded")


def test_more_than_one_reading_brings_is_shown_though_nobody_scrolls(open_live, folder, mkdir):
    mkdir("a")
    vault = open_live(folder)
    held = []
    vault.page.route(READING, lambda route: held.append(route))  # noqa: PLW0108 - Playwright takes no built-in
    for number in range(150):
        mkdir(f"b{number:03}")
    vault.page.wait_for_timeout(2000)
    for route in held:
        route.continue_()
    vault.page.unroute(READING)
    expect(vault.row("b020")).to_have_count(1)
    assert vault.names()[:2] == ["a", "b000"]
    assert vault.row("b149").count() == 0, "what is far from the window waits until it is seen"
    vault.page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    expect(vault.row("b149")).to_have_count(1)


def test_renamed_and_trashed_rows_change_and_go_and_an_edit_in_progress_stays(open_live, api, folder, sender):
    nodes = {name: sender.bring(name, b"x") for name in ("a.txt", "b.txt", "c.txt", "d.txt")}
    vault = open_live(folder)
    vault.row("a.txt").focus()
    vault.press("F2")
    field = vault.page.get_by_label("New name for a.txt")
    field.fill("half typed")
    api.patch(f"/nodes/{nodes['a.txt']['id']}", {"name": "z.txt"}, revision=nodes["a.txt"]["revision"])
    api.patch(f"/nodes/{nodes['b.txt']['id']}", {"name": "bb.txt"}, revision=nodes["b.txt"]["revision"])
    api.delete(f"/nodes/{nodes['c.txt']['id']}")
    vault.expect_names("a.txt", "bb.txt", "d.txt")
    expect(field).to_have_value("half typed")
    expect(field).to_be_focused()
    vault.press("Escape")
    expect(vault.row("bb.txt")).to_be_visible()


def test_after_the_sockets_were_away_the_page_catches_up(open_live, told, live, folder, mkdir):
    vault = open_live(folder)
    live.kill(told.child)
    mkdir("Made meanwhile")
    told.start()
    expect(vault.row("Made meanwhile")).to_have_count(1, timeout=60_000)


def answer_of(status: int):
    return lambda answer: "/children?" in answer.url and answer.status == status


def test_a_reading_that_fails_is_repeated_though_nobody_says_another_word(open_live, folder, mkdir):
    """The page rests between readings and longer after each that failed, up to 6.9 s in all: more than a row is awaited elsewhere."""
    vault = open_live(folder)
    failed = []

    def fail_twice(route):
        failed.append(route.request.url)
        if len(failed) > 2:
            route.continue_()
        elif len(failed) == 1:
            route.abort("connectionreset")
        else:
            route.fulfill(status=503, headers={"Retry-After": "1"}, json={"code": "unavailable", "title": "Not now"})

    vault.page.route(READING, fail_twice)
    page = vault.page
    with page.expect_response(answer_of(200)), page.expect_response(answer_of(503)), page.expect_event("requestfailed"):
        mkdir("Heard of once")
    expect(vault.row("Heard of once")).to_have_count(1)
    assert len(failed) == 3


def test_of_a_list_that_is_read_in_part_all_that_is_gone_goes(open_live, api, folder, mkdir):
    """Ten rows a page stand for a folder of thousands: fifty are read."""
    nodes = [mkdir(f"Folder {number:03}") for number in range(140)]
    vault = open_live(folder)
    assert len(vault.names()) == ROWS
    vault.page.route(READING, lambda route: route.continue_(url=route.request.url.replace("1000", "10")))
    trashed = nodes[10:90]
    for node in trashed:
        api.delete(f"/nodes/{node['id']}")  # meanwhile the page waits: nobody sends its request on
    expect(vault.row(trashed[-1]["name"])).to_have_count(0)
    assert not {node["name"] for node in trashed} & set(vault.names())
    left = [node["name"] for node in (*nodes[:10], *nodes[90:ROWS])]
    assert vault.names()[: len(left)] == left


def test_a_team_folder_appears_when_one_is_let_in_and_is_left_when_one_is_put_out(open_live, folder, live):
    vault, administrator = open_live(folder), live.client("adam")
    team = administrator.post("/team-folders", {"name": "Launch"}).json()
    administrator.post(f"/nodes/{team['id']}/shares", by_rest("everyone", "viewer"))
    link = vault.page.locator("#side-teams").get_by_role("link", name="Launch")
    expect(link).to_be_visible(timeout=20_000)
    link.click()
    expect(vault.page.get_by_role("heading", name="Launch")).to_be_visible()
    answer = administrator.request("DELETE", f"/team-folders/{team['id']}")
    assert answer.status_code == 204
    expect(vault.toast).to_contain_text("“Launch” is not there for you any more.", timeout=20_000)
    expect(vault.page.get_by_role("heading", name="My files")).to_be_visible()
    expect(link).to_be_hidden(timeout=20_000)


def test_rights_that_grow_and_shrink_arrive_in_an_open_page(open_live, folder, live):
    administrator = live.client("adam")
    team = make_team_by_rest(administrator, "Grows")
    administrator.post(f"/nodes/{team['id']}/shares", by_rest("everyone", "viewer"))
    inner = administrator.post("/folders", {"parent_id": team["id"], "name": "Inner"}).json()
    vault = open_live(inner)
    vault.page.evaluate("window.notReloaded = true")
    buttons = vault.page.get_by_role("button", name="Upload files")
    expect(vault.page.get_by_text("Nobody has put anything here yet.")).to_be_visible()
    expect(buttons).to_have_count(0)

    def let_in(right):
        answer = administrator.post(f"/nodes/{team['id']}/shares", by_rest("everyone", right))
        assert answer.status_code == 201, answer.content

    let_in("editor")
    expect(buttons.first).to_be_visible(timeout=20_000)
    vault.page.get_by_role("button", name="New folder").first.click()
    vault.page.get_by_label("Name", exact=True).fill("Mine now")
    vault.press("Enter")
    vault.expect_names("Mine now")
    vault.select("Mine now")
    let_in("viewer")
    expect(buttons).to_have_count(0, timeout=20_000)
    assert vault.selected() == ["Mine now"]
    assert vault.page.evaluate("window.notReloaded")

    # The page of all of them says what one may do.
    vault.visit("/teams/")
    line = vault.page.locator(".team", has_text="Grows")
    expect(line).to_contain_text("Can view")
    let_in("editor")
    expect(line).to_contain_text("Can edit", timeout=20_000)
    administrator.request("DELETE", f"/team-folders/{team['id']}")


def test_the_description_of_an_open_folder_is_the_one_of_now_and_what_is_being_written_stays(open_live, api, folder):
    path = f"/nodes/{folder['id']}/description"
    above = open_live(folder).page.locator("#folder-description")
    assert api.request("PUT", path, {"text": "first"}).status_code == 200
    expect(above).to_contain_text("first")
    above.get_by_role("button", name="Edit description").click()
    above.get_by_role("textbox", name="Description").fill("half written")
    assert api.request("PUT", path, {"text": "second"}, headers={"If-Match": '"1"'}).status_code == 200
    expect(above.get_by_role("textbox", name="Description")).to_have_value("half written")
    above.get_by_role("button", name="Cancel").click()
    expect(above).to_contain_text("second")
