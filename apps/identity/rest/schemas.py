"""What the REST surface of identity reads."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from apps.identity.dtos import MemberState
from bitvault.kernel.actor import Role, Scope
from bitvault.web.pagination import PageQuery
from bitvault.web.structs import Body, Query


class LogIn(Body, frozen=True):
    """E-mail and password of a member of the host's tenant."""

    email: Annotated[str, Meta(max_length=254)]
    password: Annotated[str, Meta(max_length=1024)]


class CreateToken(Body, frozen=True):
    """A token to be made; it cannot be changed afterwards."""

    name: str
    scopes: Annotated[list[Scope], Meta(min_length=1)]
    expires_at: Annotated[datetime, Meta(tz=True)]


class ChangePassword(Body, frozen=True):
    """The password that is, and the one that shall be."""

    current_password: Annotated[str, Meta(max_length=1024)]
    new_password: Annotated[str, Meta(max_length=1024)]


class ForgottenPassword(Body, frozen=True):
    """Whose password was forgotten."""

    email: Annotated[str, Meta(max_length=254)]


class ResetPassword(Body, frozen=True):
    """The code of the mail, and the password that shall be."""

    code: Annotated[str, Meta(max_length=64)]
    new_password: Annotated[str, Meta(max_length=1024)]


class EmailCode(Body, frozen=True):
    """The code that was sent to the address of the account."""

    code: Annotated[str, Meta(max_length=64)]


class PageOfMembers(PageQuery, frozen=True):
    """Which people of a tenant."""

    q: Annotated[str, Meta(max_length=254)] = ""
    role: Role | None = None
    role_id: UUID | None = None
    state: MemberState | None = None


class UpdateMember(Body, frozen=True):
    """What a member is to be from now on; what is left out stays. A role is named by its key, or by its id."""

    role: Role | None = None
    role_id: UUID | None = None
    state: MemberState | None = None


class RemoveMember(Query, frozen=True):
    """Who takes over what the member holds: the user id of an active member; none for a guest, who holds nothing."""

    successor_id: UUID | None = None


class Invite(Body, frozen=True):
    """Who is invited, as what, and with which words. The role is named by its key, or by its id."""

    email: Annotated[str, Meta(max_length=254)]
    role: Role | None = None
    role_id: UUID | None = None
    message: str = ""


class AcceptInvitation(Body, frozen=True):
    """What makes somebody new an account, or proves the one that they have; nothing where the credential of the request does."""

    name: str = ""
    password: Annotated[str, Meta(max_length=1024)] | None = None


class CreateGroup(Body, frozen=True):
    """A group to be made, in another one if wanted."""

    name: str
    parent_id: UUID | None = None


class UpdateGroup(Body, frozen=True):
    """What a group is to be from now on; what is left out stays."""

    name: str | None = None
    parent_id: UUID | UnsetType | None = UNSET


class PutGroupMember(Body, frozen=True):
    """What somebody is in a group."""

    is_manager: bool = False
