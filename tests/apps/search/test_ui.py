"""The page of results: what narrows the search stands as chips, each of which can be taken away, and what there is has a number."""

import re
from html import unescape
from uuid import UUID

import pytest
from django.test import Client

from bitvault.events import consuming
from bitvault.kernel import tenancy
from tests.apps.files.conftest import Tree
from tests.support.world import ACME, PASSWORD


@pytest.fixture
def browser(db):
    """Mia's browser, signed in at her vault by the form."""
    client = Client(headers={"host": "acme.localhost"})
    client.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD})
    return client


def links(page, label):
    """The addresses under a landmark or list with this label, by their texts."""
    part = page[page.index(f'aria-label="{label}"') :]
    part = part[: re.search("</(?:nav|ul|div)>", part).start()]
    found = re.findall(r'<a [^>]*href="([^"]*)"[^>]*>(.*?)</a>', part, re.DOTALL)
    return {" ".join(re.sub("<[^>]*>", " ", text).split()): unescape(href) for href, text in found}


def test_what_narrows_the_search_are_chips_and_what_is_there_has_numbers(browser, api, acme, actor, counted_queries):
    root_id = api("mia").get("/me").json()["root_id"]
    folder = api("mia").post("/folders", {"parent_id": root_id, "name": "Reports"}).json()
    for number in range(3):
        api("mia").post("/folders", {"parent_id": folder["id"], "name": f"Plan {number}"})
    with tenancy.entered(acme):
        Tree(actor).file("Plan.txt", UUID(folder["id"]))
        consuming.consume("search")
    page = browser.get("/search/", {"q": "plan owner:me", "in": folder["id"]}).content.decode()
    assert page.count('<li class="search-line"') == 4
    taken = links(page, "What narrows the search")
    assert set(taken) == {"owner:me", "In “Reports”"}
    assert taken["owner:me"] == f"/search/?q=plan&in={folder['id']}"
    assert taken["In “Reports”"] == "/search/?q=plan+owner%3Ame"
    types = links(page, "Type")
    assert set(types) == {"Folders 3", "Texts 1"}
    assert types["Texts 1"] == f"/search/?q=plan+owner%3Ame&type=text&in={folder['id']}"
    assert ('aria-label="Person"' in page, 'aria-label="Changed"' in page) == (False, False), (
        "they would leave all of it"
    )
    assert "Texts" in links(browser.get(types["Texts 1"]).content.decode(), "What narrows the search")
    narrower = browser.get("/search/", {"q": "plan", "since": "week"}).content.decode()
    assert "Last 7 days" in links(narrower, "What narrows the search")
    with counted_queries() as few:
        browser.get("/search/", {"q": "plan", "sort": "modified_at"})
    for number in range(3, 30):
        api("mia").post("/folders", {"parent_id": folder["id"], "name": f"Plan {number}"})
    with tenancy.entered(acme):
        consuming.consume("search")
    with counted_queries() as many:
        browser.get("/search/", {"q": "plan", "sort": "modified_at"})
    assert len(many) == len(few)


def test_the_trash_leads_to_the_trash_and_what_cannot_be_read_is_told(browser, api, acme):
    client = api("mia")
    root_id = client.get("/me").json()["root_id"]
    gone = client.post("/folders", {"parent_id": root_id, "name": "Gone plan"}).json()
    client.delete(f"/nodes/{gone['id']}")
    with tenancy.entered(acme):
        consuming.consume("search")
    page = browser.get("/search/", {"q": "plan", "trashed": "1"}).content.decode()
    assert ('href="/trash/"' in page, "Gone" in page) == (True, True)
    assert "In the trash" in links(page, "What narrows the search")
    assert "Nobody here is called “nobody”." in unescape(
        browser.get("/search/", {"q": "a owner:nobody"}).content.decode()
    )
    assert "type:pdf" in browser.get("/search/").content.decode()


def test_what_is_on_hold_is_counted_chosen_and_a_chip_that_can_be_taken_away(browser, api, acme, actor):
    tag = api("adam").post("/tags", {"name": "Case"}).json()
    with tenancy.entered(acme):
        tree = Tree(actor)
        held, _ = tree.file("Plan a.txt"), tree.file("Plan b.txt")
    assert api("mia").request("PUT", f"/nodes/{held.id}/tags/{tag['id']}").status_code == 204
    made = api("adam").post("/retention", {"kind": "hold", "name": "Case", "target": "tag", "tag_id": tag["id"]})
    assert made.status_code == 201, made.content
    with tenancy.entered(acme):
        consuming.consume("search")
    page = browser.get("/search/", {"q": "plan"}).content.decode()
    state = links(page, "State")
    assert state == {"On legal hold 1": "/search/?q=plan+held%3Ayes"}
    page = browser.get(state["On legal hold 1"]).content.decode()
    assert page.count('<li class="search-line"') == 1
    assert links(page, "What narrows the search") == {"held:yes": "/search/?q=plan"}
    page = browser.get("/search/", {"q": "plan held:maybe"}).content.decode()
    assert "Write “held:yes” or “held:no”." in page
