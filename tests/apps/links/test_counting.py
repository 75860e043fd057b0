"""Downloads that meet something else on their way: what was so when they were judged may be so no more when they are written down."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.files import api as files
from apps.links import api as links
from apps.links import errors, queries, sql
from apps.links.models import Link
from bitvault.kernel import db, tenancy
from tests.apps.files.test_plans import generic_plan, nodes_of
from tests.apps.links.conftest import make_link, published, stranger

pytestmark = [pytest.mark.committed, pytest.mark.usefixtures("tenant")]


@pytest.fixture
def file(actor, reports):
    return next(node for node in files.list_children(actor=actor, node_id=reports.id).items if node.name == "q3.txt")


@pytest.fixture
def download(actor, file):
    """Have a download of the file counted for somebody who was let in before."""
    content = files.get_content(actor=actor, node_id=file.id)

    def download(link, visitor):
        links.count_download(link_id=link.id, visitor=visitor, node_id=file.id, content=content)

    return download


@pytest.fixture
def elsewhere(tenant):
    """Do something as another request does: in a thread and on a connection of its own."""
    with ThreadPoolExecutor(1) as pool:

        def do(act):
            try:
                with tenancy.entered(tenant):
                    act()
            finally:
                connection.close()

        yield lambda act: pool.submit(do, act).result(timeout=30)


@pytest.fixture
def meanwhile(monkeypatch, elsewhere):
    """Let something happen after the next download has been judged and before it is written down."""
    find = queries.find_with_whether_had

    def let(act):
        waiting = [act]

        def find_and_wait(*args, **named):
            found = find(*args, **named)
            if waiting:
                elsewhere(waiting.pop())
            return found

        monkeypatch.setattr(queries, "find_with_whether_had", find_and_wait)

    return let


def log_of(actor, link):
    return [(one.action, one.counted) for one in links.list_accesses(actor=actor, link_id=link.id).items]


def told_of():
    return [event.payload["counted"] for event in published() if event.type == "links.link.downloaded.v1"]


def count(actor, reports):
    return links.list_links(actor=actor, node_id=reports.id).items[0].download_count


def test_a_link_that_ends_while_somebody_downloads_gives_nothing(actor, reports, download, meanwhile):
    link, _ = make_link(actor, reports)
    meanwhile(lambda: links.end_link(actor=actor, link_id=link.id))
    with pytest.raises(errors.LinkOver) as refused:
        download(link, stranger())
    assert refused.value.facts["shared_by"] == "Mia"
    assert told_of() == []
    links.change_link(actor=actor, link_id=link.id, changes={"ended": False})
    assert (count(actor, reports), log_of(actor, link)) == (0, [])


def test_a_link_that_ends_gives_nothing_again_either(actor, reports, download, meanwhile):
    link, _ = make_link(actor, reports)
    visitor = stranger()
    download(link, visitor)
    meanwhile(lambda: links.end_link(actor=actor, link_id=link.id))
    with pytest.raises(errors.LinkOver):
        download(link, visitor)
    assert told_of() == [True]


def test_whoever_is_late_for_the_last_download_does_not_get_it(actor, reports, download, meanwhile):
    link, _ = make_link(actor, reports, download_limit=1)
    meanwhile(lambda: download(link, stranger()))
    with pytest.raises(errors.LinkUsedUp):
        download(link, stranger())
    assert (count(actor, reports), log_of(actor, link), told_of()) == (1, [("downloaded", True)], [True])


def test_a_limit_that_comes_while_somebody_downloads_counts(actor, reports, download, meanwhile):
    link, _ = make_link(actor, reports)
    download(link, stranger())
    meanwhile(lambda: links.change_link(actor=actor, link_id=link.id, changes={"download_limit": 1}))
    with pytest.raises(errors.LinkUsedUp):
        download(link, stranger())
    assert (count(actor, reports), told_of()) == (1, [True])


@pytest.mark.parametrize("limit", [None, 1])
def test_who_asks_twice_at_once_gets_both_and_is_counted_once(actor, reports, download, meanwhile, limit):
    link, _ = make_link(actor, reports, download_limit=limit)
    visitor = stranger()
    meanwhile(lambda: download(link, visitor))
    download(link, visitor)
    assert count(actor, reports) == 1
    assert log_of(actor, link) == [("downloaded", False), ("downloaded", True)]
    assert told_of() == [True, False]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_download_is_a_question_and_an_end(actor, reports, download, is_new):
    link, _ = make_link(actor, reports)
    visitor = stranger()
    for _ in range(2):  # each of the two ways to write it down is learned by the connection once
        download(link, visitor)
    with CaptureQueriesContext(connection) as captured:
        download(link, stranger() if is_new else visitor)
    asked, ended = [query["sql"] for query in captured if query["sql"] != "COMMIT"]
    assert "EXISTS" in asked
    assert "events_stream_head" in ended


def test_whether_somebody_has_had_a_version_is_looked_up_however_many_have(actor, reports):
    """A popular link has a million rows in its log."""
    plans = [generic_plan(sql.LINK_AND_WHETHER_HAD)[0]["Plan"], generic_plan(sql.LINK_OF_ADDRESS)[0]["Plan"]]
    used = {node["Index Name"] for plan in plans for node in nodes_of(plan) if "Index Name" in node}
    assert "links_access_counted_once" in used
    assert "links_access_newest" not in used


def test_who_has_had_it_waits_for_nobody_who_holds_the_link(actor, reports, download, elsewhere):
    link, _ = make_link(actor, reports, download_limit=1)
    visitor = stranger()
    download(link, visitor)
    with db.write_transaction():
        Link.objects.select_for_update(no_key=True).get(id=link.id)
        elsewhere(lambda: download(link, visitor))
    assert told_of() == [True, False]
