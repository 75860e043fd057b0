"""The fragments of the details panel: what they tell of one node and of several, to whom, and at what cost."""

import pytest
from django.test import Client

from apps.identity import api as identity
from apps.identity import policies
from tests.support.shares import by_rest
from tests.support.world import ACME, PASSWORD

FRAGMENTS = (
    *("/files/details/properties", "/files/details/versions", "/shared/details", "/activity/details"),
    "/previews/details",
)


@pytest.fixture
def enter(db):
    """Sign somebody in at acme by the form."""

    def act(name):
        client = Client(headers={"host": "acme.localhost"})
        client.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return client

    return act


@pytest.fixture
def root_id(api):
    return api("mia").get("/me").json()["root_id"]


@pytest.fixture
def make(api, root_id):
    return lambda name, parent_id=None: (
        api("mia").post("/folders", {"parent_id": parent_id or root_id, "name": name}).json()
    )


def read(browser, path, *nodes):
    answer = browser.get(path, {"ids": ",".join(node["id"] for node in nodes)})
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_the_properties_of_a_folder_name_its_place_its_owner_and_what_lies_in_it(enter, make):
    outer = make("Outer <b>")
    inner = make("Inner", outer["id"])
    make("Leaf", inner["id"])
    text = read(enter("mia"), "/files/details/properties", inner)
    assert f'<a href="/files/{outer["id"]}/"><bdi>Outer &lt;b&gt;</bdi></a>' in text
    assert "You" in text
    assert "1 item" in text
    assert f'datetime="{inner["created_at"][:19]}' in text


def test_whoever_a_folder_is_shared_with_is_told_no_place_that_they_do_not_see(enter, make, api):
    outer = make("Secret place")
    inner = make("Inner", outer["id"])
    api("mia").post(f"/nodes/{inner['id']}/shares", by_rest(ACME.people["vera"].user_id, "viewer", notify=False))
    browser = enter("vera")
    for path in ("/files/details/properties", "/shared/details", "/activity/details"):
        assert "Secret place" not in read(browser, path, inner)
    assert "Mia" in read(browser, "/shared/details", inner)


def test_several_nodes_are_told_of_together_and_those_of_others_are_left_out(enter, make, api):
    nodes = [make(f"Folder {number}") for number in range(3)]
    olgas = api("olga").get("/me").json()["root_id"]
    text = read(enter("mia"), "/files/details/properties", *nodes, {"id": olgas})
    assert "3 × Folder" in text
    assert enter("mia").get("/files/details/properties", {"ids": olgas}).status_code == 404


@pytest.mark.parametrize("path", FRAGMENTS)
def test_a_fragment_is_for_members_who_may_see_the_node(enter, make, path):
    node = make("Mine")
    assert Client(headers={"host": "acme.localhost"}).get(path, {"ids": node["id"]}).status_code == 302
    stranger = enter("adam").get(path, {"ids": node["id"]})
    assert stranger.status_code in (204, 404)
    assert "Mine" not in stranger.content.decode()


@pytest.mark.parametrize("count", [2, 60])
def test_the_properties_of_many_take_the_same_few_queries(enter, make, counted_queries, count):
    nodes = [make(f"Folder {number}") for number in range(count)]
    browser = enter("mia")
    read(browser, "/files/details/properties", *nodes)
    with counted_queries() as statements:
        read(browser, "/files/details/properties", *nodes)
    assert len(statements) <= 6, statements


def test_people_with_access_are_named_once_and_by_what_lets_them_do_most(enter, make, api):
    outer = make("Outer")
    inner = make("Inner", outer["id"])
    for node, role in ((outer, "editor"), (inner, "viewer")):
        api("mia").post(f"/nodes/{node['id']}/shares", by_rest(ACME.people["vera"].user_id, role, notify=False))
    text = read(enter("mia"), "/shared/details", inner)
    assert text.count("Vera") == 1
    assert "Can edit" in text
    assert "through Outer" in text
    assert 'data-details-command="share"' in text


def test_the_frame_of_the_panel_stands_on_the_page_with_each_registered_section(enter):
    page = enter("mia").get("/files/").content.decode()
    for key in ("files.properties", "files.versions", "sharing.people", "notifications.activity", "previews.picture"):
        assert f'data-details-section="{key}"' in page
    assert "data-details-toggle" in page


def test_lists_of_versions_say_which_rules_of_the_vault_delete_earlier_ones(enter, tree, make_actor):
    browser, file = enter("mia"), {"id": str(tree.file("a.txt").id)}

    def pages():
        return read(browser, "/files/details/versions", file), browser.get("/files/").content.decode()

    policies.forget_remembered()
    assert all("version-rules" not in page for page in pages())
    wanted = {"versions_keep_count": 1, "versions_keep_days": 30, "versions_thinning": True}
    identity.update_tenant(actor=make_actor("olga"), policies=wanted)
    try:
        for page in pages():
            assert "At most 1 earlier version is kept." in page
            assert "deleted 30 days after they were replaced" in page
            assert "only the newest version of each hour" in page
    finally:
        policies.forget_remembered()
