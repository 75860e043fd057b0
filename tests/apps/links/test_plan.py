"""A plan's limit of links: counted over the whole vault, for links that lead somewhere, also for many made at once."""

import threading
from datetime import timedelta

import pytest
from django.db import connection

from apps.billing import api as billing
from apps.files import api as files
from apps.links import api as links
from apps.links import errors
from bitvault.events import consuming
from bitvault.kernel import clock, policies, tenancy
from tests.apps.files.conftest import Tree
from tests.apps.links.conftest import make_link


@pytest.fixture(autouse=True)
def _nothing_remembered():
    policies.forget()
    yield
    policies.forget()


def test_a_link_beyond_the_plan_is_refused_until_another_one_ends(actor, tree, reports):
    billing.set_quota(link_limit=2)
    other = tree.folder("Other")
    first, _ = make_link(actor, reports)
    make_link(actor, other, expires_at=clock.now() + timedelta(days=1))
    with pytest.raises(errors.LinkLimitReached, match="ask the operator") as refused:
        make_link(actor, other)
    assert (refused.value.status, refused.value.code) == (409, "links.limit_reached")
    assert refused.value.facts == {"limit": 2, "count": 2}
    links.end_link(actor=actor, link_id=first.id)
    made, _ = make_link(actor, other)
    with pytest.raises(errors.LinkLimitReached):
        links.change_link(actor=actor, link_id=first.id, changes={"ended": False})
    links.change_link(actor=actor, link_id=made.id, changes={"name": "still mine"})
    assert links.count_links() == 2


def test_an_expired_link_does_not_count_and_counts_again_when_it_goes_on(actor, tree, reports):
    billing.set_quota(link_limit=1)
    with clock.fixed_at(clock.now() - timedelta(days=2)):
        over, _ = make_link(actor, reports, expires_at=clock.now() + timedelta(days=1))
    assert links.count_links() == 0
    make_link(actor, reports)
    with pytest.raises(errors.LinkLimitReached):
        links.change_link(actor=actor, link_id=over.id, changes={"expires_at": clock.now() + timedelta(days=1)})


def test_links_of_what_is_gone_for_ever_end_with_it(actor, tree, reports):
    make_link(actor, reports)
    tree.trash(reports)
    consuming.consume("links")
    assert links.count_links() == 1  # it leads there again when that comes back
    files.purge_node(actor=actor, node_id=reports.id)
    for _ in range(2):
        consuming.consume("links")
    assert links.count_links() == 0


@pytest.mark.committed
def test_of_many_made_at_once_as_many_are_made_as_the_plan_allows(acme, make_actor):
    actor, outcomes, ready = make_actor("mia"), [], threading.Barrier(5)
    with tenancy.entered(acme):
        billing.set_quota(link_limit=2)
        tree = Tree(actor)
        folders = [tree.folder(f"Folder {number}") for number in range(5)]

    def attempt(folder):
        try:
            with tenancy.entered(acme):
                ready.wait(timeout=10)
                make_link(actor, folder)
            outcomes.append("made")
        except errors.LinkLimitReached:
            outcomes.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(outcomes) == ["made"] * 2 + ["refused"] * 3
