"""What the doors of sharing give and take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bitvault.kernel.capabilities import CapabilityName, RoleName

PrincipalType = Literal["user", "group", "everyone"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who is to have a share: a user or a group by ``id``, a person of the tenant by ``email``, or everyone in the tenant."""

    type: Literal["user", "group", "everyone", "email"]
    id: UUID | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """What a principal is to have on a node, until ``expires_at`` (never ends without it)."""

    principal: Principal
    role: RoleName
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SharePrincipal:
    """Who has a share. ``name`` is what to call them, ``email`` a person's address."""

    type: PrincipalType
    id: UUID | None
    name: str
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one principal may do with a node and all below it."""

    id: UUID
    node_id: UUID
    principal: SharePrincipal
    role: str
    capabilities: Sequence[CapabilityName]
    expires_at: datetime | None
    granted_by: UUID
    granted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedNode:
    """What is shown of a node in a list of shares."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str
    size_bytes: int | None
    media_type: str | None
    modified_at: datetime
    capabilities: Sequence[CapabilityName]


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedItem:
    """A share with its node, and the person who gave it (``None`` when they have left the tenant)."""

    share: Share
    node: SharedNode
    granted_by: SharePrincipal | None
