"""Others write between two statements of one read: the answer is of one instant all the same."""

import pytest

from apps.files import api as files
from apps.sync import api as sync
from apps.sync import queries
from bitvault.kernel import tenancy
from tests.apps.sync.following import fresh_tree, head, in_thread, project, set_horizon

pytestmark = pytest.mark.committed


@pytest.fixture
def meanwhile(monkeypatch):
    """Let somebody else act, once, just before a read calls ``name`` of the queries."""

    def arrange(name, act):
        read = getattr(queries, name)
        tenant = tenancy.current()

        def act_and_read(*args, **options):
            monkeypatch.setattr(queries, name, read)
            thread, failures = in_thread(tenant, act)
            thread.join(30)
            assert failures == []
            return read(*args, **options)

        monkeypatch.setattr(queries, name, act_and_read)

    return arrange


def test_a_journal_that_is_trimmed_meanwhile_is_read_as_it_was(tree, device, meanwhile):
    for number in range(5):
        tree.folder(f"n{number}")
    project()
    meanwhile("list_entries", lambda: set_horizon(head()))
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


def test_a_node_that_moves_meanwhile_is_told_where_it_was(tree, device, meanwhile):
    file = tree.file("x.txt")
    project()

    def move():
        tree.update(file, parent_id=tree.folder("new").id)
        project()

    meanwhile("find_states", move)
    page = sync.list_changes(actor=tree.actor, cursor=device.cursor)
    device.keep(page)
    assert not page.has_more
    assert {node["parent_id"] for node in device.nodes.values()} <= {None, *device.nodes}
    device.follow()
    assert device.nodes == fresh_tree(tree.actor)


def test_a_conflict_whose_copy_goes_into_the_trash_meanwhile_is_still_listed(tree, meanwhile):
    file = tree.file("plan.txt")
    tree.write(file, b"one")
    copy = tree.write(file, b"two").node.id
    project()

    def trash():
        files.trash_node(actor=tree.actor, node_id=copy)
        project()

    meanwhile("find_states", trash)
    assert [conflict.id for conflict in sync.list_conflicts(actor=tree.actor).items] == [copy]
    assert sync.list_conflicts(actor=tree.actor).items == []
