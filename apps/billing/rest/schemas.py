"""What requests about usage may say."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from bitvault.web.derived import DerivedQuery
from bitvault.web.structs import Body

Metric = Literal[
    "live_bytes",
    "trash_bytes",
    "file_count",
    "folder_count",
    "version_count",
    "uploads_committed_count",
    "uploaded_bytes",
    "downloads_signed_count",
    "downloaded_bytes",
    "member_count",
    "guest_count",
    "derived_bytes",
]


class SetOwnLimit(Body, frozen=True):
    """How much of what the plan gives the vault may use; null: all of it."""

    limit_bytes: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None


class ChoosePlan(Body, frozen=True):
    """Which plan, by its slug."""

    plan: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class HistoryQuery(DerivedQuery, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Which days, and which metric (all of them when none is named)."""

    begin: date
    end: date
    metric: Metric | None = None
