"""Events of identity: who may enter a tenant and by what. Ids only: names and addresses are asked for where they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantCreated(Event):
    """A tenant has come to be, with its owner: the first event of its stream."""

    type: ClassVar[str] = "identity.tenant.created.v1"

    slug: str
    owner_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSuspended(Event):
    """Nobody is let into the tenant any more."""

    type: ClassVar[str] = "identity.tenant.suspended.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantActivated(Event):
    """The members of a suspended tenant are let in again."""

    type: ClassVar[str] = "identity.tenant.activated.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDeletionRequested(Event):
    """The tenant is to be deleted with all that is in it, at ``due_at``, unless that is taken back before."""

    type: ClassVar[str] = "identity.tenant.deletion_requested.v1"

    due_at: str
    is_by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDeletionWithdrawn(Event):
    """The tenant is not to be deleted after all."""

    type: ClassVar[str] = "identity.tenant.deletion_withdrawn.v1"

    is_by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantChanged(Event):
    """Administrators have set something: the fields that are other now, and the policies that are, each as ``name=<JSON>``."""

    type: ClassVar[str] = "identity.tenant.changed.v1"

    changed: Sequence[str]
    policies: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberAdded(Event):
    """A person has become a member."""

    type: ClassVar[str] = "identity.member.added.v1"

    user_id: UUID
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRoleChanged(Event):
    """A member has another role. A built-in one is told by its key, one of the tenant's own by its name."""

    type: ClassVar[str] = "identity.member.role_changed.v1"

    user_id: UUID
    role: str
    previous_role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDeactivated(Event):
    """A member is not let in until they are reactivated; what they hold stays theirs."""

    type: ClassVar[str] = "identity.member.deactivated.v1"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberReactivated(Event):
    """A member who was deactivated is let in again."""

    type: ClassVar[str] = "identity.member.reactivated.v1"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPictureChanged(Event):
    """A person has another picture here, or none any more."""

    type: ClassVar[str] = "identity.member.picture_changed.v1"

    user_id: UUID
    is_removed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSucceeded(Event):
    """What somebody held who leaves goes to another member. Jobs hand it over; each module tells by its own events when it has."""

    type: ClassVar[str] = "identity.member.succeeded.v1"

    user_id: UUID
    successor_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRemoved(Event):
    """A person is no member any more; what they had of sessions and tokens ended with it."""

    type: ClassVar[str] = "identity.member.removed.v1"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """A browser has signed in."""

    type: ClassVar[str] = "identity.session.started.v1"

    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """A browser is signed out, by itself or by somebody else."""

    type: ClassVar[str] = "identity.session.ended.v1"

    session_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCreated(Event):
    """An API token exists."""

    type: ClassVar[str] = "identity.token.created.v1"

    token_id: UUID
    user_id: UUID
    scopes: list[str]
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRevoked(Event):
    """An API token does not work any more."""

    type: ClassVar[str] = "identity.token.revoked.v1"

    token_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordChanged(Event):
    """A person has another password; the sessions and tokens that ended with it have events of their own."""

    type: ClassVar[str] = "identity.password.changed.v1"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailProved(Event):
    """A person has proved that the address they had claimed is theirs."""

    type: ClassVar[str] = "identity.email.proved.v1"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDeactivated(Event):
    """An operator has shut a person out of the installation; the sessions that ended with it have events of their own."""

    type: ClassVar[str] = "identity.person.deactivated.v1"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonReactivated(Event):
    """A person who was shut out is let in again."""

    type: ClassVar[str] = "identity.person.reactivated.v1"

    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationCreated(Event):
    """Somebody is invited; who it is stands in the invitation alone."""

    type: ClassVar[str] = "identity.invitation.created.v1"

    invitation_id: UUID
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationResent(Event):
    """An invitation was sent again, with another code and another end."""

    type: ClassVar[str] = "identity.invitation.resent.v1"

    invitation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationWithdrawn(Event):
    """An invitation is not good any more."""

    type: ClassVar[str] = "identity.invitation.withdrawn.v1"

    invitation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationAccepted(Event):
    """Somebody has come by an invitation; that they are a member now has an event of its own."""

    type: ClassVar[str] = "identity.invitation.accepted.v1"

    invitation_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleCreated(Event):
    """A tenant has a role of its own."""

    type: ClassVar[str] = "identity.role.created.v1"

    role_id: UUID
    name: str
    base: str
    permissions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleChanged(Event):
    """A role of a tenant's own has another name or allows something else, to all who have it."""

    type: ClassVar[str] = "identity.role.changed.v1"

    role_id: UUID
    name: str
    base: str
    permissions: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleDeleted(Event):
    """A role of a tenant's own is not there any more; who had it has ``successor``, a key or a name (empty: nobody had it)."""

    type: ClassVar[str] = "identity.role.deleted.v1"

    role_id: UUID
    name: str
    successor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCreated(Event):
    """A group exists, without people."""

    type: ClassVar[str] = "identity.group.created.v1"

    group_id: UUID
    parent_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChanged(Event):
    """A group has another name, or lies in another group or in none; its people may have other groups by it."""

    type: ClassVar[str] = "identity.group.changed.v1"

    group_id: UUID
    parent_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupDeleted(Event):
    """A group is not there any more: nobody is in it, and those that lay in it lie in none."""

    type: ClassVar[str] = "identity.group.deleted.v1"

    group_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMemberAdded(Event):
    """Somebody is in a group, or manages it from now on, or does not."""

    type: ClassVar[str] = "identity.group.member_added.v1"

    group_id: UUID
    user_id: UUID
    is_manager: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupMemberRemoved(Event):
    """Somebody is not in a group any more."""

    type: ClassVar[str] = "identity.group.member_removed.v1"

    group_id: UUID
    user_id: UUID
