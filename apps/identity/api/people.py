"""Doors to the people of a tenant: its members, and who is invited."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from apps.identity import people, policies, seats
from apps.identity.dtos import (
    Directory,
    GuestLetter,
    Invitation,
    InvitedGuest,
    Member,
    MemberState,
    OpenedInvitation,
    Seats,
    SignedIn,
    Standing,
    Succession,
    Viewer,
)
from apps.identity.errors import GuestsComeByShares
from apps.identity.operations import accepting, guests, invitations, members
from bitvault.kernel.actor import Actor, Role, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, Page
from bitvault.kernel.permissions import SEEING_MEMBERS, Permission
from bitvault.kernel.tenancy import Tenant

# --- members ---------------------------------------------------------------------------------------------------------------


@exposed
def add_member(
    *, tenant: Tenant, email: str, role: Role, name: str = "", password: str | None = None, added_by: UUID | None = None
) -> Member:
    """Let a person into a tenant. Somebody new gets ``password``; somebody known keeps their own.

    Whoever calls this vouches for the address, as operators and commands do; an account that only claims it is not found by it.

    :raises AlreadyMember: they are in it.
    :raises InvalidEmail, InvalidLabel, WeakPassword: that value cannot be used.
    """
    return members.add(tenant=tenant, email=email, role=role, name=name, password=password, added_by=added_by)


@exposed
def list_members(
    *,
    actor: Actor,
    text: str = "",
    role: Role | None = None,
    role_id: UUID | None = None,
    state: MemberState | None = None,
    limit: int = PAGE_DEFAULT,
    cursor: str | None = None,
) -> Page[Member]:
    """Read a page of the people in the actor's tenant, newest first. Guests are listed apart, by their role.

    :param text: a part of the name or the address of those who are wanted.
    :param role: who has this built-in role itself.
    :param role_id: who has this role of the tenant's own.
    :raises PermissionMissing: the actor does neither.
    """
    _require(actor, *SEEING_MEMBERS)
    return people.list_members(
        actor, text=text.strip(), role=role, role_id=role_id, state=state, limit=limit, cursor=cursor
    )


@exposed
def find_members(*, tenant: Tenant, user_ids: Collection[UUID]) -> list[Member]:
    """Find those of some people who are members of a tenant, by name."""
    return people.find_members(tenant, user_ids)


@exposed
def find_viewers(*, tenant: Tenant, user_ids: Collection[UUID]) -> dict[UUID, Viewer]:
    """Find those of some people who are let in to a tenant, each as the actor that they would be: for what is sent to them.

    What they may reach is Sharing's to say.
    """
    return people.find_viewers(tenant, user_ids)


@exposed
def list_people_ids(
    *, tenant: Tenant, permission: Permission | None = None, group_id: UUID | None = None
) -> list[UUID]:
    """List the members who are let in to a tenant: with a permission, where one is named, and in a group or those in it, where one is."""
    return people.list_ids(tenant, permission=permission, group_id=group_id)


@exposed
def count_people(*, tenant: Tenant) -> tuple[int, int]:
    """Count the members who are let in to a tenant, and its guests."""
    return people.count(tenant)


@exposed
def count_seats(*, tenant: Tenant) -> Seats:
    """Count the members and guests of a tenant, and who is invited: what its plan limits."""
    return seats.count(tenant)


@exposed
def find_member_by_address(*, tenant: Tenant, email: str) -> Member | None:
    """Find the member of a tenant whose proved e-mail address this is."""
    return people.find_member_by_address(tenant, email)


@exposed
def find_standing(*, tenant: Tenant, user_id: UUID) -> Standing | None:
    """Find what somebody is in a tenant, with their groups; ``None`` for who is no member."""
    return people.find_standing(tenant, user_id)


@exposed
def search_directory(*, tenant: Tenant, text: str, limit: int) -> Directory:
    """Find active members by a part of their name or address, and groups by a part of their name: ``limit`` of each at most, by name.

    Whoever shares may search it: an address of the tenant is no secret among its members.
    """
    return people.search_directory(tenant, text.strip(), limit=limit)


@exposed
def change_role(*, tenant: Tenant, user_id: UUID, role: Role, changed_by: UUID | None = None) -> Member:
    """Give a member another role.

    :raises NotFound: the person is no member.
    :raises LastOwner: they are the only owner.
    """
    return members.change_role(tenant=tenant, user_id=user_id, role=role, changed_by=changed_by)


@exposed
def update_member(
    *,
    actor: Actor,
    member_id: UUID,
    role: Role | None = None,
    role_id: UUID | None = None,
    state: MemberState | None = None,
) -> Member:
    """Give a member another role, deactivate or reactivate them. Who is deactivated is let in nowhere here within a second.

    :param member_id: the id of the membership, or of its person.
    :param role_id: a role of the tenant's own instead of a built-in one.
    :raises PermissionMissing: the actor does not manage members.
    :raises Forbidden: they want to deactivate themselves.
    :raises NotFound: there is no such member.
    :raises UnknownRole: there is no such role, or two are named.
    :raises RoleTooStrong: the role that the member has, or is to have, may do more than the actor's.
    :raises LastOwner: nobody would own the tenant.
    """
    _require(actor, Permission.MANAGE_MEMBERS)
    return members.update(actor=actor, member_id=member_id, role=role, role_id=role_id, state=state)


@exposed
def end_membership(*, actor: Actor, member_id: UUID, successor_id: UUID | None) -> None:
    """Put a member out, or leave oneself. Sessions and tokens end at once; jobs hand over what they hold to the successor.

    :param successor_id: the user id of an active member who may keep files; ``None`` for a guest, who keeps none: what was shared with them
        ends.
    :raises PermissionMissing: the actor does not manage members, and it is somebody else.
    :raises NotFound: there is no such member.
    :raises RoleTooStrong: their role may do more than the actor's.
    :raises LastOwner: nobody would own the tenant.
    :raises InvalidSuccessor: the successor cannot take anything over.
    """
    actor.require_scope(Scope.ADMIN)
    members.end(actor=actor, member_id=member_id, successor_id=successor_id)


@exposed
def remove_member(
    *, tenant: Tenant, user_id: UUID, successor_id: UUID | None = None, removed_by: UUID | None = None
) -> None:
    """Put a person out of a tenant, as operators do: their sessions and tokens in it end with the same commit.

    :param successor_id: who takes over what they hold; without one, an owner does.

    :raises NotFound: the person is no member.
    :raises LastOwner: they are the only owner.
    :raises InvalidSuccessor: the successor cannot take anything over.
    """
    members.remove(tenant=tenant, user_id=user_id, successor_id=successor_id, removed_by=removed_by)


@exposed
def find_succession(*, tenant: Tenant, user_id: UUID) -> Succession | None:
    """Tell who has now what somebody held who has left; ``None`` for who is a member (again), or never was one."""
    return people.find_succession(tenant, user_id)


# --- invitations -----------------------------------------------------------------------------------------------------------


@exposed
def invite(
    *, actor: Actor, email: str, role: Role | None = None, role_id: UUID | None = None, message: str = ""
) -> Invitation:
    """Invite an address into the actor's tenant and write to it; whether it has an account is told to nobody.

    :param role_id: a role of the tenant's own instead of a built-in one.
    :raises PermissionMissing: the actor does not invite members.
    :raises UnknownRole: there is no such role, or none or two are named.
    :raises RoleTooStrong: the role may do more than the actor's.
    :raises GuestsComeByShares: the role is that of a guest.
    :raises EmailNotProved: the actor only claims an address.
    :raises InvalidEmail, InvalidLabel: that value cannot be used.
    :raises AlreadyMember, AlreadyInvited: the address has come already, or is waited for.
    :raises TooManyRequests: too many were invited from this tenant, or this address too often.
    """
    _require(actor, Permission.INVITE_MEMBERS)
    if role is Role.GUEST:
        raise GuestsComeByShares
    return invitations.invite_member(actor=actor, email=email, role=role, role_id=role_id, message=message)


@exposed
def require_guest_allowed(*, actor: Actor, email: str, expires_at: datetime | None) -> None:
    """Refuse to share with somebody who is no member, where the tenant's policies do not allow it.

    :raises PolicyForbids: they forbid it, or ask for an end, or an earlier one.
    :raises DomainNotAllowed: guests come from other domains.
    """
    policies.require_guest(actor, email=email, expires_at=expires_at)


@exposed
def invite_guest(*, actor: Actor, email: str, about: str, message: str = "") -> InvitedGuest:
    """Invite an address as a guest and write to it, naming what is shared (``about``). One that is invited already stays so.

    Whether the actor may share is Sharing's to judge; the policies are asked by ``require_guest_allowed``.

    :raises EmailNotProved, InvalidEmail, TooManyRequests: as ``invite``.
    :raises AlreadyMember: they have come meanwhile.
    """
    return guests.invite(actor=actor, email=email, about=about, message=message)


@exposed
def find_invited(*, tenant: Tenant, invitation_ids: Collection[UUID]) -> dict[UUID, str]:
    """Find the addresses of those of some invitations that nobody has accepted yet, by invitation."""
    return people.find_invited(tenant, invitation_ids)


@exposed
def find_guest_letter(*, tenant: Tenant, invitation_id: UUID) -> GuestLetter | None:
    """Tell where a mail to somebody who is invited goes, and the address that accepts, which holds a secret of theirs.

    ``None``: they have come, or are not invited any more. Only for who writes the mail.
    """
    return invitations.write_to(invitation_id, tenant=tenant)


@exposed
def withdraw_guest(*, actor: Actor, invitation_id: UUID) -> None:
    """End the invitation of a guest with whom nothing is shared any more; one that is none of a guest, or not there, stays as it is."""
    guests.withdraw(actor=actor, invitation_id=invitation_id)


@exposed
def list_invitations(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[Invitation]:
    """Read a page of who is invited to the actor's tenant and has not come, newest first.

    :raises PermissionMissing: the actor does not invite members.
    """
    _require(actor, Permission.INVITE_MEMBERS)
    return people.list_invitations(actor, limit=limit, cursor=cursor)


@exposed
def resend_invitation(*, actor: Actor, invitation_id: UUID) -> Invitation:
    """Send an invitation again, with another code that is good for seven days; the one before is good no more.

    :raises NotFound: there is none.
    :raises PermissionMissing, RoleTooStrong, EmailNotProved, TooManyRequests: as ``invite``.
    """
    _require(actor, Permission.INVITE_MEMBERS)
    return invitations.resend(actor=actor, invitation_id=invitation_id)


@exposed
def withdraw_invitation(*, actor: Actor, invitation_id: UUID) -> None:
    """End an invitation; its code is good for nothing from here on.

    :raises NotFound: there is none.
    :raises PermissionMissing, RoleTooStrong: as ``invite``.
    """
    _require(actor, Permission.INVITE_MEMBERS)
    invitations.withdraw(actor=actor, invitation_id=invitation_id)


@exposed
def open_invitation(*, code: str, address: str) -> OpenedInvitation:
    """Show an invitation to whoever has its code; looking uses nothing up.

    :raises InvalidInvitation: the code is none, was used, withdrawn or replaced, or has expired.
    :raises TooManyRequests: too many wrong codes from this address.
    """
    return accepting.open_invitation(code=code, address=address)


@exposed
def has_address(*, signed_in: SignedIn, email: str) -> bool:
    """Tell whether the address of an invitation is the proved one of who is signed in at the bare host."""
    return people.has_address(signed_in.user_id, email)


@exposed
def accept_invitation_by_password(*, code: str, name: str, password: str, address: str) -> SignedIn:
    """Come in by an invitation: as somebody new with this name and password, or as who has the address, by their password.

    The account of somebody new has proved its address by the code. Start a session with what this gives.

    :raises InvalidInvitation, TooManyRequests: as ``open_invitation``.
    :raises InvalidCredentials: the address has an account, whose password is another one.
    :raises InvalidLabel, WeakPassword: that value cannot be used.
    """
    return accepting.accept_by_password(code=code, name=name, password=password, address=address)


@exposed
def accept_invitation_as_browser(*, code: str, signed_in: SignedIn, address: str) -> SignedIn:
    """Come in by an invitation as who is signed in at the bare host (``find_signed_in``).

    :raises InvalidInvitation, TooManyRequests: as ``open_invitation``.
    :raises InvalidCredentials: the invitation is for another address.
    """
    return accepting.accept_as_browser(code=code, signed_in=signed_in, address=address)


@exposed
def accept_invitation_as_actor(*, code: str, actor: Actor, address: str) -> SignedIn:
    """Come in by an invitation as a member of another tenant.

    :raises InvalidInvitation, TooManyRequests: as ``open_invitation``.
    :raises InvalidCredentials: the invitation is for another address.
    """
    actor.require_scope(Scope.ACCOUNT)
    return accepting.accept_as_actor(code=code, actor=actor, address=address)


def _require(actor: Actor, *permissions: Permission) -> None:
    actor.require_scope(Scope.ADMIN)
    actor.require_permission(*permissions)
