"""What visitors reach by a link, and how downloads are counted."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection

from apps.files import api as files
from apps.links import api as links
from apps.links import credentials, errors
from bitvault.kernel import clock, ids, tenancy
from bitvault.kernel.actor import ActorKind
from bitvault.kernel.errors import Forbidden, NotFound, TooManyRequests
from tests.apps.links.conftest import make_link, published, stranger
from tests.support.surface import count_guesses_apart

pytestmark = pytest.mark.usefixtures("tenant")


@pytest.fixture(autouse=True)
def _guesses_of_its_own(settings):
    count_guesses_apart(settings)


def admit(end, visitor=None, unlock=None):
    return links.admit(token=end, unlock=unlock, visitor=visitor or stranger())


def find(reports, actor, name):
    return next(node for node in files.list_children(actor=actor, node_id=reports.id).items if node.name == name)


# --- what is reached -------------------------------------------------------------------------------------------------------


def test_a_visitor_sees_the_node_and_what_lies_below_and_nothing_above(actor, reports):
    _, end = make_link(actor, reports)
    page = links.open_page(token=end, unlock=None, visitor=stranger())
    assert [node.name for node in page.path] == ["Reports"]
    assert [node.name for node in page.children.items] == ["More", "q3.txt"]
    below = links.open_page(token=end, unlock=None, visitor=stranger(), node_id=page.children.items[0].id)
    assert [node.name for node in below.path] == ["Reports", "More"]
    for hidden in (reports.parent_id, ids.new_id()):
        with pytest.raises(NotFound):
            links.open_page(token=end, unlock=None, visitor=stranger(), node_id=hidden)


def test_the_actor_of_a_link_is_none_of_the_people_and_only_reads(actor, tree, reports):
    link, end = make_link(actor, reports)
    beside = tree.file("beside.txt", None, b"beside")
    visiting = admit(end).actor
    assert (visiting.kind, visiting.id) == (ActorKind.LINK, link.id)
    assert visiting.principal_ids == (link.id,)
    assert files.get_node(actor=visiting, node_id=reports.id).capabilities == ("view", "download")
    for node_id in (beside.id, reports.parent_id, "root"):
        with pytest.raises(NotFound):
            files.get_node(actor=visiting, node_id=node_id)
    with pytest.raises(NotFound):
        files.get_content(actor=visiting, node_id=beside.id)
    assert files.list_reachable_roots(actor=visiting) == []
    for act in (
        lambda: files.create_folder(actor=visiting, parent_id=reports.id, name="mine"),
        lambda: files.trash_node(actor=visiting, node_id=reports.id, expected_revision="any"),
        lambda: links.list_links(actor=visiting, node_id=reports.id),
        lambda: make_link(visiting, reports),
    ):
        with pytest.raises(Forbidden):
            act()


def test_a_link_that_only_shows_gives_no_bytes(actor, reports):
    _, end = make_link(actor, reports, kind="view")
    assert links.open_page(token=end, unlock=None, visitor=stranger()).children.total_count == 2
    with pytest.raises(Forbidden):
        files.get_content(actor=admit(end).actor, node_id=find(reports, actor, "q3.txt").id)


def test_what_a_visitor_is_told_of_a_node_names_nobody(actor, reports):
    _, end = make_link(actor, reports, name="internal name")
    page = links.open_page(token=end, unlock=None, visitor=stranger())
    told = str(page)
    assert str(actor.user_id) not in told
    assert "internal name" not in told
    assert "Private" not in told
    assert page.link.shared_by == "Mia"


# --- when it can be opened -------------------------------------------------------------------------------------------------


def test_a_link_opens_between_its_times(actor, reports, monkeypatch):
    now = clock.now()
    _, end = make_link(actor, reports, starts_at=now + timedelta(hours=1), expires_at=now + timedelta(hours=2))
    with pytest.raises(errors.LinkNotStarted) as early:
        admit(end)
    assert early.value.facts["shared_by"] == "Mia"
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=1, minutes=1))
    admit(end)
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(hours=2))
    with pytest.raises(errors.LinkExpired) as late:
        admit(end)
    assert (late.value.status, late.value.facts["shared_by"]) == (410, "Mia")


def test_what_was_ended_gives_nothing_even_to_whoever_was_let_in_before(actor, reports):
    link, end = make_link(actor, reports)
    admission = admit(end)
    content = files.get_content(actor=admission.actor, node_id=find(reports, actor, "q3.txt").id)
    links.end_link(actor=actor, link_id=link.id)
    with pytest.raises(errors.LinkOver):
        links.count_download(link_id=link.id, visitor=stranger(), node_id=reports.id, content=content)
    with pytest.raises(errors.LinkOver):
        admit(end)


@pytest.mark.parametrize("end", ["", "x" * 22, "x" * 10_000, "\ud800", "é\0"])
def test_what_no_link_has_is_not_found(end):
    with pytest.raises(NotFound):
        admit(end)


# --- passwords -------------------------------------------------------------------------------------------------------------


def test_a_link_with_a_password_tells_nothing_until_it_is_given(actor, reports):
    _, end = make_link(actor, reports, password="a good password")
    page = links.open_page(token=end, unlock=None, visitor=stranger())
    assert (page.link.locked, page.link.node, page.path, page.children) == (True, None, [], None)
    with pytest.raises(errors.LinkLocked):
        admit(end)
    with pytest.raises(errors.LinkLocked):
        links.list_public_children(token=end, unlock="x", visitor=stranger())
    given = links.unlock_link(token=end, password="a good password", visitor=stranger())
    page = links.open_page(token=end, unlock=given.unlock_token, visitor=stranger())
    assert page.link.node.name == "Reports"
    admit(end, unlock=given.unlock_token)


def test_a_proof_is_of_one_link_and_one_password_and_ends(actor, reports, monkeypatch):
    link, end = make_link(actor, reports, password="a good password")
    _, other = make_link(actor, reports, password="a good password")
    proof = links.unlock_link(token=end, password="a good password", visitor=stranger()).unlock_token
    with pytest.raises(errors.LinkLocked):
        admit(other, unlock=proof)
    links.change_link(actor=actor, link_id=link.id, changes={"password": "another password"})
    with pytest.raises(errors.LinkLocked):
        admit(end, unlock=proof)
    proof = links.unlock_link(token=end, password="another password", visitor=stranger()).unlock_token
    admit(end, unlock=proof)
    monkeypatch.setattr(credentials, "UNLOCK_LIFETIME", timedelta(seconds=-1))
    with pytest.raises(errors.LinkLocked):
        admit(end, unlock=proof)


def test_wrong_passwords_are_counted_by_link_and_address_and_lock_nobody_else_out(actor, reports, monkeypatch):
    monkeypatch.setattr("apps.links.visits.GUESSES", 3)
    _, end = make_link(actor, reports, password="a good password")
    _, other = make_link(actor, reports, password="a good password")

    def give(password, address="192.0.2.1", at=end):
        return links.unlock_link(token=at, password=password, visitor=stranger(address=address))

    before = give("a good password")
    for _ in range(3):
        with pytest.raises(errors.WrongPassword):
            give("wrong")
    with pytest.raises(TooManyRequests):
        give("a good password")
    assert give("a good password", address="192.0.2.2")
    assert give("a good password", at=other)
    admit(end, unlock=before.unlock_token)


def test_right_passwords_are_not_counted(actor, reports, monkeypatch):
    monkeypatch.setattr("apps.links.visits.GUESSES", 2)
    _, end = make_link(actor, reports, password="a good password")
    for _ in range(5):
        links.unlock_link(token=end, password="a good password", visitor=stranger())


# --- counting --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def download(actor, reports):
    """Download the file of a link to the folder, as somebody."""

    def download(end, visitor, name="q3.txt"):
        admission = links.admit(token=end, unlock=None, visitor=visitor)
        node = find(reports, actor, name)
        content = files.get_content(actor=admission.actor, node_id=node.id)
        links.count_download(link_id=admission.link_id, visitor=visitor, node_id=node.id, content=content)

    return download


def count(actor, reports):
    return links.list_links(actor=actor, node_id=reports.id).items[0].download_count


def test_one_download_is_one_visitor_and_one_version(actor, reports, tree, download):
    _, end = make_link(actor, reports, download_limit=3)
    first, second = stranger(), stranger()
    for _ in range(3):
        download(end, first)
    assert count(actor, reports) == 1
    download(end, second)
    assert count(actor, reports) == 2
    tree.file("q3.txt", reports, b"newer figures", mode="overwrite")
    download(end, first)
    assert count(actor, reports) == 3
    download(end, first)
    with pytest.raises(errors.LinkUsedUp) as refused:
        download(end, stranger())
    assert refused.value.facts["shared_by"] == "Mia"
    assert links.list_links(actor=actor, node_id=reports.id).items[0].state == "used_up"


def test_looking_counts_nothing(actor, reports):
    _, end = make_link(actor, reports, download_limit=1)
    for _ in range(3):
        links.open_page(token=end, unlock=None, visitor=stranger())
        links.list_public_children(token=end, unlock=None, visitor=stranger())
    admission = admit(end)
    content = files.get_content(actor=admission.actor, node_id=find(reports, actor, "q3.txt").id)
    links.require_download(link_id=admission.link_id, visitor=stranger(), content=content)
    assert count(actor, reports) == 0


def test_without_a_cookie_only_a_later_part_is_known_again(actor, reports, download):
    _, end = make_link(actor, reports, download_limit=2)
    plain = {"is_new": True, "address": "192.0.2.9", "program": "curl"}
    download(end, stranger(**plain))
    download(end, stranger(**plain, resumes=True))
    assert count(actor, reports) == 1
    download(end, stranger(**plain))
    assert count(actor, reports) == 2
    download(end, stranger(**plain, resumes=True))
    with pytest.raises(errors.LinkUsedUp):
        download(end, stranger(**{**plain, "address": "192.0.2.10"}, resumes=True))
    with pytest.raises(errors.LinkUsedUp):
        download(end, stranger(**plain))


def test_a_limit_that_is_raised_lets_more_in(actor, reports, download):
    link, end = make_link(actor, reports, download_limit=1)
    download(end, stranger())
    with pytest.raises(errors.LinkUsedUp):
        download(end, stranger())
    links.change_link(actor=actor, link_id=link.id, changes={"download_limit": 2})
    download(end, stranger())


def test_each_access_is_in_the_log_of_the_link_and_an_event_of_the_link(actor, reports, download):
    link, end = make_link(actor, reports, password="a good password")
    visitor = stranger()
    with pytest.raises(errors.WrongPassword):
        links.unlock_link(token=end, password="wrong", visitor=visitor)
    links.change_link(actor=actor, link_id=link.id, changes={"password": None})
    links.open_page(token=end, unlock=None, visitor=visitor)
    download(end, visitor)
    download(end, visitor)
    log = links.list_accesses(actor=actor, link_id=link.id).items
    assert [(one.action, one.counted) for one in log] == [
        ("downloaded", False), ("downloaded", True), ("opened", False), ("refused", False),
    ]  # fmt: skip
    assert len({one.visitor for one in log}) == 1
    told = [event for event in published() if event.payload.get("actor_kind") == "link"]
    assert [event.type.split(".")[2] for event in told] == ["refused", "opened", "downloaded", "downloaded"]
    assert {event.actor_id for event in told} == {link.id}


def test_a_download_is_egress_as_any_other(actor, reports, download):
    from apps.billing.models import UsageDay
    from bitvault.events import consuming
    from bitvault.kernel import db

    _, end = make_link(actor, reports, download_limit=5)
    visitor = stranger()
    download(end, visitor)
    download(end, visitor)
    consuming.consume("billing")
    with db.read_transaction():
        rows = dict(UsageDay.objects.values_list("metric", "amount"))
    assert (rows["downloads_signed_count"], rows["downloaded_bytes"]) == (2, 2 * len(b"figures"))


@pytest.mark.committed
def test_of_a_hundred_visitors_who_want_the_last_download_exactly_one_gets_it(actor, reports, tenant):
    link, end = make_link(actor, reports, download_limit=1)
    content = files.get_content(actor=actor, node_id=find(reports, actor, "q3.txt").id)
    threads = 20
    barrier = Barrier(threads)

    def want(_):
        gained = 0
        try:
            with tenancy.entered(tenant):
                barrier.wait()
                for _ in range(5):
                    try:
                        links.count_download(link_id=link.id, visitor=stranger(), node_id=reports.id, content=content)
                    except errors.LinkUsedUp:
                        continue
                    gained += 1
        finally:
            connection.close()
        return gained

    with ThreadPoolExecutor(threads) as pool:
        assert sum(pool.map(want, range(threads))) == 1
    assert count(actor, reports) == 1
    assert end


@pytest.mark.committed
def test_one_visitor_who_asks_many_times_at_once_is_counted_once(actor, reports, tenant):
    link, _ = make_link(actor, reports, download_limit=2)
    content = files.get_content(actor=actor, node_id=find(reports, actor, "q3.txt").id)
    visitor = stranger()
    barrier = Barrier(8)

    def want(_):
        try:
            with tenancy.entered(tenant):
                barrier.wait()
                links.count_download(link_id=link.id, visitor=visitor, node_id=reports.id, content=content)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(want, range(8)))
    assert count(actor, reports) == 1
