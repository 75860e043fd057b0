"""Links as those have them who share a node: who may make one, what it can be, and how it ends."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.files import api as files
from apps.links import api as links
from apps.links import credentials, errors
from apps.links.dtos import LinkWish
from apps.links.models import Link
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Role, Scope
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import Tree
from tests.apps.links.conftest import make_link, published, stranger
from tests.support.shares import filled, live, share

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture
def olga(make_actor):
    """Somebody of the tenant who reaches nothing of mia's."""
    return live(replace(make_actor("olga"), role=Role.MEMBER))


def in_days(days):
    return clock.now() + timedelta(days=days)


# --- who may ---------------------------------------------------------------------------------------------------------------


def test_who_shares_a_node_makes_links_to_it_and_sees_them(actor, reports):
    made, end = make_link(actor, reports, name="For the press")
    assert (made.name, made.kind, made.state, made.has_password) == ("For the press", "download", "open", False)
    assert len(end) == 22
    assert links.list_links(actor=actor, node_id=reports.id).items == [made]
    (item,) = links.list_my_links(actor=actor).items
    assert (item.link, item.node.name) == (made, "Reports")


@pytest.mark.parametrize("role", ["previewer", "viewer", "contributor", "editor", "uploader"])
def test_who_may_not_share_makes_no_link_and_sees_none(actor, olga, reports, role):
    made, _ = make_link(actor, reports)
    share(actor, reports, olga, role)
    asker = filled(olga)
    for act in (
        lambda: make_link(asker, reports),
        lambda: links.list_links(actor=asker, node_id=reports.id),
        lambda: links.change_link(actor=asker, link_id=made.id, changes={"name": "mine"}),
        lambda: links.end_link(actor=asker, link_id=made.id),
        lambda: links.list_accesses(actor=asker, link_id=made.id),
    ):
        with pytest.raises(Forbidden):
            act()
    assert links.list_links(actor=actor, node_id=reports.id).items == [made]


def test_who_reaches_nothing_learns_nothing(actor, olga, reports):
    made, _ = make_link(actor, reports)
    for act in (
        lambda: make_link(olga, reports),
        lambda: links.list_links(actor=olga, node_id=reports.id),
        lambda: links.change_link(actor=olga, link_id=made.id, changes={"name": "mine"}),
        lambda: links.end_link(actor=olga, link_id=made.id),
        lambda: links.list_accesses(actor=olga, link_id=made.id),
    ):
        with pytest.raises(NotFound):
            act()


def test_whoever_manages_a_node_ends_the_links_that_others_made(actor, olga, reports):
    share(actor, reports, olga, "manager")
    made, end = make_link(filled(olga), reports)
    links.end_link(actor=actor, link_id=made.id)
    with pytest.raises(errors.LinkOver):
        links.open_page(token=end, unlock=None, visitor=stranger())


def test_a_token_that_may_not_write_makes_no_link(actor, reports):
    reader = replace(actor, scopes=frozenset({Scope.FILES_READ}))
    with pytest.raises(Forbidden):
        make_link(reader, reports)


# --- what a link can be ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"password": "1234567"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"slug": "short"}, "slug"),
        ({"slug": "Capital-letters"}, "slug"),
        ({"slug": "ends-with-a-dash-"}, "slug"),
        ({"name": "x" * 121}, "name"),
        ({"download_limit": 0}, "download_limit"),
        ({"kind": "view", "download_limit": 5}, "download_limit"),
    ],
)
def test_a_link_that_cannot_be_is_refused(actor, reports, wish, field):
    with pytest.raises(errors.LinkUnfit) as refused:
        make_link(actor, reports, **wish)
    assert refused.value.facts["field"] == field


def test_a_link_ends_in_the_future_and_after_it_began(actor, reports):
    for times in ({"expires_at": in_days(-1)}, {"starts_at": in_days(3), "expires_at": in_days(2)}):
        with pytest.raises(errors.LinkUnfit):
            make_link(actor, reports, **times)


def test_a_chosen_address_is_one_links_alone_for_ever(actor, tree, reports):
    made, end = make_link(actor, reports, slug="press-kit-2026")
    assert (end, made.slug) == ("press-kit-2026", "press-kit-2026")
    links.end_link(actor=actor, link_id=made.id)
    with pytest.raises(errors.SlugTaken):
        make_link(actor, tree.folder("other"), slug="press-kit-2026")


def test_a_node_has_a_hundred_links_and_no_more(actor, reports, monkeypatch):
    monkeypatch.setattr("apps.links.operations.LINKS_OF_NODE_LIMIT", 2)
    make_link(actor, reports)
    second, _ = make_link(actor, reports)
    with pytest.raises(errors.TooManyLinks):
        make_link(actor, reports)
    links.end_link(actor=actor, link_id=second.id)
    make_link(actor, reports)


def test_neither_token_nor_password_stands_in_a_row_or_an_event(actor, reports):
    _, end = make_link(actor, reports, password="canary password")
    with db.read_transaction():
        row = Link.objects.get()
        text = f"{[getattr(row, field.name) for field in Link._meta.fields]}"
    assert bytes(row.token_hash) == credentials.hash_token(end)
    told = "".join(str(event.payload) for event in published())
    for secret in (end, "canary password"):
        assert secret not in text
        assert secret not in told


# --- changing and ending ---------------------------------------------------------------------------------------------------


def test_what_is_named_changes_and_nothing_else(actor, reports):
    made, end = make_link(actor, reports, name="old", password="a good password", expires_at=in_days(1))
    changed = links.change_link(actor=actor, link_id=made.id, changes={"name": "new", "expires_at": None})
    assert (changed.name, changed.expires_at, changed.has_password) == ("new", None, True)
    opened = links.change_link(actor=actor, link_id=made.id, changes={"password": None})
    assert not opened.has_password
    assert links.open_page(token=end, unlock=None, visitor=stranger()).link.node.name == "Reports"


def test_what_is_as_it_was_is_no_change(actor, reports):
    made, _ = make_link(actor, reports, name="same", password="a good password", download_limit=3)
    before = len(published())
    same = {"name": "same", "password": "a good password", "download_limit": 3, "expires_at": None, "ended": False}
    for changes in (same, {}):
        assert links.change_link(actor=actor, link_id=made.id, changes=changes) == made
    assert len(published()) == before


def test_an_end_can_be_taken_back_and_the_address_is_as_before(actor, reports):
    made, end = make_link(actor, reports)
    links.end_link(actor=actor, link_id=made.id)
    assert links.list_links(actor=actor, node_id=reports.id).items == []
    with pytest.raises(NotFound):
        links.end_link(actor=actor, link_id=made.id)
    with pytest.raises(NotFound):
        links.change_link(actor=actor, link_id=made.id, changes={"name": "other"})
    links.change_link(actor=actor, link_id=made.id, changes={"ended": False})
    assert links.open_page(token=end, unlock=None, visitor=stranger()).link.node.name == "Reports"


def test_each_change_is_an_event_of_who_made_it(actor, reports):
    made, _ = make_link(actor, reports)
    links.change_link(actor=actor, link_id=made.id, changes={"kind": "view"})
    links.end_link(actor=actor, link_id=made.id)
    told = [
        (event.type, event.actor_id, event.payload["link_id"]) for event in published() if event.type[:5] == "links"
    ]
    assert told == [(f"links.link.{what}.v1", actor.user_id, str(made.id)) for what in ("created", "changed", "ended")]


# --- lists -----------------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("lasting_memory")
def test_a_list_costs_as_many_queries_for_many_rows_as_for_few(actor, reports, tree):
    def count():
        with CaptureQueriesContext(connection) as asked:
            links.list_my_links(actor=actor)
            links.list_links(actor=actor, node_id=reports.id)
        return len(asked)

    for _ in range(3):
        make_link(actor, reports)
    few = count()
    for number in range(20):
        make_link(actor, tree.folder(f"folder {number}"))
        make_link(actor, reports)
    assert count() == few


def test_pages_follow_one_another(actor, reports):
    made = [make_link(actor, reports)[0].id for _ in range(5)]
    first = links.list_my_links(actor=actor, limit=3)
    second = links.list_my_links(actor=actor, limit=3, cursor=first.next_cursor)
    assert [item.link.id for item in (*first.items, *second.items)] == made[::-1]
    assert second.next_cursor is None


def test_links_of_what_lies_in_the_trash_are_left_out_and_come_back_with_it(actor, reports):
    _, end = make_link(actor, reports)
    files.trash_node(actor=actor, node_id=reports.id, expected_revision="any")
    assert links.list_my_links(actor=actor).items == []
    with pytest.raises(errors.LinkTargetGone):
        links.open_page(token=end, unlock=None, visitor=stranger())
    files.restore_node(actor=actor, node_id=reports.id)
    assert links.open_page(token=end, unlock=None, visitor=stranger()).link.node.name == "Reports"


def test_a_link_leads_to_the_node_wherever_it_is_moved(actor, tree, reports):
    _, end = make_link(actor, reports)
    target = Tree(actor).folder("Elsewhere")
    files.update_node(actor=actor, node_id=reports.id, parent_id=target.id, expected_revision="any")
    page = links.open_page(token=end, unlock=None, visitor=stranger())
    assert [node.name for node in page.path] == ["Reports"]


def test_another_tenant_knows_nothing_of_a_link(actor, reports, make_actor, beta):
    from bitvault.kernel import tenancy

    made, end = make_link(actor, reports)
    boris = make_actor("boris")
    token = tenancy._current.set(None)
    try:
        with tenancy.entered(beta):
            with pytest.raises(NotFound):
                links.open_page(token=end, unlock=None, visitor=stranger())
            with pytest.raises(NotFound):
                links.end_link(actor=boris, link_id=made.id)
    finally:
        tenancy._current.reset(token)


def test_a_wish_has_no_defaults_that_give_more():
    wish = LinkWish(kind="view")
    assert (wish.password, wish.expires_at, wish.download_limit, wish.slug) == (None, None, None, None)
