"""What somebody was given, and has given, who has left goes to their successor: nothing is lost, and nobody else reaches more."""

from datetime import timedelta

import pytest

from apps.files import api as files
from apps.identity import api as identity
from apps.sharing import api as sharing
from apps.sharing.handing_over import name_role
from apps.sharing.models import Permission
from bitvault.jobs import running
from bitvault.kernel import clock, db
from bitvault.kernel.capabilities import ROLES
from tests.apps.files.conftest import assert_events_tell_all
from tests.support.shares import filled, share
from tests.support.world import ACME


@pytest.fixture
def leave(tenant):
    """Put somebody out, and do what follows from it."""

    def act(name, *, successor):
        people = ACME.people
        identity.remove_member(tenant=tenant, user_id=people[name].user_id, successor_id=people[successor].user_id)
        while running.run_next("bulk"):
            pass

    return act


def held_by(actor):
    with db.read_transaction():
        rows = list(Permission.objects.filter(principal_id=actor.user_id))
    return {row.node_id: (row.role, row.capabilities, row.expires_at) for row in rows}


def test_a_successor_has_what_was_shared_with_who_has_left(tree, make_actor, leave):
    vera, adam = make_actor("vera"), make_actor("adam")
    folder = tree.folder("Plans")
    share(tree.actor, folder, vera, "editor")
    leave("vera", successor="adam")
    assert held_by(vera) == {}
    assert files.get_node(actor=filled(adam), node_id=folder.id).capabilities[-1] == "edit"
    (item,) = sharing.list_shared_with_me(actor=filled(adam)).items
    assert item.granted_by.name == "Mia"
    assert_events_tell_all()


def test_two_shares_become_one_that_gives_both_until_the_later_end(tree, make_actor, leave):
    vera, adam = make_actor("vera"), make_actor("adam")
    box, soon, same = tree.folder("Box"), tree.folder("Soon"), tree.folder("Same")
    end = clock.now() + timedelta(days=3)
    share(tree.actor, box, vera, "uploader")
    share(tree.actor, box, adam, "commenter")
    share(tree.actor, soon, vera, "viewer")
    share(tree.actor, soon, adam, "viewer", expires_at=end)
    share(tree.actor, same, vera, "previewer", expires_at=end)
    share(tree.actor, same, adam, "editor")
    leave("vera", successor="adam")
    assert held_by(adam) == {
        box.id: ("contributor", ROLES["contributor"], None),
        soon.id: ("viewer", ROLES["viewer"], None),
        same.id: ("editor", ROLES["editor"], None),
    }
    assert_events_tell_all()


def test_what_the_successor_has_given_themselves_just_ends(tree, make_actor, leave):
    vera = make_actor("vera")
    share(tree.actor, tree.folder("Plans"), vera, "editor")
    leave("vera", successor="mia")
    assert held_by(tree.actor) == {}


def test_what_somebody_has_shared_is_the_successors_to_end(tree, make_actor, leave):
    vera, adam = make_actor("vera"), make_actor("adam")
    folder = tree.folder("Plans")
    share(tree.actor, folder, vera, "viewer")
    leave("mia", successor="adam")
    (item,) = sharing.list_shared_by_me(actor=filled(adam)).items
    assert (item.node.name, item.share.principal.name) == ("Plans", "Vera")
    assert files.get_node(actor=filled(vera), node_id=folder.id)
    sharing.revoke_share(actor=filled(adam), share_id=item.share.id)
    assert held_by(vera) == {}


def test_a_set_of_capabilities_that_no_role_names_is_custom():
    assert name_role(ROLES["editor"]) == "editor"
    assert name_role(ROLES["viewer"] | ROLES["uploader"]) == "custom"
