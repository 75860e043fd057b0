"""The pages of what is shared: what they show, and at what cost."""

import pytest
from django.test import Client

from tests.support.shares import by_rest
from tests.support.world import ACME, PASSWORD


@pytest.fixture
def enter(db):
    """Sign somebody in at acme by the form."""

    def act(name):
        client = Client(headers={"host": "acme.localhost"})
        client.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return client

    return act


@pytest.fixture
def share_many(api):
    def act(count):
        mia = api("mia")
        root_id = mia.get("/me").json()["root_id"]
        nodes = [mia.post("/folders", {"parent_id": root_id, "name": f"Folder {n}"}).json() for n in range(count)]
        for node in nodes:
            mia.post(
                f"/nodes/{node['id']}/shares",
                by_rest(ACME.people["vera"].user_id, "viewer", message="<i>Hello</i>", notify=False),
            )
        return nodes

    return act


@pytest.mark.parametrize("count", [5, 60])
def test_both_lists_take_the_same_few_queries_however_long(enter, share_many, counted_queries, count):
    share_many(count)
    for name, path in (("vera", "/shared/"), ("mia", "/shared/by-me/")):
        browser = enter(name)
        browser.get(path)
        with counted_queries() as statements:
            answer = browser.get(path)
        assert answer.content.count(b'class="shared-line"') == count
        assert len(statements) <= 9, statements


def test_who_received_it_sees_by_whom_and_with_which_words(enter, share_many):
    (node,) = share_many(1)
    page = enter("vera").get("/shared/").content.decode()
    assert f'href="/files/{node["id"]}/"' in page
    assert "Mia" in page
    assert "&lt;i&gt;Hello&lt;/i&gt;" in page
    assert "Can view" in page
    assert "Nothing is shared with you yet" in enter("olga").get("/shared/").content.decode()


def test_who_gave_it_sees_to_whom_and_can_end_it(enter, share_many):
    share_many(1)
    page = enter("mia").get("/shared/by-me/").content.decode()
    assert "Vera" in page
    assert 'data-shared-act="end"' in page
    assert "You share nothing yet" in enter("vera").get("/shared/by-me/").content.decode()


def test_marks_are_told_for_what_one_sees_and_nonsense_is_passed_over(enter, share_many, api):
    (node,) = share_many(1)
    told = enter("mia").get("/shared/badges", {"ids": f"{node['id']},nonsense"}).json()
    assert told == {node["id"]: {"short": "1", "title": "Shared with Vera"}}
    assert enter("olga").get("/shared/badges", {"ids": node["id"]}).json() == {}
    assert enter("mia").get("/shared/badges").json() == {}
    api("mia").post(f"/nodes/{node['id']}/shares", by_rest("everyone", "viewer"))
    told = enter("mia").get("/shared/badges", {"ids": node["id"]}).json()
    assert told[node["id"]] == {"short": "Everyone", "title": "Shared with everyone"}


def test_a_list_goes_on_page_by_page(enter, share_many, monkeypatch):
    from apps.sharing.ui import views

    monkeypatch.setattr(views, "PAGE_SIZE", 2)
    share_many(3)
    browser = enter("vera")
    first = browser.get("/shared/").content.decode()
    assert first.count('class="shared-line"') == 2
    more = first.split('hx-get="')[1].split('"')[0]
    assert browser.get(more.replace("&amp;", "&")).content.decode().count('class="shared-line"') == 1


def test_what_is_shared_has_a_place_for_its_star_and_is_narrowed_to_favourites(enter, share_many, api):
    first, second = share_many(2)
    browser = enter("vera")
    page = browser.get("/shared/").content.decode()
    assert f'data-slot="notes" data-node="{first["id"]}"' in page
    assert "No favourites among these" in browser.get("/shared/?show=favourites").content.decode()
    api("vera").request("PUT", f"/nodes/{first['id']}/favourite")
    page = browser.get("/shared/?show=favourites").content.decode()
    assert first["name"] in page
    assert second["name"] not in page
    page = browser.get("/shared/?show=favourites-first").content.decode()
    assert page.index(first["name"]) < page.index(second["name"])
    assert browser.get("/shared/?show=nonsense").status_code == 200


def test_the_shelf_of_a_folder_shows_shortcuts_and_says_which_are_broken(enter, share_many, api):
    nodes = share_many(2)
    vera, mia = api("vera"), api("mia")
    root_id = vera.get("/me").json()["root_id"]
    browser = enter("vera")
    assert f'id="shortcuts-shelf" data-folder="{root_id}"' in browser.get("/files/").content.decode()
    assert browser.get("/shared/shortcuts", {"ids": root_id}).content == b""
    for node in nodes:
        assert vera.post(f"/nodes/{root_id}/shortcuts", {"node_id": node["id"]}).status_code == 201
    assert mia.delete(f"/nodes/{nodes[1]['id']}").status_code == 204
    shelf = browser.get("/shared/shortcuts", {"ids": root_id}).content.decode()
    assert shelf.count('class="shortcut"') == 2
    assert f'href="/files/{nodes[0]["id"]}/"' in shelf
    assert shelf.count("No longer shared") == 1
    assert enter("mia").get("/shared/shortcuts", {"ids": root_id}).content == b""
    assert browser.get("/shared/shortcuts", {"ids": "nonsense"}).content == b""
