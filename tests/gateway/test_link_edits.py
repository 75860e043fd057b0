"""Links that let their visitors edit: upload, replace and rename below their node, as the link, and nothing else."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.links.models import Link
from bitvault.events.models import StreamEvent
from bitvault.kernel import clock, db, tenancy
from tests.support.client import ApiClient
from tests.support.sending import Sender, put, sha256
from tests.support.shares import by_rest
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.store

HOST = "acme.localhost"


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def box(mia):
    return mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Box"}).json()


@pytest.fixture
def inside(mia, box):
    return Sender(mia.api, box["id"]).bring("plan.txt", b"first")


class Visitor:
    """Somebody at the address of a link."""

    def __init__(self, token, unlock=""):
        self.api = ApiClient(host=HOST)
        self.path = f"/public/links/{token}"
        self.headers = {"BitVault-Link-Unlock": unlock} if unlock else {}

    def ask(self, method, tail, body=None):
        return self.api.request(method, self.path + tail, body, headers=self.headers)

    def start(self, name, content, **where):
        body = {"name": name, "size_bytes": len(content), "part_hashes": [sha256(content)], **where}
        return self.ask("POST", "/uploads", body)

    def bring(self, name, content, **where):
        started = self.start(name, content, **where)
        assert started.status_code == 201, started.content
        upload = started.json()
        if upload["parts"][0]["state"] == "send":
            assert put(upload["parts"][0], content).status == 200
        return self.ask("POST", f"/uploads/{upload['id']}/commit", {})


def make(mia, node, kind="edit", **more):
    answer = mia.api.post(f"/nodes/{node['id']}/links", {"kind": kind, **more})
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def visitor(mia, box):
    return Visitor(make(mia, box)["url"].rpartition("/")[2])


def names_in(mia, folder):
    return sorted(node["name"] for node in mia.api.get(f"/nodes/{folder['id']}/children").json()["items"])


def events(*kinds):
    rows = StreamEvent.objects.filter(tenant_id=ACME.id, type__in=kinds).order_by("seq")
    return [(row.type, row.payload.get("actor_kind"), str(row.actor_id)) for row in rows]


def test_a_visitor_uploads_replaces_and_renames_and_the_stream_names_the_link(mia, box, inside):
    link = make(mia, box)
    visitor = Visitor(link["url"].rpartition("/")[2])
    assert visitor.bring("new.txt", b"of a visitor").status_code == 201
    replaced = visitor.bring("plan.txt", b"second", node_id=inside["id"])
    assert replaced.status_code == 201, replaced.content
    assert mia.fetch(mia.api.get(f"/nodes/{inside['id']}").json()).data == b"second"
    assert len(mia.api.get(f"/nodes/{inside['id']}/versions").json()["items"]) == 2
    renamed = visitor.ask("PATCH", f"/nodes/{inside['id']}", {"name": "Plan of May.txt"})
    assert renamed.status_code == 200, renamed.content
    assert set(renamed.json()) == {"id", "kind", "name", "size_bytes", "media_type", "modified_at"}
    assert names_in(mia, box) == ["Plan of May.txt", "new.txt"]
    told = events("files.version.committed.v1", "files.node.moved.v1")[-3:]
    assert [(actor_kind, actor_id) for _, actor_kind, actor_id in told] == [("link", link["id"])] * 3


def test_a_visitor_works_in_folders_below_and_nowhere_else(mia, box, visitor):
    below = mia.api.post("/folders", {"parent_id": box["id"], "name": "Below"}).json()
    outside = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Outside"}).json()
    secret = Sender(mia.api, outside["id"]).bring("secret.txt", b"x")
    assert visitor.bring("in.txt", b"below", parent_id=below["id"]).status_code == 201
    assert names_in(mia, below) == ["in.txt"]
    assert visitor.start("out.txt", b"x", parent_id=outside["id"]).status_code in (404, 410)
    assert visitor.start("secret.txt", b"y", node_id=secret["id"]).status_code in (404, 410)
    assert visitor.ask("PATCH", f"/nodes/{secret['id']}", {"name": "mine.txt"}).status_code == 404
    assert visitor.ask("PATCH", f"/nodes/{box['id']}", {"name": "Mine"}).status_code == 403
    assert visitor.bring("in.txt", b"again", parent_id=below["id"]).json()["name"] == "in (2).txt"


def test_a_link_on_one_file_takes_another_version_of_it_alone(mia, inside):
    visitor = Visitor(make(mia, inside)["url"].rpartition("/")[2])
    assert visitor.bring("plan.txt", b"third", node_id=inside["id"]).status_code == 201
    assert mia.fetch(mia.api.get(f"/nodes/{inside['id']}").json()).data == b"third"
    assert visitor.start("beside.txt", b"x").status_code in (403, 409, 410, 422)


@pytest.mark.parametrize("kind", ["view", "download"])
def test_links_of_other_kinds_take_nothing(mia, box, inside, kind):
    visitor = Visitor(make(mia, box, kind)["url"].rpartition("/")[2])
    assert visitor.start("new.txt", b"x").json()["code"] == "links.takes_nothing"
    assert visitor.ask("PATCH", f"/nodes/{inside['id']}", {"name": "x"}).json()["code"] == "links.takes_nothing"
    assert names_in(mia, box) == ["plan.txt"]


def test_what_was_begun_is_not_done_once_the_link_has_ended_and_no_other_link_goes_on_with_it(mia, box):
    first, second = make(mia, box), make(mia, box)
    visitor, other = (Visitor(link["url"].rpartition("/")[2]) for link in (first, second))
    upload = visitor.start("late.txt", b"late").json()
    put(upload["parts"][0], b"late")
    assert other.ask("POST", f"/uploads/{upload['id']}/commit", {}).status_code == 404
    assert other.ask("GET", f"/uploads/{upload['id']}").status_code == 404
    assert visitor.ask("GET", f"/uploads/{upload['id']}").status_code == 200
    assert mia.api.delete(f"/links/{first['id']}").status_code == 204
    assert visitor.ask("POST", f"/uploads/{upload['id']}/commit", {}).status_code == 410
    assert names_in(mia, box) == []


def test_what_somebody_has_locked_is_changed_through_no_link_theirs_neither(mia, box, inside, visitor):
    assert mia.api.request("PUT", f"/nodes/{inside['id']}/lock", {}).status_code in (200, 201)
    renamed = visitor.ask("PATCH", f"/nodes/{inside['id']}", {"name": "other.txt"})
    assert (renamed.status_code, renamed.json()["code"]) == (423, "files.locked")
    begun = visitor.start("plan.txt", b"second", node_id=inside["id"])
    assert (begun.status_code, begun.json()["code"]) == (423, "files.locked")
    for refusal in (renamed, begun):
        assert "lock" not in refusal.json(), "who works on it is not told to strangers"
        assert "Mia" not in refusal.content.decode()
    assert names_in(mia, box) == ["plan.txt"]
    assert mia.fetch(mia.api.get(f"/nodes/{inside['id']}").json()).data == b"first"


def test_a_password_is_asked_for_before_anything_is_changed(mia, box, inside):
    token = make(mia, box, password="open sesame")["url"].rpartition("/")[2]
    stranger = Visitor(token)
    assert stranger.start("new.txt", b"x").json()["code"] == "links.locked"
    assert stranger.ask("PATCH", f"/nodes/{inside['id']}", {"name": "x"}).json()["code"] == "links.locked"
    proof = stranger.ask("POST", "/unlock", {"password": "open sesame"}).json()["unlock_token"]
    assert Visitor(token, proof).bring("new.txt", b"x").status_code == 201


def test_nobody_gives_more_than_they_have(api, mia, box):
    adam_id = ACME.people["adam"].user_id
    assert mia.api.post(f"/nodes/{box['id']}/shares", by_rest(adam_id, "editor")).status_code == 201
    refused = api("adam").post(f"/nodes/{box['id']}/links", {"kind": "edit"})
    assert refused.status_code == 403


def test_a_link_that_edits_may_become_one_that_shows_and_stops_taking(mia, box):
    link = make(mia, box)
    visitor = Visitor(link["url"].rpartition("/")[2])
    changed = mia.api.patch(f"/links/{link['id']}", {"kind": "view"})
    assert changed.status_code == 200, changed.content
    assert visitor.start("new.txt", b"x").json()["code"] == "links.takes_nothing"


def test_a_full_vault_is_told_without_its_figures(mia, visitor, acme):
    from apps.billing import api as billing

    with tenancy.entered(acme):
        billing.set_quota(limit_bytes=0)
    answer = visitor.start("new.txt", b"x" * 100)
    assert (answer.status_code, answer.json()["code"]) == (413, "links.no_room")
    assert "limit_bytes" not in answer.json()


# --- texts: an edit names the version that it starts from -------------------------------------------------------------------


def look(visitor, node):
    return visitor.ask("GET", f"/nodes/{node['id']}")


def expire(tenant, link):
    with tenancy.entered(tenant), db.write_transaction():
        Link.objects.filter(id=link["id"]).update(expires_at=clock.now())


def save(visitor, node, content, base):
    return visitor.bring(
        node["name"], content, mode="update", node_id=node["id"], base_version_id=base.json()["version_id"]
    )


def test_an_edit_from_the_present_version_is_a_version_of_the_link(mia, box, inside):
    link = make(mia, box)
    visitor = Visitor(link["url"].rpartition("/")[2])
    base = look(visitor, inside)
    assert base.status_code == 200
    assert (base.json()["parent_id"], base.json()["version_id"]) == (box["id"], inside["version_id"])
    saved = save(visitor, inside, b"second", base)
    assert saved.status_code == 201, saved.content
    node = saved.json()["node"]
    assert node["id"] == inside["id"]
    assert node["version_id"] not in (None, inside["version_id"])
    latest = mia.api.get(f"/nodes/{inside['id']}/versions").json()["items"][0]
    told = (latest["id"], latest["made_on"], latest["author"]["id"])
    assert told == (node["version_id"], "link", link["id"])
    assert events("files.version.committed.v1")[-1][1:] == ("link", link["id"])
    assert look(visitor, inside).json()["version_id"] == node["version_id"]


def test_visitors_are_told_until_when_a_file_is_locked_and_not_by_whom(mia, box, inside):
    visitor = Visitor(make(mia, box)["url"].rpartition("/")[2])
    assert look(visitor, inside).json()["locked_until"] is None
    lock = mia.api.request("PUT", f"/nodes/{inside['id']}/lock", {"reason": "A secret"}).json()["lock"]
    told = look(visitor, inside)
    assert told.json()["locked_until"] == lock["expires_at"]
    assert b"A secret" not in told.content
    assert b"Mia" not in told.content
    refused = visitor.start(
        inside["name"], b"late", mode="update", node_id=inside["id"], base_version_id=told.json()["version_id"]
    )
    assert (refused.status_code, refused.json()["code"]) == (423, "files.locked")


@pytest.mark.parametrize(("name", "shown"), [("Agency", "Agency, through a link"), ("", "A visitor of a link")])
def test_a_version_of_a_link_has_its_name_and_kind_in_the_list_and_on_the_page(mia, box, inside, name, shown):
    link = make(mia, box, name=name)
    visitor = Visitor(link["url"].rpartition("/")[2])
    save(visitor, inside, b"second", look(visitor, inside))
    authors = [one["author"] for one in mia.api.get(f"/nodes/{inside['id']}/versions").json()["items"]]
    assert authors[0] == {"id": link["id"], "name": name, "kind": "link"}
    assert (authors[1]["kind"], authors[1]["name"]) == ("person", "Mia")
    browser = Client(headers={"host": HOST})
    browser.post("/sign-in/", {"email": ACME.people["mia"].email, "password": PASSWORD})
    assert shown in browser.get(f"/files/details/versions?ids={inside['id']}").content.decode()


def test_naming_authors_of_many_versions_takes_no_more_queries(mia, box, inside, lasting_memory):
    def ask():
        with CaptureQueriesContext(connection) as asked:
            found = mia.api.get(f"/nodes/{inside['id']}/versions").json()["items"]
        return len(asked), len(found)

    visitors = [Visitor(make(mia, box, name=f"L{number}")["url"].rpartition("/")[2]) for number in range(4)]
    save(visitors[0], inside, b"0", look(visitors[0], inside))
    ask()
    few = ask()
    for number, visitor in enumerate(visitors[1:], 1):
        save(visitor, inside, str(number).encode(), look(visitor, inside))
    assert few == (few[0], 2)
    assert ask() == (few[0], 5)


def test_an_edit_that_came_too_late_is_kept_beside_the_file(mia, box, inside, visitor):
    base = look(visitor, inside)
    Sender(mia.api, box["id"]).bring("plan.txt", b"of mia", mode="overwrite")
    late = save(visitor, inside, b"of a visitor", base)
    assert late.status_code == 201, late.content
    node = late.json()["node"]
    assert (node["id"] != inside["id"], node["parent_id"]) == (True, box["id"])
    assert node["name"].startswith("plan (conflicted copy, link, ")
    assert mia.fetch(mia.api.get(f"/nodes/{inside['id']}").json()).data == b"of mia"
    assert mia.fetch(mia.api.get(f"/nodes/{node['id']}").json()).data == b"of a visitor"
    assert names_in(mia, box) == sorted([node["name"], "plan.txt"])


def test_through_a_link_on_one_file_a_late_edit_is_refused_and_nothing_comes_beside_it(mia, box, inside):
    visitor = Visitor(make(mia, inside)["url"].rpartition("/")[2])
    base = look(visitor, inside)
    assert base.json()["parent_id"] is None, "what lies around the file is not told"
    Sender(mia.api, box["id"]).bring("plan.txt", b"of mia", mode="overwrite")
    late = save(visitor, inside, b"of a visitor", base)
    assert (late.status_code, late.json()["code"]) == (409, "files.newer_version")
    assert names_in(mia, box) == ["plan.txt"]
    assert save(visitor, inside, b"of a visitor", look(visitor, inside)).status_code == 201
    assert mia.fetch(mia.api.get(f"/nodes/{inside['id']}").json()).data == b"of a visitor"


@pytest.mark.parametrize("leads_to", ["folder", "file"])
def test_what_was_deleted_comes_back_by_no_visitors_edit(mia, box, inside, leads_to):
    visitor = Visitor(make(mia, box if leads_to == "folder" else inside)["url"].rpartition("/")[2])
    where = {"mode": "update", "node_id": inside["id"], "base_version_id": inside["version_id"]}
    upload = visitor.start("plan.txt", b"second", **where).json()
    put(upload["parts"][0], b"second")
    assert mia.api.delete(f"/nodes/{inside['id']}").status_code in (200, 204)
    assert visitor.start("plan.txt", b"third", **where).status_code in (404, 410)
    done = visitor.ask("POST", f"/uploads/{upload['id']}/commit", {})
    if leads_to == "file":
        assert done.status_code == 410, done.content
        assert look(visitor, inside).json()["code"] == "links.target_gone"
        assert names_in(mia, box) == []
    else:
        assert (done.status_code, done.json()["node"]["id"] != inside["id"]) == (201, True)
        assert look(visitor, inside).status_code == 404
        assert names_in(mia, box) == ["plan.txt"]
    assert [node["id"] for node in mia.api.get("/trash").json()["items"]] == [inside["id"]]


def test_an_edit_of_a_locked_file_is_refused_without_a_word_of_whose_lock_it_is(mia, box, inside, visitor):
    base = look(visitor, inside)
    assert mia.api.request("PUT", f"/nodes/{inside['id']}/lock", {}).status_code in (200, 201)
    begun = visitor.start(
        "plan.txt", b"second", mode="update", node_id=inside["id"], base_version_id=base.json()["version_id"]
    )
    assert (begun.status_code, begun.json()["code"]) == (423, "files.locked")
    assert "Mia" not in begun.content.decode()
    assert "lock" not in look(visitor, inside).json()


def test_an_edit_stays_below_its_link_and_needs_its_base(mia, box, inside, visitor):
    outside = Sender(mia.api, mia.parent_id).bring("secret.txt", b"x")
    assert look(visitor, outside).status_code == 404
    where = {"mode": "update", "node_id": outside["id"], "base_version_id": outside["version_id"]}
    assert visitor.start("secret.txt", b"y", **where).status_code in (404, 410)
    foreign = {"mode": "update", "node_id": inside["id"], "base_version_id": outside["version_id"]}
    assert visitor.start("plan.txt", b"y", **foreign).status_code in (404, 410)
    for unfit, code in (
        ({"mode": "update", "node_id": inside["id"]}, "files.base_version_required"),
        ({"mode": "add", "node_id": inside["id"]}, "files.upload_target_unfit"),
        ({"node_id": inside["id"], "base_version_id": inside["version_id"]}, "files.upload_target_unfit"),
    ):
        refused = visitor.start("plan.txt", b"y", **unfit)
        assert (refused.status_code, refused.json()["code"]) == (422, code)


def test_an_expired_link_takes_no_edit_and_tells_no_version(mia, box, inside, acme):
    link = make(mia, box, expires_at="2100-01-01T00:00:00Z")
    visitor = Visitor(link["url"].rpartition("/")[2])
    where = {"mode": "update", "node_id": inside["id"], "base_version_id": inside["version_id"]}
    upload = visitor.start("plan.txt", b"second", **where).json()
    put(upload["parts"][0], b"second")
    expire(acme, link)
    for answer in (
        look(visitor, inside),
        visitor.start("plan.txt", b"third", **where),
        visitor.ask("POST", f"/uploads/{upload['id']}/commit", {}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (410, "links.expired")
    assert mia.fetch(mia.api.get(f"/nodes/{inside['id']}").json()).data == b"first"


@pytest.mark.parametrize("kind", ["view", "download", "upload"])
def test_links_of_other_kinds_take_no_edit_and_tell_no_version(mia, box, inside, kind):
    more = {"request": {"title": "Files", "ask_name": False}} if kind == "upload" else {}
    visitor = Visitor(make(mia, box, kind, **more)["url"].rpartition("/")[2])
    assert look(visitor, inside).json()["code"] == "links.takes_nothing"
    if kind == "upload":
        visitor.headers["BitVault-Link-Submission"] = visitor.ask("POST", "/submissions", {}).json()["submission_token"]
    where = {"mode": "update", "node_id": inside["id"], "base_version_id": inside["version_id"]}
    assert visitor.start("plan.txt", b"x", **where).status_code in (403, 422)
    assert mia.fetch(mia.api.get(f"/nodes/{inside['id']}").json()).data == b"first"
