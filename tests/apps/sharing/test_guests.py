"""Guests: who is no member comes by being shared with, sees that and nothing else, and is judged by the vault's rules."""

import secrets
from datetime import timedelta

import pytest

from apps.files import api as files
from apps.identity import api as identity
from apps.identity import models as identity_models
from apps.identity import policies
from apps.identity.errors import DomainNotAllowed, GuestsComeByShares, GuestsInNoGroup, InvalidSuccessor, PolicyForbids
from apps.identity.operations import invitations
from apps.sharing import api as sharing
from apps.sharing import inviting
from apps.sharing.dtos import Grant, Principal
from apps.sharing.errors import MoreThanOwn
from apps.sharing.models import Permission
from bitvault.events import consuming
from bitvault.jobs import calling, running
from bitvault.kernel import clock, db
from bitvault.kernel.actor import NotForGuests, Role
from bitvault.kernel.errors import Forbidden, NotFound
from tests.apps.files.conftest import Tree, assert_events_tell_all, events
from tests.apps.identity.posting import deliver, read_invitation_code
from tests.support.shares import filled, live, share

GOOD = "a sentence that nobody else has"


@pytest.fixture(autouse=True)
def _quiet_and_roomy(monkeypatch):
    monkeypatch.setattr(calling, "nudge", lambda _: None)
    monkeypatch.setattr(invitations, "TENANT_LIMIT", 100_000)
    yield
    policies.forget_remembered()


@pytest.fixture
def email():
    return f"gwen-{secrets.token_hex(4)}@elsewhere.test"


@pytest.fixture
def box(tree):
    folder = tree.folders("Private/Box")
    tree.file("plan.txt", folder, b"figures")
    return folder


def share_by_mail(actor, node, email, role="viewer", **more):
    grant = Grant(principal=Principal(type="email", email=email), role=role, **more)
    return sharing.put_share(actor=filled(actor), node_id=node.id, grant=grant)


def come(tenant, letter):
    """Accept an invitation as somebody new; returns the actor of who has come."""
    code = read_invitation_code(letter)
    came = identity.accept_invitation_by_password(
        code=code, name="Gwen", password=GOOD, address=f"10.9.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    )
    consuming.consume("sharing")
    viewer = identity.find_viewers(tenant=tenant, user_ids=[came.user_id])[came.user_id]
    return live(viewer.actor)


@pytest.fixture
def guest(tree, tenant, box, email):
    """Somebody who has come by being shared with."""
    share_by_mail(tree.actor, box, email, "editor")
    return come(tenant, deliver()[-1])


def tree_of(guest):
    """A tree whose actor has no root of their own."""
    own = Tree.__new__(Tree)
    own.actor = guest
    return own


def list_permissions(node):
    with db.read_transaction():
        return [(row.principal_kind, row.role) for row in Permission.objects.filter(node_id=node.id).order_by("id")]


# --- coming ----------------------------------------------------------------------------------------------------------------


def test_an_address_that_is_nobodys_is_written_to_and_has_the_share_once_they_have_come(tree, tenant, box, email):
    made = share_by_mail(tree.actor, box, f" {email.upper()}", "editor", message="Have a look.")
    assert (made.principal.type, made.principal.id, made.principal.email) == ("email", None, email)
    assert made.principal.is_guest
    (letter,) = deliver()
    assert letter.to == [email]
    assert letter.subject == "Mia shared “Box” with you"
    assert "Have a look." in letter.body
    code = read_invitation_code(letter)
    opened = identity.open_invitation(code=code, address="10.9.0.1")
    assert (opened.role, opened.about) == (Role.GUEST, "Box")
    assert identity.find_member_by_address(tenant=tenant, email=email) is None

    gwen = come(tenant, letter)
    assert gwen.role is Role.GUEST
    (item,) = sharing.list_shared_with_me(actor=gwen).items
    assert (item.node.name, item.share.principal.id, item.granted_by.name) == ("Box", gwen.user_id, "Mia")
    assert [node.name for node in files.list_children(actor=gwen, node_id=box.id).items] == ["plan.txt"]
    (listed,) = sharing.list_shares(actor=filled(tree.actor), node_id=box.id).items
    assert (listed.principal.type, listed.principal.name, listed.principal.is_guest) == ("user", "Gwen", True)
    assert_events_tell_all()


def test_a_second_share_waits_for_the_same_invitation_and_the_list_names_who_is_invited(tree, tenant, box, email):
    other = tree.folder("Other")
    share_by_mail(tree.actor, box, email)
    share_by_mail(tree.actor, other, email, "commenter")
    deliver()
    assert identity_models.Invitation.objects.filter(email=email).count() == 1
    (badge,) = sharing.list_badges(actor=filled(tree.actor), node_ids=[other.id])
    assert (badge.count, badge.names) == (1, [email])
    shown = {item.share.principal.email for item in sharing.list_shared_by_me(actor=filled(tree.actor)).items}
    assert shown == {email}


def test_each_thing_that_is_shared_with_an_invited_address_is_told_by_a_mail_that_lets_in(tree, tenant, box, email):
    share_by_mail(tree.actor, box, email)
    (first,) = deliver()
    other = tree.folder("Other")
    share_by_mail(tree.actor, other, email, "commenter")
    share_by_mail(tree.actor, other, email, "editor")
    (second,) = deliver()
    assert (second.to, second.subject) == ([email], "Mia shared “Other” with you")
    # The code of the first mail stays good, and the second one has the same.
    assert read_invitation_code(second) == read_invitation_code(first)
    gwen = come(tenant, second)
    shown = {item.node.name for item in sharing.list_shared_with_me(actor=gwen).items}
    assert shown == {"Box", "Other"}


def test_an_address_that_gets_many_mails_gets_no_more_and_is_shared_with_all_the_same(
    tree, tenant, box, email, monkeypatch
):
    monkeypatch.setattr(invitations, "MAILS_LIMIT", 2)
    share_by_mail(tree.actor, box, email)
    for name in ("Second", "Third"):
        share_by_mail(tree.actor, tree.folder(name), email)
    assert [letter.subject for letter in deliver()][1:] == ["Mia shared “Second” with you"]
    third = next(
        item for item in sharing.list_shared_by_me(actor=filled(tree.actor)).items if item.node.name == "Third"
    )
    assert third.share.principal.email == email


def test_what_was_shared_by_mail_joins_what_a_member_has_who_accepts(tree, tenant, box, make_actor, email):
    share_by_mail(tree.actor, box, email, "uploader")
    deliver()
    row = identity_models.Invitation.objects.get(email=email)
    vera = make_actor("vera")
    share(tree.actor, box, vera, "viewer")
    with db.write_transaction():
        inviting.settle({row.id: vera.user_id})
    (held,) = sharing.list_shares(actor=filled(tree.actor), node_id=box.id).items
    assert set(held.capabilities) == {"view", "download", "add"}
    with db.write_transaction():
        inviting.settle({row.id: vera.user_id})
    assert_events_tell_all()


def test_who_comes_while_a_share_is_written_has_it(tree, tenant, box, email, monkeypatch):
    share_by_mail(tree.actor, box, email)
    (letter,) = deliver()
    other = tree.folder("Other")
    invite = inviting.invite

    def late(*arguments, **more):
        invitation_id = invite(*arguments, **more)
        come(tenant, letter)
        return invitation_id

    monkeypatch.setattr(inviting, "invite", late)
    share_by_mail(tree.actor, other, email)
    assert list_permissions(other) == [("user", "viewer")]


@pytest.mark.parametrize("way", ["share", "replace", "invitation"])
def test_who_is_not_to_come_any_more_is_not_let_in(tree, tenant, box, email, make_actor, way):
    made = share_by_mail(tree.actor, box, email)
    (letter,) = deliver()
    if way == "share":
        sharing.revoke_share(actor=filled(tree.actor), share_id=made.id)
    elif way == "replace":
        sharing.replace_shares(actor=filled(tree.actor), node_id=box.id, grants=[])
    else:
        row = identity_models.Invitation.objects.get(email=email)
        identity.withdraw_invitation(actor=make_actor("adam"), invitation_id=row.id)
        consuming.consume("sharing")
    assert list_permissions(box) == []
    with pytest.raises(NotFound):
        identity.open_invitation(code=read_invitation_code(letter), address="10.9.0.2")
    assert_events_tell_all()


def test_an_invitation_of_a_guest_that_nobody_accepts_ends_with_what_was_shared(tree, tenant, box, email):
    share_by_mail(tree.actor, box, email)
    long_ago = clock.now() - timedelta(days=8)
    identity_models.Invitation.objects.filter(email=email).update(expires_at=long_ago)
    invitations.sweep()
    assert not identity_models.Invitation.objects.filter(email=email).exists()
    consuming.consume("sharing")
    assert list_permissions(box) == []
    assert events()[-1][0] == "sharing.share.revoked.v1"


# --- what a guest sees -----------------------------------------------------------------------------------------------------


def test_a_guest_has_no_files_of_their_own_and_none_that_is_for_everyone(tree, tenant, guest):
    everywhere = tree.folder("For everyone")
    share(tree.actor, everywhere, "everyone", "editor")
    for act in (
        lambda: files.ensure_personal_root(actor=guest),
        lambda: files.create_folder(actor=guest, parent_id="root", name="Mine"),
        lambda: files.get_node(actor=guest, node_id=everywhere.id),
    ):
        with pytest.raises(NotFound):
            act()
    assert [item.node.name for item in sharing.list_shared_with_me(actor=guest).items] == ["Box"]


def test_a_guest_works_in_what_was_shared_and_decides_of_nobody_else(tree, tenant, box, guest):
    share(tree.actor, box, guest, "manager")
    own = tree_of(guest)
    made = own.folder("From outside", box)
    own.trash(made)
    own.restore(made)
    node = files.get_node(actor=guest, node_id=box.id)
    assert set(node.capabilities) == {"view", "download", "comment", "add", "edit"}
    with pytest.raises(Forbidden):
        share(guest, box, "everyone", "viewer")
    asked = sharing.get_access(
        actor=filled(tree.actor), node_id=box.id, principal=Principal(type="user", id=guest.user_id)
    ).asked
    assert asked.limited_by_role
    assert "share" not in asked.capabilities


def test_a_guest_is_told_of_nobody(tree, tenant, box, guest):
    for look in (
        lambda: sharing.list_shares(actor=guest, node_id=box.id),
        lambda: sharing.get_access(actor=guest, node_id=box.id),
        lambda: sharing.request_access(actor=guest, node_id=tree.root.id),
    ):
        with pytest.raises(NotForGuests):
            look()
    with pytest.raises(Forbidden):
        sharing.search_candidates(actor=guest, node_id=box.id, text="", limit=8)
    assert sharing.list_badges(actor=guest, node_ids=[box.id]) == []


def test_members_and_guests_are_listed_apart(tenant, guest, make_actor):
    adam = make_actor("adam")
    assert guest.user_id not in {one.user.id for one in identity.list_members(actor=adam, limit=1000).items}
    assert [one.user.name for one in identity.list_members(actor=adam, role=Role.GUEST).items] == ["Gwen"]
    assert guest.user_id not in identity.list_people_ids(tenant=tenant)


# --- what rules say --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "policy"),
    [
        ({"guests": "nobody"}, "guests"),
        ({"guests": "administrators"}, "guests"),
        ({"share_outside": "nobody"}, "share_outside"),
        ({"expiry_required": True}, "expiry_required"),
    ],
)
def test_the_rules_hold_for_new_guests_and_for_those_who_are_here(
    tree, tenant, box, guest, email, make_actor, rules, policy
):
    identity.update_tenant(actor=make_actor("olga"), policies=rules)
    other = tree.folder("Other")
    for who in ({"type": "email", "email": f"new-{email}"}, {"type": "user", "id": guest.user_id}):
        with pytest.raises(PolicyForbids) as refused:
            sharing.put_share(
                actor=filled(tree.actor), node_id=other.id, grant=Grant(principal=Principal(**who), role="viewer")
            )
        assert refused.value.facts["policy"] == policy
    assert not identity_models.Invitation.objects.filter(email=f"new-{email}").exists()
    may = identity.get_tenant_settings(actor=tree.actor).permitted.invite_guests
    assert may is (policy == "expiry_required")


def test_guests_come_from_the_domains_that_the_rules_name_and_members_from_their_own(
    tree, tenant, box, email, make_actor
):
    identity.update_tenant(
        actor=make_actor("olga"), policies={"guest_domains": ["partner.test"], "allowed_domains": ["acme.test"]}
    )
    with pytest.raises(DomainNotAllowed):
        share_by_mail(tree.actor, box, email)
    share_by_mail(tree.actor, box, f"{secrets.token_hex(4)}@partner.test")


def test_nobody_is_invited_where_another_share_of_the_request_is_refused(tree, tenant, box, email):
    grants = [
        Grant(principal=Principal(type="email", email=email), role="viewer"),
        Grant(principal=Principal(type="user", id=tree.root.id), role="viewer"),
    ]
    with pytest.raises(Exception, match="Nobody of this vault"):
        sharing.replace_shares(actor=filled(tree.actor), node_id=box.id, grants=grants)
    assert not identity_models.Invitation.objects.filter(email=email).exists()


def test_an_end_that_is_taken_off_a_guests_share_is_judged_by_the_rules(tree, tenant, box, email, make_actor):
    made = share_by_mail(tree.actor, box, email, expires_at=clock.now() + timedelta(days=3))
    identity.update_tenant(actor=make_actor("olga"), policies={"expiry_required": True})
    with pytest.raises(PolicyForbids):
        sharing.change_share(actor=filled(tree.actor), share_id=made.id, ends=True)


# --- being a guest, and leaving --------------------------------------------------------------------------------------------


def test_nobody_is_made_a_guest_and_no_guest_is_put_into_a_group(tenant, guest, make_actor):
    adam, vera = make_actor("adam"), make_actor("vera")
    with pytest.raises(GuestsComeByShares):
        identity.update_member(actor=adam, member_id=vera.user_id, role=Role.GUEST)
    with pytest.raises(GuestsComeByShares):
        identity.invite(actor=adam, email="nobody@elsewhere.test", role=Role.GUEST)
    group = identity.create_group(actor=adam, name=f"Team {secrets.token_hex(3)}")
    with pytest.raises(GuestsInNoGroup):
        identity.put_group_member(actor=adam, group_id=group.id, user_id=guest.user_id)


def test_a_guest_who_becomes_a_member_has_files_of_their_own(tree, tenant, guest, make_actor):
    identity.update_member(actor=make_actor("adam"), member_id=guest.user_id, role=Role.MEMBER)
    gwen = live(identity.find_viewers(tenant=tenant, user_ids=[guest.user_id])[guest.user_id].actor)
    assert files.ensure_personal_root(actor=gwen).capabilities[-1] == "manage"
    assert [item.node.name for item in sharing.list_shared_with_me(actor=gwen).items] == ["Box"]


def test_a_guest_who_is_removed_leaves_their_shares_to_nobody(tree, tenant, box, guest, make_actor):
    adam = make_actor("adam")
    with pytest.raises(InvalidSuccessor):
        identity.end_membership(actor=adam, member_id=make_actor("vera").user_id, successor_id=None)
    tree_of(guest).file("from outside.txt", box, b"kept")
    identity.end_membership(actor=adam, member_id=guest.user_id, successor_id=None)
    while running.run_next("bulk"):
        pass
    assert list_permissions(box) == []
    assert sorted(tree.names(box)) == ["from outside.txt", "plan.txt"]
    assert_events_tell_all()


def test_nobody_gives_a_guest_more_than_they_have(tree, tenant, box, email, make_actor):
    vera = make_actor("vera", role=Role.MEMBER)
    share(tree.actor, box, vera, "viewer")
    with pytest.raises((Forbidden, MoreThanOwn)):
        share_by_mail(vera, box, email, "editor")
    assert not identity_models.Invitation.objects.filter(email=email).exists()
