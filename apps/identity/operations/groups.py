"""Groups of people in a tenant: made and changed by who manages groups, filled by them and by the groups' own managers.

A group may lie in another one, once: its people belong to that one too. A change writes the rows that it names and nothing for each person
who is in a group, so it costs the same however many they are.
"""

from uuid import UUID

from django.db import IntegrityError
from django.db.models import Q

from apps.identity import dtos, groups, models, queries
from apps.identity.errors import GroupNameTaken, GroupsNestedTooDeep, GuestsInNoGroup
from apps.identity.operations import texts
from bitvault.events.api import publish
from bitvault.events.catalog.identity import (
    GroupChanged,
    GroupCreated,
    GroupDeleted,
    GroupMemberAdded,
    GroupMemberRemoved,
)
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import Forbidden, NotFound
from bitvault.kernel.permissions import Permission


def create(*, actor: Actor, name: str, parent_id: UUID | None) -> dtos.Group:
    """Make a group without people."""
    label = texts.read_label(name, field="name")
    row = models.Group(
        id=ids.new_id(), tenant_id=actor.tenant.id, name=label, parent_id=parent_id, created_at=clock.now()
    )
    try:
        with db.public_transaction():
            _lock(actor, *([] if parent_id is None else [parent_id]))
            _require_nestable(row)
            row.save(force_insert=True)
            publish(GroupCreated(group_id=row.id, parent_id=parent_id, actor_id=actor.user_id))
    except IntegrityError as error:
        raise GroupNameTaken from error
    return groups.get_group(actor, row.id)


def update(*, actor: Actor, group_id: UUID, name: str | None, parent: tuple[UUID | None] | None) -> dtos.Group:
    """Give a group another name, another group to lie in, or both; what holds already is no change and no event.

    :param parent: the one that it is to lie in, or none; left out, it stays where it is.
    """
    label = None if name is None else texts.read_label(name, field="name")
    wanted = [] if parent is None or parent[0] is None else [parent[0]]
    try:
        with db.public_transaction() as tx:
            row = _lock(actor, group_id, *wanted)
            before = (row.name, row.parent_id)
            row.name = label or row.name
            if parent is not None:
                row.parent_id = parent[0]
            if (row.name, row.parent_id) != before:
                _require_nestable(row)
                row.save(update_fields=["name", "parent"])
                publish(GroupChanged(group_id=row.id, parent_id=row.parent_id, actor_id=actor.user_id))
            tx.after_commit(queries.forget_remembered)
    except IntegrityError as error:
        raise GroupNameTaken from error
    return groups.get_group(actor, group_id)


def delete(*, actor: Actor, group_id: UUID) -> None:
    """Delete a group; its people stay, and the groups in it lie in none afterwards."""
    with db.public_transaction() as tx:
        _lock(actor, group_id)
        models.Group.objects.filter(parent_id=group_id).update(parent=None)
        models.Group.objects.filter(pk=group_id).delete()
        publish(GroupDeleted(group_id=group_id, actor_id=actor.user_id))
        tx.after_commit(queries.forget_remembered)


def put_member(*, actor: Actor, group_id: UUID, user_id: UUID, is_manager: bool) -> dtos.GroupMember:
    """Put somebody into a group, or make them its manager or not; what holds already is no change and no event."""
    require_managing(actor, group_id)
    with db.public_transaction() as tx:
        members = models.Membership.objects.select_for_update(no_key=True, of=("self",))
        role = members.filter(tenant_id=actor.tenant.id, user_id=user_id).values_list("role", flat=True).first()
        if role is None:
            raise NotFound
        if role == Role.GUEST.value:
            raise GuestsInNoGroup
        row, is_new = models.GroupMember.objects.get_or_create(
            group_id=group_id, user_id=user_id, defaults={"is_manager": is_manager, "added_at": clock.now()}
        )
        if is_new or row.is_manager != is_manager:
            _require_managing_for_managers(actor, is_manager or row.is_manager)
            models.GroupMember.objects.filter(pk=row.pk).update(is_manager=is_manager)
            publish(GroupMemberAdded(group_id=group_id, user_id=user_id, is_manager=is_manager, actor_id=actor.user_id))
        tx.after_commit(queries.forget_remembered)
    return groups.get_member(group_id, user_id)


def remove_member(*, actor: Actor, group_id: UUID, user_id: UUID) -> None:
    """Take somebody out of a group; oneself, too."""
    if user_id != actor.user_id:
        require_managing(actor, group_id)
    else:
        groups.require_group(actor.tenant, group_id)
    with db.public_transaction() as tx:
        rows = models.GroupMember.objects.filter(group_id=group_id, user_id=user_id)
        row = rows.select_for_update().first()
        if row is None:
            raise NotFound
        if user_id != actor.user_id:
            _require_managing_for_managers(actor, row.is_manager)
        rows.delete()
        publish(GroupMemberRemoved(group_id=group_id, user_id=user_id, actor_id=actor.user_id))
        tx.after_commit(queries.forget_remembered)


def require_managing(actor: Actor, group_id: UUID) -> None:
    """Refuse who neither manages all groups nor manages the group.

    :raises NotFound: there is no such group.
    :raises Forbidden: the actor does neither.
    """
    manages = models.GroupMember.objects.filter(group_id=group_id, user_id=actor.user_id, is_manager=True)
    if not actor.may(Permission.MANAGE_GROUPS) and not manages.exists():
        raise Forbidden("Only who manages groups and the group's managers change who is in it.")
    groups.require_group(actor.tenant, group_id)


def _require_managing_for_managers(actor: Actor, concerns_manager: bool) -> None:  # noqa: FBT001 - one fact
    if concerns_manager and not actor.may(Permission.MANAGE_GROUPS):
        raise Forbidden("Only who manages all groups says who manages one.")


def _lock(actor: Actor, *group_ids: UUID) -> models.Group:
    """Lock groups of the tenant, and all of those that lie in them; gives the first one.

    :raises NotFound: one of them is none.
    """
    rows = models.Group.objects.select_for_update(of=("self",)).filter(tenant_id=actor.tenant.id)
    found = {row.id: row for row in rows.filter(Q(id__in=group_ids) | Q(parent_id__in=group_ids)).order_by("id")}
    if any(one not in found for one in group_ids):
        raise NotFound
    return found[group_ids[0]] if group_ids else models.Group()


def _require_nestable(row: models.Group) -> None:
    """Refuse a second level: a group that lies in one holds none, and none lies in itself.

    :raises GroupsNestedTooDeep: there would be one.
    """
    if row.parent_id is None:
        return
    parent_is_in_one = models.Group.objects.filter(pk=row.parent_id, parent__isnull=False).exists()
    if row.parent_id == row.id or parent_is_in_one or models.Group.objects.filter(parent_id=row.id).exists():
        raise GroupsNestedTooDeep
