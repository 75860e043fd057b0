"""What the doors of links give and take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from bitvault.kernel.actor import Actor
from bitvault.kernel.file_rules import EVERYTHING, Admitted

LinkKindName = Literal["view", "download", "upload", "edit"]

UNLOCK_HEADER = "BitVault-Link-Unlock"
"""Brings the proof that the link's password was given."""

SUBMISSION_HEADER = "BitVault-Link-Submission"
"""Brings the proof of the visit in which somebody sends files."""

LinkState = Literal["open", "not_started", "expired", "used_up", "ended"]
ActionName = Literal["opened", "refused", "downloaded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestWish:
    """What a link that takes files asks for; a limit that is ``None`` there is not.

    ``max_files`` counts those of one sender, ``max_total_bytes`` those of all together. ``accepts`` names endings (``.pdf``) and families
    (``image/*``). Files are taken until ``deadline`` and for ``grace_hours`` after it.
    """

    title: str
    text: str = ""
    deadline: datetime | None = None
    grace_hours: int = 0
    ask_name: bool = True
    ask_email: bool = False
    max_file_bytes: int | None = None
    max_files: int | None = None
    max_total_bytes: int | None = None
    accepts: Sequence[str] = ()
    folder_per_sender: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest(RequestWish):
    """A request as those see it who share its folder, with what has come already."""

    received_count: int
    received_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWish:
    """How a new link is to be; what is ``None`` it does not have. One of the kind ``upload`` has a ``request``, and ends by that."""

    kind: LinkKindName
    name: str = ""
    slug: str | None = None
    password: str | None = None
    starts_at: datetime | None = None
    expires_at: datetime | None = None
    download_limit: int | None = None
    request: RequestWish | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link as those see it who share its node. Its address is told once, by the answer that made it; a ``slug`` is the end of it."""

    id: UUID
    node_id: UUID
    kind: LinkKindName
    name: str
    slug: str
    has_password: bool
    starts_at: datetime | None
    expires_at: datetime | None
    download_limit: int | None
    download_count: int
    request: FileRequest | None
    state: LinkState
    created_by: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLink(Link):
    """A link that was made just now, with its address."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedNode:
    """What is shown of a node in a list of links."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkItem:
    """A link with its node."""

    link: Link
    node: LinkedNode


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkAccess:
    """Something that a visitor did. ``visitor`` tells visitors of one link apart; ``counted`` says that it is one of its downloads.

    ``node_name`` is ``None`` where the reader does not see the node any more.
    """

    id: UUID
    action: ActionName
    accessed_at: datetime
    node_id: UUID
    node_name: str | None
    version_id: UUID | None
    visitor: str
    counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QrCode:
    """The address of a link, drawn."""

    svg: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicNode:
    """What a visitor is told of a node."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str
    size_bytes: int | None
    media_type: str | None
    modified_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRequest:
    """What a sender is told: what is asked for, and the limits, before a byte moves. ``left_bytes``: what the request still takes.

    ``allowed_extensions`` (``None``: all) and ``refused_extensions`` are the rules for files of the vault and of the folders above, with
    which ``max_file_bytes`` reckons too.
    """

    title: str
    text: str
    deadline: datetime | None
    is_late: bool
    ask_name: bool
    ask_email: bool
    max_file_bytes: int | None
    max_files: int | None
    left_bytes: int | None
    accepts: Sequence[str]
    allowed_extensions: Sequence[str] | None = None
    refused_extensions: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicLink:
    """What whoever holds a link is told of it. While it is ``locked`` the password has to be given first, and ``node`` is not told.

    Of one that takes files ``request`` is told, and ``node`` never is.
    """

    kind: LinkKindName
    tenant_name: str
    shared_by: str
    expires_at: datetime | None
    downloads_left: int | None
    has_password: bool
    locked: bool
    node: PublicNode | None
    request: PublicRequest | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicChildren:
    """A page of what lies in a folder, as a visitor sees it."""

    items: Sequence[PublicNode]
    next_cursor: str | None
    total_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkPage:
    """What the page of a link shows: the path from the link's own node down, and of a folder what lies in it.

    ``admitted`` tells who may bring files there which come in.
    """

    link: PublicLink
    path: Sequence[PublicNode]
    children: PublicChildren | None
    counts_visitors: bool
    admitted: Admitted = EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlocked:
    """The proof that somebody knows a link's password."""

    unlock_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Somebody who was let in by a link: as whom they act, and whether the link counts its visitors."""

    link_id: UUID
    kind: LinkKindName
    actor: Actor
    counts_visitors: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubmission:
    """A visit that begins: the proof by which its sender is known for as long as an upload lives."""

    submission_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableNode(PublicNode):
    """What a visitor who may edit is told of a node: which version their edit starts from, and in which folder of the link it lies.

    ``parent_id`` is ``None`` for the link's own node: what lies around it is not told. Until ``locked_until`` somebody of the vault alone
    may change it; who that is is not told either.
    """

    parent_id: UUID | None
    version_id: UUID | None
    locked_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentItem:
    """A file as its sender sees it."""

    name: str
    size_bytes: int
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFiles:
    """What has arrived of one visit. ``receipt`` says that a mail tells of it, too."""

    items: Sequence[SentItem]
    receipt: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceivedFile:
    """A file that has come through a link, as those see it who share the folder. ``node_id`` may be gone since."""

    id: UUID
    name: str
    size_bytes: int
    node_id: UUID
    sent_at: datetime
    is_late: bool
    sender_name: str
    sender_email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """Somebody who sends files through a link: as whom they act, and which visit it is."""

    link_id: UUID
    submission_id: UUID
    actor: Actor
