"""What identity's doors give of tenants: how they are set, how they look, and their end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bitvault.kernel.file_rules import FileTypes
from bitvault.kernel.tenancy import Tenant

OutsideSharers = Literal["nobody", "administrators", "members"]
OnSharers = Literal["owners", "managers"]
SupportAccess = Literal["nobody", "look", "open"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policies:
    """What a tenant lets its people do; kept by the server, and told by the dialogs before somebody tries."""

    share_outside: OutsideSharers = "members"
    """Who may let in people who are no members, by links and as guests."""
    guests: OutsideSharers = "members"
    """Who of them may invite guests, and share with those who are here."""
    guest_domains: tuple[str, ...] = ()
    """Domains of mail addresses that guests come from; none: all."""
    links_allowed: bool = True
    """Whether there are links; without, those that were made open nothing."""
    link_password_required: bool = False
    expiry_required: bool = False
    """Whether links need an end."""
    longest_days: int | None = None
    """How far away such an end may be; with it an end is needed."""
    share_on: OnSharers = "managers"
    """Who may share what is shared with them: managers, or nobody; then owners of a tree do, and administrators in team folders."""
    allowed_domains: tuple[str, ...] = ()
    """Domains of mail addresses that members are invited from; none: all."""
    file_types: FileTypes = "all"
    """Which files come in: all, all ``except`` those with ``file_extensions``, or ``only`` those. What is here already stays."""
    file_extensions: tuple[str, ...] = ()
    """Ends of names in lower case, with their dot; a single dot stands for names without one."""
    largest_file_bytes: int | None = None
    """The largest file that comes in; the plan may allow less."""
    versions_keep_count: int | None = None
    """Earlier versions that a file has at most; current, labelled and pinned ones are not counted and never deleted by a rule."""
    versions_keep_days: int | None = None
    """Days that a version is kept after a newer one took its place."""
    versions_thinning: bool = False
    """Whether of versions older than an hour one an hour is kept, after a day one a day, after 30 days one a week: each the newest."""
    support_access: SupportAccess = "look"
    """Whether operators may look at the tenant as one of its members: not at all, at names alone, or at contents of files too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Permitted:
    """What the policies leave to the one who asks, wherever they may share at all."""

    make_links: bool
    invite_members: bool
    invite_guests: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """That the vault is to be deleted: with all that is in it, at ``due_at``, unless an owner takes it back before."""

    requested_at: datetime
    due_at: datetime
    is_by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDeletion:
    """A tenant whose time has come: nobody is let in, and what there is of it goes step by step."""

    id: UUID
    tenant: Tenant
    step: str
    """The last step that is done; empty: none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantOverview:
    """A tenant as operators look at it before they suspend or delete it."""

    tenant: Tenant
    state: str
    suspended_for: str
    people_count: int
    deletion: Deletion | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTenant:
    """A tenant in the operators' list; ``seen_at`` is when a browser of its people was last seen, while its session lasts."""

    id: UUID
    slug: str
    name: str
    state: str
    suspended_for: str
    member_count: int
    guest_count: int
    seen_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PastImpersonation:
    """That an operator looks at a tenant as one of its members, or did; ``ended_for`` is empty while it lasts."""

    id: UUID
    operator_id: UUID
    operator_name: str
    slug: str
    member_email: str
    reason: str
    began_at: datetime
    expires_at: datetime
    entered_at: datetime | None
    ended_at: datetime | None
    ended_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SupportVisit:
    """That somebody of support looks at the tenant as one of its members, or did, as the tenant reads it.

    ``ended_for`` is empty while it lasts; else ``operator``, ``time``, ``session``, ``refused`` (not allowed any more) or ``tenant``.
    """

    id: UUID
    operator_name: str
    member_id: UUID
    member_email: str
    reason: str
    began_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_for: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PastDeletion:
    """A deletion as it is kept."""

    slug: str
    name: str
    state: str
    reason: str
    is_by_operator: bool
    requested_at: datetime
    due_at: datetime
    ended_at: datetime | None
    people_count: int | None


PictureSize = Literal["small", "large"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture in the two sizes that are kept, as WebP."""

    small: bytes
    large: bytes


@dataclass(frozen=True, slots=True)
class Appearance:
    """What somebody's own page shows besides their name: the role of the tenant's own that they have, and their picture."""

    custom_role: str | None
    picture_id: UUID | None


@dataclass(frozen=True, slots=True)
class PictureOfPerson:
    """Which picture somebody has; another one has another id."""

    user_id: UUID
    picture_id: UUID


@dataclass(frozen=True, slots=True)
class Colours:
    """The colour of buttons and links on light and on dark pages, as ``#rrggbb``."""

    light: str
    dark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettings:
    """A tenant as its people see it. ``locale`` and ``time_zone`` are what pages take for who has chosen none; empty: the browser's.

    Without ``colours`` and ``logo_id`` it looks as BitVault does.
    """

    id: UUID
    slug: str
    name: str
    locale: str
    time_zone: str
    colours: Colours | None = None
    logo_id: UUID | None = None
    policies: Policies
    permitted: Permitted
