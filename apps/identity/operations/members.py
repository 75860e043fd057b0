"""Members: who belongs to a tenant, as what. A tenant always keeps an owner."""

from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import IntegrityError
from django.db.models import Q

from apps.identity import dtos, models, people, queries, roles, seats
from apps.identity.errors import AlreadyMember, GuestsComeByShares, InvalidSuccessor, LastOwner
from apps.identity.operations import departures, texts
from apps.identity.operations.endings import announce, end_sessions, end_tokens
from bitvault.events.api import publish
from bitvault.events.catalog.identity import (
    MemberAdded,
    MemberDeactivated,
    MemberReactivated,
    MemberRemoved,
    MemberRoleChanged,
    MemberSucceeded,
)
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.errors import Forbidden, NotFound
from bitvault.kernel.permissions import Permission
from bitvault.kernel.policies import Policy
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
    policy = seats.read_policy(tenant)
    try:
        with tenancy.entered(tenant), db.public_transaction():
            seats.require_free(tenant, role, policy)
            if not known:
                person.save(force_insert=True)
            membership = join(person=person, tenant_id=tenant.id, role=role)
            publish(MemberAdded(user_id=person.id, role=role.value, actor_id=added_by))
    except IntegrityError as error:
        raise AlreadyMember from error
    return people.to_member(membership)


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


def join(
    *, person: models.User, tenant_id: UUID, role: Role, custom_role: models.CustomRole | None = None
) -> models.Membership:
    """Write a membership in the open transaction."""
    return models.Membership.objects.create(
        id=ids.new_id(),
        tenant_id=tenant_id,
        user=person,
        role=role.value,
        custom_role=custom_role,
        created_at=clock.now(),
    )


def change_role(*, tenant: Tenant, user_id: UUID, role: Role, changed_by: UUID | None) -> dtos.Member:
    """Give a member another role; the one that they have already is no change and no event."""
    policy = seats.read_policy(tenant)
    with tenancy.entered(tenant), db.public_transaction() as tx:
        membership = _lock(tenant, user_id)
        _set_role(tenant, membership, roles.Choice(role), changed_by, policy)
        tx.after_commit(queries.forget_remembered)
    return people.to_member(membership)


def update(
    *, actor: Actor, member_id: UUID, role: Role | None, role_id: UUID | None, state: dtos.MemberState | None
) -> dtos.Member:
    """Give a member another role, another state, or both; what holds already is no change and no event."""
    found = _find(actor, member_id)
    policy = seats.read_policy(actor.tenant)
    with db.public_transaction() as tx:
        choice = None
        if role is not None or role_id is not None:
            choice = roles.choose(actor.tenant.id, role=role, role_id=role_id)
        membership = _lock(actor.tenant, found.user_id)
        _role_of(membership).require_touched_by(actor)
        if state == "deactivated" and membership.user_id == actor.user_id:
            raise Forbidden("Somebody else has to deactivate you.")
        if choice is not None and choice != _role_of(membership):
            choice.require_given_by(actor)
            _set_role(actor.tenant, membership, choice, actor.user_id, policy)
        if state is not None:
            _set_state(actor.tenant, membership, state, actor.user_id, policy)
        tx.after_commit(queries.forget_remembered)
    return people.to_member(membership)


def end(*, actor: Actor, member_id: UUID, successor_id: UUID | None) -> None:
    """Put a member out, or leave oneself, and name who takes over what they hold; a guest holds nothing."""
    found = people.find_member(actor.tenant, member_id)
    if found is None or found.user_id != actor.user_id:
        actor.require_permission(Permission.MANAGE_MEMBERS)
    if found is None:
        raise NotFound
    if successor_id is None and found.role != Role.GUEST.value:
        raise InvalidSuccessor
    remove(
        tenant=actor.tenant, user_id=found.user_id, successor_id=successor_id, removed_by=actor.user_id, by_actor=actor
    )


def remove(
    *,
    tenant: Tenant,
    user_id: UUID,
    successor_id: UUID | None,
    removed_by: UUID | None,
    by_actor: Actor | None = None,
) -> None:
    """Put a person out, with their sessions and tokens here; what they hold is handed over by jobs of the same commit.

    :param successor_id: without one, an owner takes over.
    :param by_actor: the member who asks, by whose own role it is judged.
    """
    with tenancy.entered(tenant), db.public_transaction() as tx:
        membership = _lock(tenant, user_id, *([] if successor_id is None else [successor_id]))
        if by_actor is not None and user_id != by_actor.user_id:
            _role_of(membership).require_touched_by(by_actor)
        _require_other_owner(tenant, membership)
        heir_id = successor_id or people.find_owner(tenant, other_than=user_id)
        _require_successor(tenant, user_id, heir_id)
        _end_credentials(tenant, user_id, removed_by)
        membership.delete()
        models.GroupMember.objects.filter(group__tenant_id=tenant.id, user_id=user_id).delete()
        was_guest = membership.role == Role.GUEST.value
        departures.begin(tenant=tenant, user_id=user_id, successor_id=heir_id, was_guest=was_guest, by=removed_by)
        publish(MemberRemoved(user_id=user_id, actor_id=removed_by))
        if not was_guest:
            publish(MemberSucceeded(user_id=user_id, successor_id=heir_id, actor_id=removed_by))
        tx.after_commit(queries.forget_remembered)


def _role_of(membership: models.Membership) -> roles.Choice:
    return roles.Choice(Role(membership.role), membership.custom_role)


def _set_role(
    tenant: Tenant, membership: models.Membership, choice: roles.Choice, by: UUID | None, policy: Policy
) -> None:
    previous = _role_of(membership)
    if previous == choice:
        return
    if choice.role is Role.GUEST:
        raise GuestsComeByShares
    if previous.role is Role.GUEST and membership.state == models.MembershipState.ACTIVE:
        seats.require_free(tenant, choice.role, policy)
    if choice.role is not Role.OWNER:
        _require_other_owner(tenant, membership)
    membership.role, membership.custom_role = choice.role.value, choice.custom
    membership.save(update_fields=["role", "custom_role"])
    publish(MemberRoleChanged(user_id=membership.user_id, role=choice.label, previous_role=previous.label, actor_id=by))


def _set_state(
    tenant: Tenant, membership: models.Membership, state: dtos.MemberState, by: UUID | None, policy: Policy
) -> None:
    """Let a member in or not. Who is not loses their sessions; their tokens work again when they are let in again."""
    if membership.state == state:
        return
    if state == "active":
        seats.require_free(tenant, Role(membership.role), policy)
        publish(MemberReactivated(user_id=membership.user_id, actor_id=by))
    else:
        _require_other_owner(tenant, membership)
        sessions = models.Session.objects.filter(tenant_id=tenant.id, user_id=membership.user_id)
        end_sessions(sessions, actor_id=by)
        # Sockets that were opened by tokens hang on the person as well.
        announce(tenant.id, bond(Bond.USER, membership.user_id))
        publish(MemberDeactivated(user_id=membership.user_id, actor_id=by))
    membership.state = state
    membership.save(update_fields=["state"])


def _end_credentials(tenant: Tenant, user_id: UUID, by: UUID | None) -> None:
    end_sessions(models.Session.objects.filter(tenant_id=tenant.id, user_id=user_id), actor_id=by)
    end_tokens(models.ApiToken.objects.filter(tenant_id=tenant.id, user_id=user_id), actor_id=by)
    announce(tenant.id, bond(Bond.USER, user_id))


def _find(actor: Actor, member_id: UUID) -> models.Membership:
    found = people.find_member(actor.tenant, member_id)
    if found is None:
        raise NotFound
    return found


def _lock(tenant: Tenant, user_id: UUID, *also: UUID) -> models.Membership:
    """Lock a membership that is to change, with the owners and who else matters: two owners cannot put each other out at once.

    All in one statement, in one order: two changes that need the same rows never wait for each other in a circle.

    :raises NotFound: the person is no member.
    """
    rows = (
        models.Membership.objects.select_for_update(of=("self",))
        .select_related("user", "custom_role")
        .filter(Q(role=Role.OWNER.value) | Q(user_id__in=[user_id, *also]), tenant_id=tenant.id)
        .order_by("id")
    )
    membership = next((row for row in rows if row.user_id == user_id), None)
    if membership is None:
        raise NotFound
    return membership


def _require_other_owner(tenant: Tenant, membership: models.Membership) -> None:
    """Refuse to lose the last owner who is let in; the owners are locked.

    :raises LastOwner: afterwards nobody would own the tenant.
    """
    owners = models.Membership.objects.filter(
        tenant_id=tenant.id, role=Role.OWNER.value, state=models.MembershipState.ACTIVE
    )
    is_owner = membership.role == Role.OWNER.value and membership.state == models.MembershipState.ACTIVE
    if is_owner and not owners.exclude(pk=membership.pk).exists():
        raise LastOwner


def _require_successor(tenant: Tenant, user_id: UUID, successor_id: UUID) -> None:
    """Refuse a successor who cannot take anything over; their membership is locked, so they do not leave meanwhile.

    :raises InvalidSuccessor: it is the same person, no active member, or one who may only look.
    """
    rows = models.Membership.objects.filter(
        tenant_id=tenant.id, user_id=successor_id, state=models.MembershipState.ACTIVE
    )
    if successor_id == user_id or not rows.exclude(role__in=[Role.VIEWER.value, Role.GUEST.value]).exists():
        raise InvalidSuccessor
