"""What requests about usage may say."""

from datetime import date
from typing import Literal

from bitvault.web.derived import DerivedQuery

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
]


class HistoryQuery(DerivedQuery, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Which days, and which metric (all of them when none is named)."""

    begin: date
    end: date
    metric: Metric | None = None
