"""A guest is let into what was named for guests and nowhere else: every route and every page, read from the URL configuration."""

import re
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, get_resolver

from apps.identity import models, queries
from apps.storage.api import scanned
from bitvault.kernel import tenancy
from bitvault.web import guests
from bitvault.web.pages import MemberPage
from tests.support.sending import Sender
from tests.support.shares import by_rest
from tests.support.surface import routes
from tests.support.world import ACME, PASSWORD

NIL = UUID(int=7)
HOST = "acme.localhost"


@pytest.fixture
def guest(api):
    """Vera as a guest."""
    models.Membership.objects.filter(tenant_id=ACME.id, user_id=ACME.people["vera"].user_id).update(role="guest")
    queries.forget_remembered()
    yield api("vera")
    queries.forget_remembered()


@pytest.fixture
def browser(guest):
    client = Client(headers={"host": HOST})
    assert client.post("/sign-in/", {"email": ACME.people["vera"].email, "password": PASSWORD}).status_code == 302
    return client


@pytest.fixture
def box(api, guest):
    """A folder of mia's that is shared with the guest, with one in it; beside it one that is not."""
    mia = api("mia")
    root_id = mia.get("/me").json()["root_id"]
    made = mia.post("/folders", {"parent_id": root_id, "name": f"Box {uuid4().hex[:6]}"}).json()
    mia.post("/folders", {"parent_id": made["id"], "name": "Inner"})
    answer = mia.post(f"/nodes/{made['id']}/shares", by_rest(ACME.people["vera"].user_id, "editor", notify=False))
    assert answer.status_code == 201
    assert answer.json()["principal"]["is_guest"] is True
    return made


def list_pages():
    """List every page of members with its route."""

    def walk(patterns, prefix):
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            if not isinstance(pattern, URLPattern):
                yield from walk(pattern.url_patterns, here)
            elif issubclass(getattr(pattern.callback, "view_class", object), MemberPage):
                yield here

    return list(walk(get_resolver("bitvault.gateway.urls").url_patterns, ""))


def fill(route):
    return re.sub(r"<\w+:\w+>|\{\w+\}", str(NIL), route)


def is_refused(answer):
    return answer.status_code == 403 and answer.json().get("code") == "identity.not_for_guests"


def test_every_route_is_for_members_but_those_that_are_named_for_guests(guest):
    opened, wrong = guests.list_open(), []
    for route in routes():
        if route.view.is_public() if hasattr(route.view, "is_public") else True:
            continue
        for method in route.operations:
            if (method, route.path) in {("DELETE", "/sessions"), ("POST", "/auth/logout")}:
                continue  # they would end what asks
            answer = guest.request(method, fill(route.path), {} if method in ("POST", "PUT", "PATCH") else None)
            spelled = "api/v1" + re.sub(r"\{(\w+)\}", r"<\1>", route.path)
            is_open = any(re.sub(r"<\w+:(\w+)>", r"<\1>", one) == spelled for one in opened)
            if is_refused(answer) is is_open:
                wrong.append((method, route.path, answer.status_code))
    assert not wrong


def test_every_page_is_for_members_but_those_that_are_named_for_guests(browser):
    opened, wrong = guests.list_open(), []
    for route in list_pages():
        answer = browser.get(f"/{fill(route)}")
        for_guests = b"This is for members of the vault" not in answer.content
        if for_guests is not (route in opened or route == "files/"):
            wrong.append((route, answer.status_code))
    assert not wrong
    assert browser.get("/files/")["Location"] == "/shared/"


def test_what_is_open_to_guests_is_there(db):
    spelled = {"api/v1" + re.sub(r"\{(\w+)\}", r"<\1>", route.path) for route in routes()} | set(list_pages())
    lost = [
        one for one in guests.list_open() if one not in spelled and re.sub(r"<\w+:(\w+)>", r"<\1>", one) not in spelled
    ]
    assert not lost


def test_a_guest_sees_what_was_shared_and_nothing_else_of_the_frame(browser, box):
    page = browser.get("/shared/").content.decode()
    assert box["name"] in page
    assert re.findall(r'class="side-link[^"]*" href="([^"]+)"', page) == [
        "/shared/",
        "/favourites/",
        "/conflicts/",
        "/settings/",
    ]
    inside = browser.get(f"/files/{box['id']}/").content.decode()
    assert "Inner" in inside
    for hidden in ('data-command="share"', 'data-command="tags"', "/shared/details"):
        assert hidden not in inside
    for shown in ('data-command="rename"', 'data-command="favourite"'):
        assert shown in inside


def test_a_guest_marks_a_favourite_and_finds_it_again(guest, browser, box):
    assert guest.request("PUT", f"/nodes/{box['id']}/favourite").status_code == 204
    assert [one["node"]["id"] for one in guest.get("/favourites").json()["items"]] == [box["id"]]
    assert [one["node"]["id"] for one in guest.get("/shared/with-me", favourite="true").json()["items"]] == [box["id"]]
    assert box["name"] in browser.get("/favourites/").content.decode()


@pytest.mark.store
def test_a_guest_sees_how_it_stands_with_the_scan_of_what_was_shared_alone(guest, browser, box, api, acme):
    mia = api("mia")
    shared = Sender(mia, box["id"]).bring("shared.txt", b"shared")
    own = Sender(mia, mia.get("/me").json()["root_id"]).bring("own.txt", b"own")
    with tenancy.entered(acme):
        for node in (shared, own):
            scanned.settle_scan(content_hash=node["content_hash"], state="infected")
    told = guest.get(f"/nodes/{shared['id']}/scan").json()
    assert (told["state"], told["is_readable"]) == ("infected", False)
    assert guest.get(f"/nodes/{own['id']}/scan").status_code == 404
    ids = f"{shared['id']},{own['id']}"
    assert [one["node_id"] for one in guest.get("/scans", node_ids=ids).json()["items"]] == [shared["id"]]
    assert set(browser.get("/scanning/marks", {"ids": ids}).json()["marks"]) == {shared["id"]}
    assert browser.get("/scanning/details", {"ids": shared["id"]}).status_code == 200
    assert browser.get("/scanning/details", {"ids": own["id"]}).status_code == 204
    page = browser.get(f"/files/{box['id']}/").content.decode()
    assert ("scanning/marks" in page, "/scanning/details" in page, "scanning/settings" in page) == (True, True, False)
    assert guest.get("/scanning/rule").status_code == 403


def test_a_guest_finds_by_search_what_was_shared_alone(guest, box, api):
    me = guest.get("/me").json()
    assert (me["role"], me["root_id"]) == ("guest", None)
    assert guest.get("/nodes/root").status_code == 404
    assert [one["name"] for one in guest.get(f"/nodes/{box['id']}/children").json()["items"]] == ["Inner"]
    assert guest.get("/shared/with-me").json()["items"][0]["node"]["id"] == box["id"]
    assert guest.get(f"/nodes/{api('mia').get('/me').json()['root_id']}").status_code == 404
    found = guest.get("/search", q="").status_code
    assert found in (200, 422)


def test_a_guest_leaves_what_was_shared_with_them(guest, box):
    (item,) = guest.get("/shared/with-me").json()["items"]
    assert guest.delete(f"/shares/{item['share']['id']}").status_code == 204
    assert guest.get(f"/nodes/{box['id']}").status_code == 404
