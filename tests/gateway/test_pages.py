"""What pages of members cost, and that they and the REST surface find who asks by one way."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bitvault.gateway import authentication
from tests.support.sending import Sender
from tests.support.shares import by_rest
from tests.support.world import ACME, PASSWORD

HOST = "acme.localhost"
REACH = 1
"""Pages ask afresh what their reader may reach, so that what was just shared or taken away shows at once."""

DESCRIPTION = 1
"""The page of a folder asks Annotations what stands above its list, by one statement: Files keep no such text."""


@pytest.fixture
def browser(db, lasting_memory):
    client = Client(headers={"host": HOST})
    assert client.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD}).status_code == 302
    return client


def count_transactions(client, path: str) -> int:
    """Count what the database takes as transactions: those that are begun, and each statement outside of one."""
    client.get(path)  # what is made or remembered for a while
    with CaptureQueriesContext(connection) as captured:
        assert client.get(path).status_code == 200
    count, inside = 0, False
    for query in captured:
        statement = query["sql"].strip().upper()
        if statement.startswith(("BEGIN", "SAVEPOINT")):
            count, inside = count + 1, True
        elif re.match(r"COMMIT|ROLLBACK|RELEASE", statement):
            inside = False
        elif not inside:
            count += 1
    return count


@pytest.mark.parametrize("path", ["/teams/", "/trash/", "/settings/", "/settings/security/", "/settings/tokens/"])
def test_a_page_costs_two_transactions_besides_what_the_reader_may_reach(browser, path):
    assert 2 <= count_transactions(browser, path) <= 2 + REACH


def test_a_folder_costs_its_description_too_and_no_more_within_others(browser, api):
    assert count_transactions(browser, "/files/") <= 2 + REACH + DESCRIPTION
    root_id = api("mia").get("/me").json()["root_id"]
    outer = api("mia").post("/folders", {"parent_id": root_id, "name": "Outer"}).json()
    inner = api("mia").post("/folders", {"parent_id": outer["id"], "name": "Inner"}).json()
    assert count_transactions(browser, f"/files/{inner['id']}/") == 2 + REACH + DESCRIPTION


def test_pages_and_rest_find_who_asks_by_one_way(browser, monkeypatch):
    asked = []
    find = authentication.identity.find_viewer
    monkeypatch.setattr(authentication.identity, "find_viewer", lambda **facts: asked.append(1) or find(**facts))
    assert browser.get("/files/").status_code == 200
    assert len(asked) == 1
    assert browser.get("/api/v1/me").status_code == 200
    assert len(asked) == 2


def test_a_token_opens_no_page(db, api):
    client = Client(headers={"host": HOST, "authorization": f"Bearer {ACME.people['mia'].token}"})
    assert client.get("/files/")["Location"] == "/sign-in/"


def test_what_a_folder_is_for_is_shown_to_who_views_it_and_not_to_who_only_sends_files_there(browser, api):
    olga = api("olga")
    root_id = olga.get("/me").json()["root_id"]
    folder = olga.post("/folders", {"parent_id": root_id, "name": "Box"}).json()
    assert (
        olga.request("PUT", f"/nodes/{folder['id']}/description", {"text": "What it is <i>for</i>"}).status_code == 200
    )
    for role, is_shown in (("uploader", False), ("viewer", True)):
        given = olga.post(f"/nodes/{folder['id']}/shares", by_rest(ACME.people["mia"].user_id, role, notify=False))
        assert given.status_code in (200, 201), given.content
        page = browser.get(f"/files/{folder['id']}/")
        text = page.content.decode() if page.status_code == 200 else ""
        assert ("What it is &lt;i&gt;for&lt;/i&gt;" in text) is is_shown
        assert "Edit description" not in text
        part = browser.get(f"/annotations/description?ids={folder['id']}")
        assert (b"What it is" in part.content) is is_shown


def test_lists_open_the_viewer_for_who_may_view_and_show_what_is_locked(browser, api):
    olga, mia = api("olga"), api("mia")
    root_id = olga.get("/me").json()["root_id"]
    names = {}
    for role in ("previewer", "viewer"):
        file = Sender(olga, root_id).bring(f"for a {role}.txt", role.encode())
        given = olga.post(f"/nodes/{file['id']}/shares", by_rest(ACME.people["mia"].user_id, role, notify=False))
        assert given.status_code == 201, given.content
        assert mia.request("PUT", f"/nodes/{file['id']}/favourite").status_code == 204
        names[role] = file
    assert olga.request("PUT", f"/nodes/{names['viewer']['id']}/lock", {"reason": "at work"}).status_code == 200
    for path in ("/favourites/", "/shared/"):
        text = browser.get(path).content.decode()
        for role, opener in (("previewer", "button"), ("viewer", "a")):
            line = text[text.index(f'data-name="for a {role}.txt"') :].partition("</li>")[0]
            assert f'data-id="{names[role]["id"]}"' in line
            assert re.search(rf"<{opener} [^>]*data-view\b", line), line
            assert ("at work" in line) is (role == "viewer")
