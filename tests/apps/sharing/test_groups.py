"""Groups have shares as people do: everybody in them reaches what they have, also those in a group within."""

from dataclasses import replace

import pytest
from django.db import connection

from apps.files import api as files
from apps.identity import api as identity
from apps.sharing import api as sharing
from apps.sharing import errors
from apps.sharing.dtos import Grant, Principal
from apps.sharing.models import Permission
from bitvault.events import consuming
from bitvault.kernel import db, ids
from bitvault.kernel.errors import NotFound
from tests.apps.files.conftest import events, last_seq
from tests.support.shares import filled
from tests.support.world import ACME


@pytest.fixture
def adam(make_actor):
    return make_actor("adam")


@pytest.fixture
def design(tenant, adam):
    return identity.create_group(actor=adam, name="Design")


@pytest.fixture
def icons(adam, design):
    """A group within the other, with vera in it."""
    group = identity.create_group(actor=adam, name="Icons", parent_id=design.id)
    identity.put_group_member(actor=adam, group_id=group.id, user_id=ACME.people["vera"].user_id)
    return group


@pytest.fixture
def vera(make_actor, icons):
    """Somebody as a request carries her: with her groups and those that they lie in."""
    groups = identity.get_actor_by_token(text=ACME.people["vera"].token, address=None).groups
    return filled(replace(make_actor("vera"), groups=groups))


def give(tree, node, group, role="viewer"):
    principal = Principal(type="group", id=group.id)
    return sharing.put_share(
        actor=filled(tree.actor), node_id=node.id, grant=Grant(principal=principal, role=role, message="Ours now")
    )


def test_everybody_in_a_group_and_in_one_within_it_reaches_what_it_has(tree, design, icons, make_actor, vera):
    folder = tree.folder("Drafts")
    given = give(tree, folder, design)
    assert (given.principal.type, given.principal.name, given.principal.id) == ("group", "Design", design.id)
    inside = filled(vera)
    assert files.get_node(actor=inside, node_id=folder.id).capabilities == ("view", "download")
    (item,) = sharing.list_shared_with_me(actor=inside).items
    assert (item.share.principal.name, item.granted_by.name, item.message) == ("Design", "Mia", "Ours now")
    with pytest.raises(NotFound):
        files.get_node(actor=filled(make_actor("olga")), node_id=folder.id)


def test_a_group_of_another_kind_or_tenant_is_nobody(tree, make_actor, design):
    folder = tree.folder("Drafts")
    for principal in (
        Principal(type="group", id=ids.new_id()),
        Principal(type="user", id=design.id),
        Principal(type="group", id=make_actor("olga").user_id),
    ):
        with pytest.raises(errors.UnknownPrincipal):
            sharing.put_share(actor=tree.actor, node_id=folder.id, grant=Grant(principal=principal, role="viewer"))


def test_a_deleted_group_takes_its_shares_along(tree, adam, design, vera):
    folder = tree.folder("Drafts")
    give(tree, folder, design)
    assert files.get_node(actor=filled(vera), node_id=folder.id)
    identity.delete_group(actor=adam, group_id=design.id)
    assert sharing.list_shares(actor=tree.actor, node_id=folder.id).items == []
    for _ in range(2):
        consuming.consume("sharing")
    with db.read_transaction():
        assert not Permission.objects.exists()


def test_a_share_of_a_deleted_group_cannot_be_changed_before_it_is_dropped(tree, adam, design):
    given = give(tree, tree.folder("Drafts"), design)
    identity.delete_group(actor=adam, group_id=design.id)
    with pytest.raises(NotFound):
        sharing.change_share(actor=tree.actor, share_id=given.id, role="editor")


def test_a_large_group_costs_a_write_no_more_than_a_small_one(tree, adam, design, counted_queries):
    small = identity.create_group(actor=adam, name="Small")
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.identity_user (id, password, email, name, is_active, is_staff, is_superuser, "
            "created_at, password_changed_at, locale, time_zone) SELECT gen_random_uuid(), '', "
            "'crowd' || n || '@acme.test', '', true, false, false, now(), now(), '', '' FROM generate_series(1, 2000) n"
        )
        cursor.execute(
            "INSERT INTO public.identity_group_member (id, group_id, user_id, is_manager, added_at) "
            "SELECT gen_random_uuid(), %s, id, false, now() FROM public.identity_user WHERE email LIKE 'crowd%%'",
            [design.id],
        )
    costs = []
    for group in (small, design):
        folder = tree.folder(f"For {group.name}")
        before = last_seq()
        with counted_queries() as statements:
            give(tree, folder, group)
        assert not any("identity_group_member" in statement for statement in statements)
        assert [kind for kind, _ in events(before)] == ["sharing.share.granted.v1"]
        costs.append(len(statements))
    assert costs[0] == costs[1]
