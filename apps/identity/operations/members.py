"""Members: who belongs to a tenant, as what. A tenant always keeps an owner."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError

from apps.identity import dtos, models, queries
from apps.identity.errors import AlreadyMember, LastOwner
from apps.identity.operations import texts
from apps.identity.operations.endings import announce, end_sessions, end_tokens
from bitvault.events.api import publish
from bitvault.events.catalog.identity import MemberAdded, MemberRemoved, MemberRoleChanged
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Role
from bitvault.kernel.errors import NotFound
from bitvault.kernel.tenancy import Tenant
from bitvault.web.wakeups import Bond, bond


def add(
    *, tenant: Tenant, email: str, role: Role, name: str, password: str | None, added_by: UUID | None
) -> dtos.Member:
    """Let a person in. Somebody new without a password cannot sign in until they have one.

    Operators and commands come through here, and vouch for the address: who only claims it is somebody else.
    """
    address = texts.read_email(email)
    person = models.User.objects.filter(email=address).first()
    known = person is not None
    if person is None:
        person = new_user(email=address, name=name, password=password)
    try:
        with tenancy.entered(tenant), db.public_transaction():
            if not known:
                person.save(force_insert=True)
            membership = join(person=person, tenant_id=tenant.id, role=role)
            publish(MemberAdded(user_id=person.id, role=role.value, actor_id=added_by))
    except IntegrityError as error:
        raise AlreadyMember from error
    return queries.to_member(membership)


def new_user(*, email: str, name: str, password: str | None, is_proved: bool = True) -> models.User:
    """Prepare a person's row, hash included: hashing takes too long for a transaction.

    :param is_proved: somebody vouches for the address; otherwise the person only claims it.

    :raises WeakPassword: the password is too easy to guess.
    :raises InvalidLabel: the name cannot be used.
    """
    label = texts.read_label(name, field="person_name", required=False)
    if password is not None:
        texts.require_strong(password, email=email, name=label)
    whose = {"email": email} if is_proved else {"email": None, "claimed_email": email}
    return models.User(id=ids.new_id(), name=label, password=make_password(password), **whose)


def join(*, person: models.User, tenant_id: UUID, role: Role) -> models.Membership:
    """Write a membership in the open transaction."""
    return models.Membership.objects.create(
        id=ids.new_id(), tenant_id=tenant_id, user=person, role=role.value, created_at=clock.now()
    )


def change_role(*, tenant: Tenant, user_id: UUID, role: Role, changed_by: UUID | None) -> dtos.Member:
    """Give a member another role; the one that they have already is no change and no event."""
    with tenancy.entered(tenant), db.public_transaction() as tx:
        membership = _lock(tenant, user_id, keeps_owner=role is Role.OWNER)
        previous = membership.role
        if previous != role.value:
            membership.role = role.value
            membership.save(update_fields=["role"])
            publish(MemberRoleChanged(user_id=user_id, role=role.value, previous_role=previous, actor_id=changed_by))
        tx.after_commit(queries.forget_remembered)
    return queries.to_member(membership)


def remove(*, tenant: Tenant, user_id: UUID, removed_by: UUID | None) -> None:
    """Put a person out, with their sessions and tokens here, in one commit."""
    with tenancy.entered(tenant), db.public_transaction() as tx:
        membership = _lock(tenant, user_id, keeps_owner=False)
        end_sessions(models.Session.objects.filter(tenant_id=tenant.id, user_id=user_id), actor_id=removed_by)
        end_tokens(models.ApiToken.objects.filter(tenant_id=tenant.id, user_id=user_id), actor_id=removed_by)
        membership.delete()
        announce(tenant.id, bond(Bond.USER, user_id))
        publish(MemberRemoved(user_id=user_id, actor_id=removed_by))
        tx.after_commit(queries.forget_remembered)


def _lock(tenant: Tenant, user_id: UUID, *, keeps_owner: bool) -> models.Membership:
    """Lock a membership that is to change, and the owners with it: two owners cannot put each other out at once.

    :raises LastOwner: afterwards nobody would own the tenant.
    """
    rows = (
        models.Membership.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(tenant_id=tenant.id)
        .order_by("id")
    )
    owners = list(rows.filter(role=Role.OWNER.value))
    membership = next((row for row in owners if row.user_id == user_id), None) or rows.filter(user_id=user_id).first()
    if membership is None:
        raise NotFound
    if membership.role == Role.OWNER.value and not keeps_owner and len(owners) == 1:
        raise LastOwner
    return membership
