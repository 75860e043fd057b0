"""The vault's rules for sharing hold on the server, whoever asks and by whichever way, and are told before somebody tries."""

from datetime import timedelta

import pytest

from apps.identity import api as identity
from apps.identity import policies
from apps.identity.errors import PolicyForbids
from apps.links import api as links
from apps.links.dtos import LinkWish
from apps.links.errors import LinkOver
from apps.sharing import api as sharing
from bitvault.kernel import clock
from bitvault.kernel.request import Visitor
from tests.support.shares import filled, grant, make_team, share


@pytest.fixture
def rule(make_actor):
    """Set policies, for the length of a test."""

    def act(**wanted):
        identity.update_tenant(actor=make_actor("olga"), policies=wanted)

    yield act
    policies.forget_remembered()


@pytest.fixture
def plans(tree):
    folder = tree.folder("Plans")
    tree.file("q3.txt", folder, b"figures")
    return folder


def make(actor, node, **wish):
    return links.create_link(actor=filled(actor), node_id=node.id, wish=LinkWish(kind="download", **wish))


def refused(call, *arguments, **more):
    with pytest.raises(PolicyForbids) as refusal:
        call(*arguments, **more)
    return refusal.value.facts["policy"]


def in_days(days):
    return clock.now() + timedelta(days=days)


def test_where_nothing_goes_outside_nobody_makes_a_link(tree, plans, rule, make_actor):
    rule(share_outside="nobody")
    assert refused(make, tree.actor, plans) == "share_outside"
    rule(share_outside="administrators")
    assert refused(make, tree.actor, plans) == "share_outside"
    team = make_team(make_actor("adam"))
    make(make_actor("adam"), team)
    assert identity.get_tenant_settings(actor=tree.actor).permitted.make_links is False
    assert identity.get_tenant_settings(actor=make_actor("adam")).permitted.make_links is True


def test_links_that_the_vault_forbids_open_nothing_until_it_allows_them_again(tree, plans, rule):
    _, end = make(tree.actor, plans)
    visitor = Visitor(id="visitor-00000000000001", is_new=False, address="192.0.2.1", program="B")
    rule(links_allowed=False)
    assert refused(make, tree.actor, plans) == "links_allowed"
    with pytest.raises(LinkOver):
        links.open_page(token=end, unlock=None, visitor=visitor)
    rule(links_allowed=True)
    assert links.open_page(token=end, unlock=None, visitor=visitor).link.node.id == plans.id


def test_a_link_has_the_password_and_the_end_that_the_vault_asks_for(tree, plans, rule):
    link, _ = make(tree.actor, plans)
    rule(link_password_required=True, longest_days=7)
    assert refused(make, tree.actor, plans, expires_at=in_days(3)) == "link_password_required"
    assert refused(make, tree.actor, plans, password="long enough") == "expiry_required"
    assert refused(make, tree.actor, plans, password="long enough", expires_at=in_days(9)) == "longest_days"
    kept, _ = make(tree.actor, plans, password="long enough", expires_at=in_days(7))
    for changes in ({"password": None}, {"expires_at": None}, {"expires_at": in_days(30)}):
        refused(links.change_link, actor=tree.actor, link_id=kept.id, changes=changes)
    # One that was made before keeps what it has, and what has nothing to do with the rules can be changed.
    assert links.change_link(actor=tree.actor, link_id=link.id, changes={"name": "Old"}).name == "Old"
    refused(links.change_link, actor=tree.actor, link_id=link.id, changes={"expires_at": in_days(3)})


def test_where_only_owners_share_a_manager_does_not_share_on_and_sees_it_beforehand(tree, plans, rule, make_actor):
    vera, adam = make_actor("olga"), make_actor("adam")
    given = share(tree.actor, plans, vera, "manager")
    assert sharing.get_access(actor=filled(vera), node_id=plans.id).may_share is True
    rule(share_on="owners")
    assert sharing.get_access(actor=filled(vera), node_id=plans.id).may_share is False
    assert refused(share, vera, plans, adam, "viewer") == "share_on"
    assert refused(make, vera, plans) == "share_on"
    assert (
        refused(sharing.replace_shares, actor=filled(vera), node_id=plans.id, grants=[grant(adam, "viewer")])
        == "share_on"
    )
    assert refused(sharing.change_share, actor=filled(vera), share_id=given.id, role="viewer") == "share_on"
    assert sharing.get_access(actor=filled(tree.actor), node_id=plans.id).may_share is True
    share(tree.actor, plans, adam, "viewer")
    # Taking away is no sharing on.
    sharing.revoke_share(actor=filled(vera), share_id=given.id)


def test_in_team_folders_administrators_share_where_only_owners_do(tenant, rule, make_actor):
    adam, mia, vera = make_actor("adam"), make_actor("mia"), make_actor("vera")
    team = make_team(adam, "Design", grant(mia, "manager"))
    rule(share_on="owners")
    assert refused(share, mia, team, vera, "viewer") == "share_on"
    share(adam, team, vera, "viewer")
