"""What requests to notifications may say."""

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from apps.notifications.dtos import Channel, MailMode, Topic, Whose
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.derived import DerivedQuery
from bitvault.web.structs import Body, Query

MARKED_LIMIT = 1_000
"""Notices that one request marks."""

Limit = Annotated[int, Meta(ge=1, le=PAGE_LIMIT)]


class NotificationsQuery(DerivedQuery, frozen=True):
    """Which part of the list, and whether it leaves out what is read."""

    unread: bool = False
    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class ActivityQuery(DerivedQuery, frozen=True):
    """Which part of the list."""

    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class WhoseActivityQuery(ActivityQuery, frozen=True):
    """Which part of the list, and whose."""

    whose: Whose = "me"


class MarkRead(Body, frozen=True):
    """Some notices, or one and all before it: one of both."""

    ids: Annotated[list[UUID], Meta(max_length=MARKED_LIMIT)] | None = None
    up_to_id: UUID | None = None


class Unread(Struct, frozen=True):
    """How many notices are unread still; 100 stands for more."""

    unread_count: int


class PreferenceBody(Body, frozen=True):
    """How one is told of a topic; ``push`` stays as it is unless it is named."""

    topic: Topic
    browser: bool
    mail: MailMode
    push: bool | UnsetType = UNSET


TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", max_length=5, examples=["22:00"])]


class QuietHoursBody(Body, frozen=True):
    """When one gets no mail, by the clock of one's time zone; ``end`` may be on the next day."""

    start: TimeOfDay
    end: TimeOfDay


class SetPreferences(Body, frozen=True):
    """How one is told of some topics; the others, and quiet hours unless they are named, stay as they are. ``null`` ends quiet hours."""

    items: Annotated[list[PreferenceBody], Meta(max_length=20)] = []
    quiet_hours: QuietHoursBody | UnsetType | None = UNSET


class PushKeys(Body, frozen=True):
    """With what is encrypted for a browser: a point of P-256 and a secret of 16 bytes, in base64url."""

    p256dh: Annotated[str, Meta(max_length=100)]
    auth: Annotated[str, Meta(max_length=40)]


class PushSubscription(Body, frozen=True):
    """What a browser gives as ``PushSubscription.toJSON()``: its address at its push service, and its keys."""

    endpoint: Annotated[str, Meta(max_length=2_000)]
    keys: PushKeys


class SubscriptionsQuery(Query, frozen=True):
    """Which part of the list; of one node where it is named."""

    node_id: UUID | None = None
    limit: Limit = PAGE_DEFAULT
    cursor: str | None = None


class Subscribe(Body, frozen=True):
    """A node to follow (``all``) or to mute (``none``), with all below it."""

    node_id: UUID
    kind: Literal["changes"] = "changes"
    channel: Channel = "all"
