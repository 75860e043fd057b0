"""People as operators of the installation change them: names, rights in Django admin, and whether somebody is let in at all."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import Group

from apps.identity import models, operator_roles, queries
from apps.identity.operations import texts
from apps.identity.operations.endings import announce, end_sessions
from bitvault.events.api import publish
from bitvault.events.catalog.identity import PersonDeactivated, PersonReactivated
from bitvault.kernel import db
from bitvault.kernel.errors import NotFound
from bitvault.web.wakeups import Bond, bond


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do in Django admin."""

    is_operator: bool
    is_full: bool
    roles: tuple[str, ...]

    def __str__(self) -> str:
        if not self.is_operator:
            return "none"
        return "everything" if self.is_full else ", ".join(self.roles) or "signing in alone"


def change(
    *,
    user_id: UUID,
    name: str,
    is_active: bool,
    is_staff: bool,
    is_superuser: bool,
    roles: Collection[str],
    changed_by: UUID | None,
) -> Rights:
    """Change a person, and tell the rights in Django admin that they had. Who is shut out loses their sessions; their tokens work again
    when they are let in again. ``roles`` are names of ``operator_roles``; groups that are none of these are left alone.

    Each tenant that the person belongs to is told in its own stream; what operators' rights were and are, Django admin's journal keeps.

    :raises NotFound: there is no such person.
    :raises InvalidLabel: the name cannot be used.
    """
    label = texts.read_label(name, field="name", required=False)
    with db.public_transaction() as tx:
        person = models.User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
        if person is None:
            raise NotFound
        was_active, before = person.is_active, read_rights(person)
        models.User.objects.filter(pk=user_id).update(
            name=label, is_active=is_active, is_staff=is_staff, is_superuser=is_superuser
        )
        catalogue = Group.objects.filter(name__in=[role.name for role in operator_roles.ROLES])
        person.groups.remove(*catalogue.exclude(name__in=roles))
        person.groups.add(*catalogue.filter(name__in=roles))
        if was_active and not is_active:
            _shut_out(user_id, changed_by)
        elif is_active and not was_active:
            for tenant_id in _tenants_of(user_id):
                publish(PersonReactivated(user_id=user_id, actor_id=changed_by), tenant_id=tenant_id)
        tx.after_commit(queries.forget_remembered)
    return before


def read_rights(person: models.User) -> Rights:
    """Read what a person may do in Django admin."""
    names = {role.name for role in operator_roles.ROLES}
    held = sorted(names.intersection(person.groups.values_list("name", flat=True)))
    return Rights(is_operator=person.is_staff, is_full=person.is_superuser, roles=tuple(held))


def _shut_out(user_id: UUID, changed_by: UUID | None) -> None:
    end_sessions(models.Session.objects.filter(user_id=user_id), actor_id=changed_by)
    for tenant_id in _tenants_of(user_id):
        # Sockets hang on the person as well, whatever they were opened by.
        announce(tenant_id, bond(Bond.USER, user_id))
        publish(PersonDeactivated(user_id=user_id, actor_id=changed_by), tenant_id=tenant_id)


def _tenants_of(user_id: UUID) -> list[UUID]:
    return list(
        models.Membership.objects.filter(user_id=user_id).order_by("tenant_id").values_list("tenant_id", flat=True)
    )
