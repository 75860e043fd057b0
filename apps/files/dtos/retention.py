"""What the doors of legal holds and retention rules give."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

RetentionKind = Literal["hold", "rule"]
RetentionTarget = Literal["vault", "person", "folder", "tag"]
"""What a policy is about: everything, what a person keeps, a folder with all below it, or what has a tag."""
RetentionState = Literal["applying", "active", "lifted"]
"""A policy on a tag is being applied until all that had the tag at the beginning is covered; it keeps what it covers so far."""
RetainedBy = Literal["named", "tag", "moved"]
"""Why a node is covered itself: it was named, it has (or had) the tag, or it was moved out of something covered."""

NAME_LIMIT = 100
"""Characters of a policy's name: a line in a list."""
REASON_LIMIT = 1000
"""Characters of its reason: a paragraph."""
DAYS_LIMIT = 36_500
"""Days that a rule can name: a hundred years."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """A legal hold, which keeps until it is lifted, or a retention rule, which keeps for ``keep_days``, deletes after
    ``delete_after_days``, or both.

    ``target_name`` is what the person, the folder or the tag is called; empty where the caller may not see it. ``named_count`` is how many
    nodes are covered by themselves; with each of them all below it is.
    """

    id: UUID
    kind: RetentionKind
    state: RetentionState
    name: str
    reason: str
    target: RetentionTarget
    target_name: str
    node_id: UUID | None
    user_id: UUID | None
    tag_id: UUID | None
    keep_days: int | None
    delete_after_days: int | None
    tells_owner: bool
    named_count: int
    made_by: UUID
    made_by_name: str
    made_at: datetime
    lifted_by: UUID | None
    lifted_by_name: str
    lifted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetainedNode:
    """A node that a policy names; ``name`` and ``path`` are empty where the caller may not see it.

    ``left_at`` is when it lost the tag: it is kept all the same.
    """

    node_id: UUID
    by: RetainedBy
    since: datetime
    left_at: datetime | None
    name: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """A policy that covers a node. The name of a hold is told to who manages retention alone.

    Of a file, ``kept_until`` is how long a rule keeps it, and ``deleted_at`` when one puts it into the trash at the earliest.
    """

    policy_id: UUID
    kind: RetentionKind
    name: str
    keep_days: int | None
    delete_after_days: int | None
    kept_until: datetime | None
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Why something in the trash is not deleted permanently: a hold, or a rule until a moment."""

    by: RetentionKind
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRow:
    """A legal hold in force: of everything, of what has a tag, or of nodes that are told beside it."""

    policy_id: UUID
    tag_id: UUID | None
    is_of_vault: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRows:
    """The legal holds in force, exactly as they are at a number of the stream."""

    items: Sequence[HoldRow]
    as_of_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """A node that holds in force name, or that lay in one when it was put into the trash."""

    node_id: UUID
    policy_ids: Sequence[UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRows:
    """Such nodes in the order of their ids, exactly as they are at a number of the stream."""

    items: Sequence[HeldRow]
    as_of_seq: int
