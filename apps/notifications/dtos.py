"""What notifications tell other modules and the world."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Kind = Literal[
    "folder_created",
    "added",
    "changed",
    "conflict",
    "renamed",
    "moved",
    "trashed",
    "restored",
    "shared",
    "locked",
    "unlocked",
    "lock_ended",
    "held",
    "hold_lifted",
    "commented",
    "mentioned",
    "answered",
    "asked",
    "invited",
    "joined",
    "signed_in",
    "quota",
    "statement",
    "domain_missed",
    "domain_found",
    "domain_lost",
    "plan_paid",
    "plan_ended",
    "payment_failed",
    "payment_reminder",
    "payment_settled",
    "received",
    "link_ending",
    "link_used",
    "webhook_off",
    "siem_failing",
    "siem_works",
    "malware",
    "quarantined",
    "blocked",
    "vault_deletion",
    "vault_kept",
    "support",
    "job_done",
    "job_failed",
]
"""What happened."""

Topic = Literal[
    "shared",
    "comments",
    "asked",
    "followed",
    "conflict",
    "joined",
    "quota",
    "statements",
    "payment",
    "domains",
    "links",
    "link_used",
    "signed_in",
    "jobs",
    "webhooks",
    "malware",
    "vault",
]
"""Under which heading somebody is told of it, and may switch it off."""

MailMode = Literal["off", "at_once", "daily", "weekly"]
Gathered = Literal["at_once", "daily", "weekly"]
"""What one mail may tell of in a row: what waited for the end of quiet hours, a day, a week."""
Way = Literal["mail", "push"]
"""How somebody is told who does not look."""
Channel = Literal["all", "none"]
Whose = Literal["me", "tenant"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who did something, or to whom it was done; the name is empty for who is no member any more."""

    id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder as the reader sees it now."""

    id: UUID
    kind: Literal["folder", "file"]
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened, once or several times in a row: ``text`` says it in the reader's language.

    ``node`` and ``folder`` are told as far as the reader sees them at this moment. ``occurred_at`` is the last time of ``count``.
    """

    id: UUID
    kind: Kind
    text: str
    actor: Person | None
    node: Place | None
    folder: Place | None
    count: int
    occurred_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Happening):
    """Something that the reader is told of."""

    topic: Topic
    is_read: bool


@dataclass(frozen=True, slots=True)
class Notices:
    """A page of notices, newest first, and how many are unread in all: 100 stands for more."""

    items: Sequence[Notice]
    next_cursor: str | None
    unread_count: int
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class Activity:
    """A page of what happened, newest first.

    A page may be empty although ``next_cursor`` says that there may be more: what the caller may not see was passed over, and a request
    looks at a bounded number.
    """

    items: Sequence[Happening]
    next_cursor: str | None
    as_of_seq: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; names are set off."""

    text: str
    is_name: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that happened as a page shows it: the sentence in pieces, and where a browser sees what it is about (empty: nowhere)."""

    id: UUID
    kind: Kind
    pieces: Sequence[Piece]
    path: str
    occurred_at: datetime
    is_unread: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of lines, and how many notices are unread in all."""

    items: Sequence[Line]
    next_cursor: str | None
    unread_count: int = 0


@dataclass(frozen=True, slots=True)
class Preference:
    """How somebody is told of a topic. The mail of new sign-ins is sent by the account itself and is no choice: ``off`` here."""

    topic: Topic
    browser: bool
    mail: MailMode
    push: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """How somebody wants to be told of a topic; ``push`` of ``None`` leaves that as it is."""

    topic: Topic
    browser: bool
    mail: MailMode
    push: bool | None = None


@dataclass(frozen=True, slots=True)
class PushTarget:
    """What a browser says of itself to be told by push: its address at the push service, and two keys in base64url (RFC 8291)."""

    address: str
    p256dh: str
    auth: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Browser:
    """A browser that somebody is told in by push, as they see it.

    ``current`` marks the one that asks. Where nobody ``is_signed_in`` any more nothing is sent. ``failing_since``: its push service has
    taken nothing since.
    """

    id: UUID
    name: str
    current: bool
    is_signed_in: bool
    created_at: datetime
    told_at: datetime | None
    failing_since: datetime | None


@dataclass(frozen=True, slots=True)
class Browsers:
    """The browsers that somebody is told in by push, oldest first, and the key that browsers subscribe with (RFC 8292), in base64url."""

    items: Sequence[Browser]
    public_key: str


@dataclass(frozen=True, slots=True)
class QuietHours:
    """When somebody gets no mail, by the clock of their time zone (``"22:00"``); ``end`` may be on the next day."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """How somebody is told of each topic, and when they get no mail."""

    items: Sequence[Preference]
    quiet_hours: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    """What somebody wants to hear of a node and all below it: ``all`` follows it, ``none`` mutes it."""

    id: UUID
    node_id: UUID
    kind: Literal["changes"]
    channel: Channel
    created_at: datetime
    node: Place | None
    """``None`` while the reader does not see it."""
