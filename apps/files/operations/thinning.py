"""Which older versions of a file a vault's rules give up: at most so many, not for longer, and the further back the fewer.

Nothing here reads or writes; ``expiring`` does. The current version, labelled and pinned ones are neither given up nor counted.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)
"""Ages at which thinning begins to keep one an hour, one a day and one a week, as in Nextcloud."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a vault has set; each gives up versions by itself. ``None`` and ``False`` give up nothing."""

    keep_count: int | None = None
    keep_days: int | None = None
    thinning: bool = False

    def __bool__(self) -> bool:
        """Whether any is set."""
        return self.thinning or self.keep_count is not None or self.keep_days is not None


class Candidate(NamedTuple):
    """What is judged of a version."""

    id: UUID
    created_at: datetime
    is_kept: bool
    """Whether it is labelled or pinned."""


def find_due(versions: Sequence[Candidate], rules: Rules, *, current_id: UUID | None, now: datetime) -> list[Candidate]:
    """Find what the rules give up of a file's versions, which come newest first, and so do these.

    Days count from when a newer version took a version's place: what was the content for a year is not gone an hour after it was
    overwritten.
    """
    due: set[UUID] = set()
    left: list[Candidate] = []
    slots: set[Hashable] = set()
    newer: Candidate | None = None
    for version in versions:
        replaced_at = newer.created_at if newer is not None else now
        newer = version
        if version.is_kept or version.id == current_id:
            continue
        slot = _find_slot(version.created_at, now) if rules.thinning else None
        is_too_old = rules.keep_days is not None and replaced_at < now - timedelta(days=rules.keep_days)
        if is_too_old or (slot is not None and slot in slots):
            due.add(version.id)
        else:
            left.append(version)
        if slot is not None:
            slots.add(slot)
    if rules.keep_count is not None:
        due |= {version.id for version in left[rules.keep_count :]}
    return [version for version in versions if version.id in due]


def _find_slot(made_at: datetime, now: datetime) -> Hashable | None:
    """Tell the hour, day or week (UTC, from Monday) of which the newest version is kept; ``None`` where all are.

    Weeks hold whole days and days whole hours, so what is kept of a day is among what was kept of its hours.
    """
    age = now - made_at
    if age < HOUR:
        return None
    if age < DAY:
        return ("hour", made_at.date(), made_at.hour)
    if age < MONTH:
        return ("day", made_at.date())
    return ("week", (made_at.toordinal() - 1) // 7)
