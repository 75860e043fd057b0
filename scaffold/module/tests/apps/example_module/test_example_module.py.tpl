"""Example module: what it keeps of the stream, what it forgets, and who sees it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.example_module import api as example_module
from apps.example_module import operations
from apps.example_module.models import Version
from bitvault.events import consuming
from bitvault.kernel import clock, db, ids
from tests.apps.files.conftest import Tree
from tests.jobs.conftest import desk

__all__ = ["desk"]

pytestmark = pytest.mark.committed


@pytest.fixture(autouse=True)
def _in_acme(tenant):
    pass


@pytest.fixture
def tree(actor):
    return Tree(actor)


def keep(actor, count, *, committed_at=None):
    moment = committed_at or clock.now()
    with db.write_transaction():
        operations.keep(
            [
                Version(
                    version_id=ids.new_id(), node_id=ids.new_id(), committed_by=actor.user_id, committed_at=moment
                )
                for _ in range(count)
            ]
        )


def test_a_committed_version_is_listed_for_whoever_committed_it_and_for_nobody_else(actor, make_actor, tree):
    file = tree.file("a", None, b"abc")
    consuming.consume(operations.CONSUMER)
    assert [version.node_id for version in example_module.list_versions(actor=actor).items] == [file.id]
    assert example_module.list_versions(actor=make_actor("olga")).items == []


def test_an_event_that_is_delivered_again_changes_nothing(actor, tree):
    from bitvault.events.api import set_position

    tree.file("a", None, b"abc")
    for _ in range(2):
        with db.write_transaction():
            set_position(consumer=operations.CONSUMER, seq=0)
        consuming.consume(operations.CONSUMER)
    assert len(example_module.list_versions(actor=actor).items) == 1


def test_the_job_forgets_old_versions_and_keeps_newer_ones(actor, desk, monkeypatch):
    monkeypatch.setattr(operations, "STEP", 2)
    keep(actor, 5, committed_at=clock.now() - operations.KEPT_FOR - timedelta(days=1))
    keep(actor, 1)
    job = example_module.start_cleanup(actor=actor)
    assert example_module.start_cleanup(actor=actor).id == job.id
    assert desk.run("bulk") == 1
    assert len(example_module.list_versions(actor=actor).items) == 1


def test_a_list_costs_as_many_queries_for_many_rows_as_for_few(actor):
    keep(actor, 10)
    with CaptureQueriesContext(connection) as few:
        example_module.list_versions(actor=actor)
    keep(actor, 190)
    with CaptureQueriesContext(connection) as many:
        assert len(example_module.list_versions(actor=actor).items) == 200
    assert len(many) == len(few)


def test_pages_follow_one_another(actor):
    keep(actor, 5)
    first = example_module.list_versions(actor=actor, limit=3)
    second = example_module.list_versions(actor=actor, limit=3, cursor=first.next_cursor)
    assert (len(first.items), len(second.items), second.next_cursor) == (3, 2, None)
    assert not {version.version_id for version in first.items} & {version.version_id for version in second.items}


def test_the_list_is_there_over_rest(actor, api):
    keep(actor, 1)
    assert len(api("mia").get("/example_module/versions").json()["items"]) == 1
