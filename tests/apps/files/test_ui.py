"""The pages of folders and of the trash: what they show, at what cost, and what strangers get instead."""

import json
import re
from pathlib import Path

import pytest
from django.test import Client

from apps.files.ui import presentation
from apps.files.ui.views import ROWS
from tests.support.shares import by_rest, make_team_by_rest
from tests.support.world import ACME, PASSWORD

HOST = "acme.localhost"


@pytest.fixture
def browser(db):
    """Mia's browser, signed in at her vault by the form."""
    client = Client(headers={"host": HOST})
    answer = client.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD})
    assert (answer.status_code, answer["Location"]) == (302, "/files/")
    return client


@pytest.fixture
def folder(browser, api):
    root_id = api("mia").get("/me").json()["root_id"]
    return api("mia").post("/folders", {"parent_id": root_id, "name": "Reports"}).json()


def fill(api, folder, count):
    for number in range(count):
        api("mia").post("/folders", {"parent_id": folder["id"], "name": f"Sub {number}"})


# --- cost -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [10, 200])
def test_a_folders_page_takes_the_same_few_queries_however_much_is_in_it(browser, api, folder, counted_queries, count):
    fill(api, folder, count)
    browser.get(f"/files/{folder['id']}/")
    with counted_queries() as statements:
        answer = browser.get(f"/files/{folder['id']}/")
    assert (
        answer.content.count(b'class="row"') == min(count, ROWS) + 1
    )  # and the template that the page's modules fill in
    assert len(statements) <= 7, statements


@pytest.mark.parametrize("count", [10, 150])
def test_the_trash_page_takes_the_same_few_queries_however_much_is_in_it(browser, api, folder, counted_queries, count):
    fill(api, folder, count)
    for node in api("mia").get(f"/nodes/{folder['id']}/children").json()["items"]:
        api("mia").delete(f"/nodes/{node['id']}")
    browser.get("/trash/")
    with counted_queries() as statements:
        answer = browser.get("/trash/")
    assert answer.content.count(b'class="row"') == min(count, ROWS) + 1
    assert len(statements) <= 7, statements


@pytest.mark.parametrize("count", [3, 60])
def test_the_page_of_team_folders_takes_the_same_few_queries_however_many(browser, api, counted_queries, count):
    for number in range(count):
        make_team_by_rest(api("adam"), f"Team {number}", by_rest("everyone", "viewer"))
    browser.get("/teams/")
    with counted_queries() as statements:
        answer = browser.get("/teams/")
    assert answer.content.count(b'class="team-link"') == count
    assert len(statements) <= 6, statements


@pytest.fixture
def team(api):
    """A team folder in which mia edits."""
    return make_team_by_rest(api("adam"), "Design", by_rest(ACME.people["mia"].user_id, "editor"))


def test_a_page_in_a_team_folder_leads_back_to_the_list_of_them(browser, api, team, counted_queries):
    inner = api("mia").post("/folders", {"parent_id": team["id"], "name": "Plans"}).json()
    browser.get(f"/files/{inner['id']}/")
    with counted_queries() as statements:
        answer = browser.get(f"/files/{inner['id']}/")
    assert [(crumb.name, crumb.href) for crumb in answer.context["crumbs"]] == [
        ("Team folders", "/teams/"),
        ("Design", f"/files/{team['id']}/"),
        ("Plans", f"/files/{inner['id']}/"),
    ]
    assert len(statements) <= 7, statements
    assert answer.context["section"] == "teams"
    assert browser.get(f"/files/{team['id']}/").status_code == 200


def test_only_ones_own_empty_vault_is_greeted(browser, api, team):
    own = browser.get("/files/").content
    assert b"Your vault is ready" in own
    assert b"This folder is empty" not in own
    others = browser.get(f"/files/{team['id']}/").content
    assert b"This folder is empty" in others
    assert b"Your vault is ready" not in others


def test_a_team_folder_has_a_trash_page_of_its_own(browser, api, team, counted_queries):
    gone = api("mia").post("/folders", {"parent_id": team["id"], "name": "Gone"}).json()
    api("mia").delete(f"/nodes/{gone['id']}")
    assert browser.get("/trash/").context["rows"] == []
    browser.get(f"/trash/{team['id']}/")
    with counted_queries() as statements:
        answer = browser.get(f"/trash/{team['id']}/")
    (row,) = answer.context["rows"]
    assert (row.name, row.origin) == ("Gone", "Design")
    assert answer.context["may_delete"] is False
    assert len(statements) <= 6, statements


def test_pages_of_a_team_folder_are_not_there_for_others(browser, api, folder):
    closed = api("adam").post("/team-folders", {"name": "Closed"}).json()
    seen = make_team_by_rest(api("adam"), "Seen", by_rest("everyone", "viewer"))
    for path in (f"/files/{closed['id']}/", f"/files/{closed['id']}/position", f"/trash/{closed['id']}/"):
        assert browser.get(path).status_code == 404
    assert browser.get(f"/trash/{seen['id']}/").status_code == 404  # its trash is for those who edit
    assert browser.get(f"/trash/{folder['id']}/").status_code == 404
    assert [row.name for row in browser.get("/teams/").context["teams"]] == ["Seen"]


# --- what is shown ----------------------------------------------------------------------------------------------------------------


def test_further_rows_lead_on_to_the_end_and_hold_each_node_once(browser, api, folder):
    fill(api, folder, 230)
    answer = browser.get(f"/files/{folder['id']}/?sort=name&order=desc")
    assert answer.context["totals"] == "230 items"
    seen = [row.name for row in answer.context["rows"]]
    cursor = answer.context["next_cursor"]
    while cursor:
        page = (
            api("mia")
            .get(f"/nodes/{folder['id']}/children", sort="name", order="desc", limit=100, cursor=cursor)
            .json()
        )
        assert page["total_count"] == 230
        seen += [node["name"] for node in page["items"]]
        cursor = page["next_cursor"]
    assert seen == [f"Sub {number}" for number in reversed(range(230))]


def test_bytes_are_added_up_once_for_a_list_and_not_for_each_of_its_pages(api, folder, counted_queries):
    fill(api, folder, 3)
    path = f"/nodes/{folder['id']}/children"
    first = api("mia").get(path, limit=2).json()
    assert first["total_bytes"] == 0
    with counted_queries() as statements:
        second = api("mia").get(path, limit=2, cursor=first["next_cursor"]).json()
    assert (second["total_bytes"], second["total_count"], len(second["items"])) == (None, 3, 1)
    assert not any("SUM(size_bytes)" in statement for statement in statements)


def test_a_page_jumps_to_rows_by_index_and_by_name(browser, api, folder):
    fill(api, folder, 130)
    place = f"/files/{folder['id']}/position"
    cursor = browser.get(f"{place}?at=120&sort=name&order=desc").json()["cursor"]
    page = api("mia").get(f"/nodes/{folder['id']}/children", sort="name", order="desc", limit=2, cursor=cursor).json()
    assert [node["name"] for node in page["items"]] == ["Sub 9", "Sub 8"]
    assert browser.get(f"{place}?at=0").json() == {"cursor": None}
    assert browser.get(f"{place}?name=sUB 12").json() == {"index": 12}
    assert browser.get(f"{place}?name=sub 12&after=12").json() == {"index": 120}
    assert browser.get(f"{place}?name=sub 12&after=129").json() == {"index": 12}
    assert browser.get(f"{place}?name=zebra").json() == {"index": None}


def test_one_operation_goes_over_a_whole_folder_apart_from_exceptions_and_tells_what_it_left(browser, api, folder):
    fill(api, folder, 120)
    mia = api("mia")
    target = mia.post("/folders", {"parent_id": folder["id"], "name": "Target"}).json()
    mia.post("/folders", {"parent_id": target["id"], "name": "Sub 7"})
    path = f"/nodes/{folder['id']}/children/batch"

    def run(**wish):
        items, cursor = [], None
        while True:
            answer = mia.post(path, {**wish, **({"cursor": cursor} if cursor else {})})
            assert answer.status_code == 200, answer.content
            items += answer.json()["items"]
            cursor = answer.json()["next_cursor"]
            if cursor is None:
                return items

    moved = run(action="move", parent_id=target["id"], except_ids=[target["id"]])
    assert [item["code"] for item in moved if not item["done"]] == ["files.name_taken"]
    assert len(moved) == 120
    trashed = run(action="trash", except_ids=[target["id"]])
    assert [(item["name"], item["done"]) for item in trashed] == [("Sub 7", True)]
    left = mia.get(f"/nodes/{folder['id']}/children").json()
    assert ([node["name"] for node in left["items"]], left["total_count"]) == (["Target"], 1)
    assert mia.get(f"/nodes/{target['id']}/children").json()["total_count"] == 120
    assert mia.post(path, {"action": "move"}).status_code == 422


def test_one_operation_goes_over_named_children_alone(browser, api, folder):
    fill(api, folder, 3)
    mia = api("mia")
    elsewhere = mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": "Elsewhere"}).json()
    ids = {node["name"]: node["id"] for node in mia.get(f"/nodes/{folder['id']}/children").json()["items"]}
    path = f"/nodes/{folder['id']}/children/batch"
    wish = {"action": "trash", "only_ids": [ids["Sub 0"], ids["Sub 2"], elsewhere["id"]]}
    answer = mia.post(path, wish).json()
    assert ([item["name"] for item in answer["items"]], answer["next_cursor"]) == (["Sub 0", "Sub 2"], None)
    assert [node["name"] for node in mia.get(f"/nodes/{folder['id']}/children").json()["items"]] == ["Sub 1"]
    assert mia.get(f"/nodes/{elsewhere['id']}").status_code == 200
    assert mia.post(path, {**wish, "except_ids": [ids["Sub 1"]]}).status_code == 422


@pytest.fixture
def thrown_away(api, folder):
    """130 things in the trash, the latest first."""
    fill(api, folder, 130)
    for node in api("mia").get(f"/nodes/{folder['id']}/children", limit=1000).json()["items"]:
        api("mia").delete(f"/nodes/{node['id']}")
    return [node["name"] for node in api("mia").get("/trash", limit=1000).json()["items"]]


def test_a_trash_page_tells_how_many_there_are_and_jumps_to_rows_by_index_and_by_name(browser, api, thrown_away):
    assert browser.get("/trash/").context["totals"] == f"{len(thrown_away)} items"
    cursor = browser.get("/trash/position?at=120").json()["cursor"]
    page = api("mia").get("/trash", limit=2, cursor=cursor).json()
    assert [node["name"] for node in page["items"]] == thrown_away[120:122]
    assert browser.get("/trash/position?at=0").json() == {"cursor": None}
    assert browser.get("/trash/position?at=5000").json() == {"cursor": None}
    first = thrown_away.index("Sub 129")
    assert browser.get("/trash/position?name=sUB 129").json() == {"index": first}
    assert browser.get(f"/trash/position?name=sub 129&after={first}").json() == {"index": first}
    assert browser.get("/trash/position?name=zebra").json() == {"index": None}


def test_names_are_shown_as_text_whatever_they_hold(browser, api, folder):
    nasty = "<img src=x onerror=alert(1)>\"'&{{ 7*7 }}.svg"
    api("mia").post("/folders", {"parent_id": folder["id"], "name": nasty})
    page = browser.get(f"/files/{folder['id']}/").content.decode()
    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;&#x27;&amp;{{ 7*7 }}" in page


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("plain.txt", []),
        ("what?", ["windows"]),
        ("nul", ["windows"]),
        ("\u202etxt.exe", ["misleading"]),
        ("fi\u200ble", ["misleading"]),
        ("p\u0430y", ["misleading"]),
    ],
)
def test_what_is_wrong_with_a_name_elsewhere_is_told_beside_it(browser, api, folder, name, told):
    api("mia").post("/folders", {"parent_id": folder["id"], "name": name})
    page = browser.get(f"/files/{folder['id']}/").content.decode()
    shown = re.findall(r'<span class="name-flag" data-flag="(\w+)" title="[^"]+">', page)
    assert shown == told


def test_pages_hold_no_script_no_style_and_no_handler_of_their_own(browser, folder):
    for path in ("/files/", f"/files/{folder['id']}/", "/trash/", "/teams/", "/settings/"):
        answer = browser.get(path)
        page = answer.content.decode()
        assert answer.status_code == 200
        assert " style=" not in page
        assert "<style" not in page
        assert not re.search(r"\son\w+=", page)
        assert all("src=" in tag.partition(">")[0] for tag in page.split("<script")[1:])
        assert "'unsafe-" not in answer["Content-Security-Policy"]


def test_a_long_way_down_is_folded_in_the_middle(browser, api, folder):
    above = folder
    for name in ("2026", "Q3", "Audit", "Papers"):
        above = api("mia").post("/folders", {"parent_id": above["id"], "name": name}).json()
    crumbs = browser.get(f"/files/{above['id']}/").context["crumbs"]
    assert [crumb.name for crumb in crumbs] == ["My files", "", "Audit", "Papers"]
    assert [crumb.name for crumb in crumbs[1].hidden] == ["Reports", "2026", "Q3"]


def test_an_order_that_does_not_exist_is_the_usual_one(browser, folder):
    answer = browser.get(f"/files/{folder['id']}/?sort=colour&order=sideways")
    assert (answer.context["sort"], answer.context["order"]) == ("name", "asc")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("report.pdf", ("report", ".pdf")),
        ("backup.tar.gz", ("backup.tar", ".gz")),
        (".gitignore", (".gitignore", "")),
        ("no ending", ("no ending", "")),
        ("ends with.", ("ends with.", "")),
        ("Dr. Who", ("Dr. Who", "")),
        ("version 2.final draft", ("version 2.final draft", "")),
        ("x.averylongending", ("x.averylongending", "")),
    ],
)
def test_the_ending_of_a_name_is_told_from_its_stem(name, expected):
    assert presentation.split_name(name) == expected


def test_every_type_of_file_has_its_icon_and_its_word():
    table = json.loads(Path(presentation.__file__).with_name("static").joinpath("files/types.json").read_text())
    root = Path(__file__).parents[3]
    sprite = (root / "bitvault/web/static/img/icons.svg").read_text()
    for kind in {*table["extensions"].values(), "folder", "file"}:
        assert f'id="type-{kind}"' in sprite
        assert kind in table["labels"]


# --- strangers ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/files/", "/files/01900000-0000-7000-8000-000000000001/", "/trash/", "/settings/"])
def test_whoever_is_not_signed_in_is_sent_to_sign_in(db, path):
    answer = Client(headers={"host": HOST}).get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in/")


def test_a_part_of_a_page_sends_the_whole_page_to_sign_in(db):
    headers = {"host": HOST, "HX-Request": "true", "HX-Current-URL": f"http://{HOST}/files/?sort=name&order=desc"}
    answer = Client(headers=headers).get("/trash/position")
    assert answer["HX-Redirect"] == "/sign-in/?next=%2Ffiles%2F%3Fsort%3Dname%26order%3Ddesc"
    assert answer.content == b""


@pytest.mark.parametrize("suffix", ["", "position", "position?name=a"])
def test_a_folder_of_somebody_else_is_not_there(browser, api, suffix):
    root_id = api("boris").get("/me").json()["root_id"]
    other = api("boris").post("/folders", {"parent_id": root_id, "name": "Beta's own"}).json()
    missing = browser.get(f"/files/01900000-0000-7000-8000-00000000dead/{suffix}")
    foreign = browser.get(f"/files/{other['id']}/{suffix}")
    assert (missing.status_code, foreign.status_code) == (404, 404)
    assert "Beta" not in foreign.content.decode()


@pytest.mark.parametrize("suffix", ["", "rows"])
def test_another_vault_s_trash_reads_as_one_that_never_was(browser, api, suffix):
    team = make_team_by_rest(api("boris"), "Beta's own", by_rest("everyone", "editor"))
    root_id = api("boris").get("/me").json()["root_id"]
    missing = browser.get(f"/trash/01900000-0000-7000-8000-00000000dead/{suffix}")
    for foreign in (team["id"], root_id):
        answer = browser.get(f"/trash/{foreign}/{suffix}")
        assert (missing.status_code, answer.status_code) == (404, 404)
        assert "Beta" not in answer.content.decode()


def test_a_session_of_one_vault_opens_no_other(browser):
    assert browser.get("/files/", headers={"host": "beta.localhost"}).status_code == 302


def test_a_list_says_who_made_what(browser, api, team):
    mine = api("mia").post("/folders", {"parent_id": team["id"], "name": "Of mia"}).json()
    theirs = api("adam").post("/folders", {"parent_id": team["id"], "name": "Of adam"}).json()
    shown = {row.id: row.owner for row in browser.get(f"/files/{team['id']}/").context["rows"]}
    assert shown == {mine["id"]: "You", theirs["id"]: "Adam"}
    adam, stranger = str(ACME.people["adam"].user_id), "01900000-0000-7000-8000-0000000000ff"
    assert browser.get(f"/files/owners?ids={adam},{stranger},nonsense").json() == {adam: "Adam"}
    assert browser.get("/files/owners").json() == {}


def test_pages_of_what_others_share_begin_with_it(browser, api):
    adam = api("adam")
    folder = adam.post("/folders", {"parent_id": adam.get("/me").json()["root_id"], "name": "Reports"}).json()
    inner = adam.post("/folders", {"parent_id": folder["id"], "name": "Inner"}).json()
    adam.post(f"/nodes/{folder['id']}/shares", by_rest(ACME.people["mia"].user_id, "viewer"))
    answer = browser.get(f"/files/{inner['id']}/")
    crumbs = [(crumb.name, crumb.href) for crumb in answer.context["crumbs"]]
    assert crumbs == [("Reports", f"/files/{folder['id']}/"), ("Inner", f"/files/{inner['id']}/")]
    assert answer.context["may_write"] is False
