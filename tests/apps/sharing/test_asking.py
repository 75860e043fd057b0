"""Who follows an address that they may not open asks for access; nobody learns by it whether there is such a node."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.core import mail
from django.test import Client

from apps.notifications import api as notifications
from apps.sharing import api as sharing
from apps.sharing import asking, errors
from apps.sharing.models import AccessRequest
from apps.sharing.tasks import sweep
from bitvault.events import consuming
from bitvault.jobs import calling, running
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import events, last_seq
from tests.apps.identity.posting import deliver
from tests.support.shares import filled, grant, make_team, share
from tests.support.world import ACME, PASSWORD


@pytest.fixture(autouse=True)
def _no_nudges(monkeypatch):
    monkeypatch.setattr(calling, "nudge", lambda _: None)
    monkeypatch.setattr(asking, "LIMIT", 100_000)


@pytest.fixture
def enter(db):
    """Sign somebody in at acme by the form."""

    def act(name):
        client = Client(headers={"host": "acme.localhost"})
        client.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return client

    return act


@pytest.fixture
def olga(make_actor):
    return replace(make_actor("olga"), role=Role.MEMBER)


@pytest.fixture
def plans(tree):
    return tree.folder("Plans")


def ask(actor, node_id, **more):
    sharing.request_access(actor=filled(actor), node_id=getattr(node_id, "id", node_id), **more)
    while running.run_next("jobs"):
        pass


def waiting(actor):
    return list(sharing.list_access_requests(actor=filled(actor)).items)


def answer(actor, request, **more):
    return sharing.answer_access_request(actor=filled(actor), request_id=request.id, **more)


def test_the_keeper_hears_of_it_gives_it_and_it_is_there(tree, olga, plans):
    before = last_seq()
    ask(olga, plans, role="editor", message="For Monday")
    (request,) = waiting(tree.actor)
    assert (request.node.name, request.requester.id, request.role, request.message) == (
        "Plans",
        olga.user_id,
        "editor",
        "For Monday",
    )
    answered = answer(tree.actor, request, granted=True, role="viewer")
    assert sharing.get_access(actor=filled(olga), node_id=plans.id).node.capabilities == ("view", "download")
    (given,) = sharing.list_shares(actor=tree.actor, node_id=plans.id).items
    assert (given.id, given.role, given.granted_by) == (answered.share_id, "viewer", tree.actor.user_id)
    assert waiting(tree.actor) == []
    told = [(kind, facts.get("keeper_id"), facts.get("granted")) for kind, facts in events(before)]
    assert told == [
        ("sharing.access.requested.v1", str(tree.actor.user_id), None),
        ("sharing.share.granted.v1", None, None),
        ("sharing.access.answered.v1", None, True),
    ]
    with pytest.raises(NotFound):
        answer(tree.actor, request, granted=False)


def test_asking_for_nothing_reads_and_publishes_as_asking_for_something_until_a_worker_looks(api, tree, plans):
    before = last_seq()
    there = api("olga").post(f"/nodes/{plans.id}/access-requests", {})
    nowhere = api("olga").post(f"/nodes/{ids.new_id()}/access-requests", {})
    trashed = tree.folder("Gone")
    tree.trash(trashed)
    seq = last_seq()
    gone = api("olga").post(f"/nodes/{trashed.id}/access-requests", {})
    ignored = {"date", "bitvault-request-id", "x-request-id"}
    said = [
        (one.status_code, one.content, {key.lower() for key in one.headers} - ignored) for one in (there, nowhere, gone)
    ]
    assert said == [said[0]] * 3
    assert said[0][0] == 204
    assert "bitvault-seq" not in said[0][2]
    assert seq > before
    while running.run_next("jobs"):
        pass
    assert [facts["node_id"] for kind, facts in events(seq) if kind.startswith("sharing.")] == [str(plans.id)]


def test_who_declines_is_not_asked_again_until_they_ask_again(tree, olga, plans):
    ask(olga, plans)
    (request,) = waiting(tree.actor)
    answer(tree.actor, request, granted=False)
    assert waiting(tree.actor) == []
    before = last_seq()
    ask(olga, plans, message="Please")
    ask(olga, plans, message="Pretty please")
    (again,) = waiting(tree.actor)
    assert (again.id, again.message) == (request.id, "Pretty please")
    assert len([kind for kind, _ in events(before) if kind == "sharing.access.requested.v1"]) == 1


def test_who_is_declined_is_told_so_by_mail_without_the_name_of_what_they_asked_for(tree, olga, plans):
    ask(olga, plans)
    (request,) = waiting(tree.actor)
    answer(tree.actor, request, granted=False)
    (letter,) = [one for one in deliver() if one.to == ["olga@acme.test"]]
    assert letter.subject == "Your request for access was declined"
    assert "Mia (mia@acme.test) has declined" in letter.body
    assert f"/files/{plans.id}/" in letter.body
    assert "Plans" not in str(letter.message())
    ask(olga, plans)
    (again,) = waiting(tree.actor)
    answer(tree.actor, again, granted=False)
    mail.outbox.clear()
    ask(olga, plans)  # before the mail has left: the answer does not hold any more
    assert [one for one in mail.outbox if one.to == ["olga@acme.test"]] == []


def test_who_has_it_already_is_told_so_and_may_ask_for_more(tree, olga, plans):
    share(tree.actor, plans, olga, "viewer")
    with pytest.raises(errors.AccessHeld):
        ask(olga, plans, role="previewer")
    ask(olga, plans, role="editor")
    assert [request.role for request in waiting(tree.actor)] == ["editor"]


def test_only_who_may_share_the_node_sees_the_request_and_answers(tree, olga, plans, make_actor):
    adam = make_actor("adam")
    share(tree.actor, plans, adam, "editor")
    ask(olga, plans)
    (request,) = waiting(tree.actor)
    for other in (adam, olga, make_actor("vera")):
        assert waiting(other) == []
        with pytest.raises(NotFound):
            answer(other, request, granted=True)
    share(tree.actor, plans, adam, "manager")
    assert [one.id for one in waiting(adam)] == [request.id]
    with pytest.raises(errors.ExpiryPast):
        answer(adam, request, granted=True, expires_at=clock.now())
    answer(adam, request, granted=True, expires_at=clock.now() + timedelta(days=1))


def test_the_bell_and_a_mail_tell_the_keeper_or_the_administrators_of_a_team_folder(tree, make_actor, plans):
    vera, adam = make_actor("vera"), make_actor("adam")
    team = make_team(adam, "Design", grant(make_actor("mia"), "viewer"))
    ask(vera, plans)
    ask(vera, team)
    consuming.consume("notifications")
    for actor, name in ((tree.actor, "Plans"), (adam, "Design")):
        (notice,) = [one for one in notifications.list_notices(actor=filled(actor)).items if one.kind == "asked"]
        assert notice.text == f"Vera asks for access to {name}"


def test_requests_are_listed_by_a_number_of_statements_that_does_not_grow(tree, olga, counted_queries):
    counts = []
    for count in (10, 60):
        with db.write_transaction():
            AccessRequest.objects.all().delete()
        for number in range(count):
            node = tree.folder(f"{count}-{number}")
            with db.write_transaction():
                AccessRequest.objects.create(
                    node_id=node.id, user_id=olga.user_id, role="viewer", state="open", asked_at=clock.now()
                )
        with counted_queries() as queries:
            assert len(waiting(tree.actor)) == count
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_old_requests_are_forgotten(tree, olga, plans):
    ask(olga, plans)
    with clock.fixed_at(clock.now() + asking.KEPT_FOR + timedelta(hours=1)):
        sweep.run()
    assert waiting(tree.actor) == []


def test_the_page_of_an_address_says_the_same_whatever_is_there_and_offers_to_ask(db, tree, plans, enter):
    pages = [enter("olga").get(f"/files/{one}/") for one in (plans.id, ids.new_id())]
    assert [page.status_code for page in pages] == [404, 404]
    for page, one in zip(pages, (plans.id, None), strict=True):
        assert "Ask for access" in page.content.decode()
        assert "Plans" not in page.content.decode()
        assert one is None or f'data-node-id="{one}"' in page.content.decode()


def test_the_page_of_requests_shows_who_asks_for_what(tree, make_actor, plans, enter):
    ask(make_actor("vera"), plans, message="For <Monday>")
    page = enter("mia").get("/shared/requests/").content.decode()
    assert "For &lt;Monday&gt;" in page
    assert 'data-who="Vera"' in page
    assert "1 request for access" in enter("mia").get("/shared/by-me/").content.decode()
    assert "No requests for access" in enter("vera").get("/shared/requests/").content.decode()
