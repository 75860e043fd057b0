"""What identity's doors take and give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from apps.identity.dtos.domains import DomainProblem, DomainStateName, OwnDomain
from apps.identity.dtos.tenants import (
    Appearance,
    Colours,
    Deletion,
    Drawn,
    DueDeletion,
    ListedTenant,
    OnSharers,
    OutsideSharers,
    PastDeletion,
    Permitted,
    PictureOfPerson,
    PictureSize,
    Policies,
    TenantOverview,
    TenantSettings,
)
from bitvault.kernel.actor import Actor, Role, Scope
from bitvault.kernel.permissions import NO_PERMISSIONS, Permission

__all__ = [
    "Appearance",
    "Colours",
    "Deletion",
    "Directory",
    "DomainProblem",
    "DomainStateName",
    "Drawn",
    "DueDeletion",
    "FormerMember",
    "Group",
    "GroupMember",
    "GuestLetter",
    "Handover",
    "Invitation",
    "InvitationState",
    "InvitedGuest",
    "Inviter",
    "ListedTenant",
    "Member",
    "MemberState",
    "NamedGroup",
    "NamedRole",
    "NewToken",
    "OnSharers",
    "OpenedInvitation",
    "OutsideSharers",
    "OwnDomain",
    "PastDeletion",
    "Permitted",
    "PictureOfPerson",
    "PictureSize",
    "Policies",
    "Profile",
    "Session",
    "SignedIn",
    "SignedUp",
    "Standing",
    "Succession",
    "TenantInfo",
    "TenantOfUser",
    "TenantOverview",
    "TenantRole",
    "TenantSettings",
    "Token",
    "User",
    "Viewer",
]


@dataclass(frozen=True, slots=True)
class User:
    """A person."""

    id: UUID
    email: str
    name: str
    email_proved: bool
    """Whether the address is theirs, or only what they have said at sign-up."""
    locale: str = ""
    """The language that they have chosen; empty: none."""
    time_zone: str = ""
    """The zone that they have chosen, by its IANA name; empty: none."""


@dataclass(frozen=True, slots=True)
class TenantOfUser:
    """A tenant that a person belongs to, and where a browser finds it."""

    id: UUID
    slug: str
    name: str
    role: Role
    url: str


@dataclass(frozen=True, slots=True)
class TenantInfo:
    """A tenant as its own members see it."""

    id: UUID
    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class Profile:
    """Who acts, where, as what, and with which rights of the credential."""

    user: User
    tenant: TenantInfo
    role: Role
    scopes: list[Scope]
    permissions: list[Permission]


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who is signed in at a tenant's host: who acts, and what pages show of them."""

    actor: Actor
    user: User


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Proof that somebody knew a person's password at ``proved_at``; sessions and tickets are made from it alone."""

    user_id: UUID
    proved_at: datetime
    tenants: tuple[TenantOfUser, ...]
    email_proved: bool
    """Whether the account's address is proved too; until it is, it signs in at its own vaults alone."""


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A tenant that was just made and its owner, signed in."""

    tenant: TenantOfUser
    signed_in: SignedIn


@dataclass(frozen=True, slots=True)
class Handover:
    """A ticket that carries a sign-in from the bare host to a tenant's host; good for one use within a minute."""

    ticket: str
    tenant_url: str


@dataclass(frozen=True, slots=True)
class Session:
    """A browser that is signed in; ``current`` marks the one that asks."""

    id: UUID
    address: str | None
    agent: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Token:
    """An API token as its holder sees it afterwards: everything but the secret."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token that was just made; ``token`` is shown here and never again."""

    id: UUID
    name: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    token: str


MemberState = Literal["active", "deactivated"]


@dataclass(frozen=True, slots=True)
class NamedRole:
    """A role of the tenant's own, by its name."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a tenant. Who has a role of the tenant's own (``custom_role``) works with files as ``role`` says."""

    id: UUID
    user: User
    role: Role
    state: MemberState
    created_at: datetime
    last_seen_at: datetime | None = None
    """When a browser or a program of theirs was last here, to the minute; told in the list of members alone."""
    custom_role: NamedRole | None = None


InvitationState = Literal["pending", "expired"]


@dataclass(frozen=True, slots=True)
class Inviter:
    """Who has invited somebody."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Invitation:
    """An address that is invited and has not come yet. The code is in its mail alone."""

    id: UUID
    email: str
    role: Role
    message: str
    state: InvitationState
    invited_by: Inviter | None
    created_at: datetime
    sent_at: datetime
    expires_at: datetime
    custom_role: NamedRole | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantRole:
    """A role that a tenant can give: one of the built-in ones, or one of its own, which alone can be changed."""

    id: UUID
    name: str
    """What people call it; of a built-in one the key, which pages translate."""
    built_in: Role | None
    base: Role
    """What its people may do with files: as members, as viewers; of a built-in one the role itself."""
    permissions: list[Permission]
    member_count: int
    """How many people have it."""
    invitation_count: int
    can_give: bool
    """Whether the one who asks may give, take and change it: it allows nothing that they may not do themselves."""


@dataclass(frozen=True, slots=True)
class OpenedInvitation:
    """What somebody who has the code of an invitation is told before they accept it."""

    tenant: TenantInfo
    email: str
    role: Role
    message: str
    invited_by: str
    expires_at: datetime
    has_account: bool
    """Whether the address has an account, whose password accepts; otherwise a name and a new password do."""
    about: str = ""
    """What is shared with somebody who comes as a guest, by its name."""
    role_name: str = ""
    """The role of the tenant's own that they are to have, by its name."""


@dataclass(frozen=True, slots=True)
class FormerMember:
    """Somebody who has left a tenant."""

    user_id: UUID
    name: str
    was_guest: bool = False
    """Whether they were a guest: what was shared with them was for them alone."""


@dataclass(frozen=True, slots=True)
class Succession:
    """Who has what somebody held who has left a tenant."""

    left: tuple[FormerMember, ...]
    """Who has left: the one who was asked for, the successor who has left since, and so on."""
    successor_id: UUID


@dataclass(frozen=True, slots=True)
class Group:
    """Several people of a tenant, who are named together; ``member_count`` are in it itself."""

    id: UUID
    name: str
    parent_id: UUID | None
    member_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A group by its name; nobody in it is counted."""

    id: UUID
    name: str
    parent_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """What a member of a tenant is there: with their groups, and those that these lie in."""

    member: Member
    group_ids: Sequence[UUID]
    permissions: frozenset[Permission] = NO_PERMISSIONS


@dataclass(frozen=True, slots=True)
class Directory:
    """The people and groups of a tenant that a text finds, each by name."""

    people: Sequence[Member]
    groups: Sequence[NamedGroup]


@dataclass(frozen=True, slots=True)
class GroupMember:
    """Somebody in a group; ``is_manager`` says who else is in it."""

    user: User
    is_manager: bool
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Seats:
    """How many members and guests are let in to a tenant, and how many are invited and may still come."""

    member_count: int
    invited_member_count: int
    guest_count: int
    invited_guest_count: int


@dataclass(frozen=True, slots=True)
class InvitedGuest:
    """An address that is invited as a guest, or as a member, and has not come yet."""

    invitation_id: UUID
    email: str
    may_be_told: bool = False
    """Whether it was invited before, so that its invitation says nothing of what is shared now, and a further mail is within the limit."""


@dataclass(frozen=True, slots=True)
class GuestLetter:
    """Where to write to somebody who is invited, in which language, and the address that accepts their invitation."""

    email: str
    locale: str
    url: str
