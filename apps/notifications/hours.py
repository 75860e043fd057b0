"""A reader's own clock: which time it is for them, and whether they have quiet hours."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Self
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apps.notifications import audience, dtos
from apps.notifications.errors import QuietHoursUnfit
from apps.notifications.models import Reader
from bitvault.kernel import clock, db


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours by a reader's clock, from ``start`` until before ``end``, perhaps across midnight."""

    start: time
    end: time

    @classmethod
    def parse(cls, wanted: dtos.QuietHours) -> Self:
        """Read what somebody has chosen.

        :raises QuietHoursUnfit: that is no two times.
        """
        try:
            quiet = cls(time.fromisoformat(wanted.start), time.fromisoformat(wanted.end))
        except ValueError as error:
            raise QuietHoursUnfit from error
        if quiet.start == quiet.end:
            raise QuietHoursUnfit
        return quiet

    @classmethod
    def of(cls, reader: Reader) -> Self | None:
        """Give those of a reader, if they have any."""
        if reader.quiet_from is None or reader.quiet_to is None:
            return None
        return cls(reader.quiet_from, reader.quiet_to)

    def to_dto(self) -> dtos.QuietHours:
        """Give them as callers see them."""
        return dtos.QuietHours(f"{self.start:%H:%M}", f"{self.end:%H:%M}")

    def holds(self, moment: time) -> bool:
        """Tell whether a time of day lies in them."""
        if self.start < self.end:
            return self.start <= moment < self.end
        return moment >= self.start or moment < self.end


def local_time(moment: datetime, time_zone: str) -> datetime:
    """Give a moment in a reader's zone; in UTC where theirs is not known any more."""
    try:
        return moment.astimezone(ZoneInfo(time_zone))
    except (ZoneInfoNotFoundError, ValueError):
        return moment.astimezone(UTC)


def find_end(reader: Reader | None, time_zone: str) -> datetime | None:
    """Tell when the quiet hours end that a reader has now; ``None``: they have none now."""
    quiet = None if reader is None else Quiet.of(reader)
    now = local_time(clock.now(), time_zone)
    if quiet is None or not quiet.holds(now.time()):
        return None
    end = datetime.combine(now.date(), quiet.end, now.tzinfo)
    return (end if end > now else end + timedelta(days=1)).astimezone(UTC)


def is_quiet(reader: Reader, time_zone: str) -> bool:
    """Tell whether a reader has quiet hours now."""
    quiet = Quiet.of(reader)
    return quiet is not None and quiet.holds(local_time(clock.now(), time_zone).time())


def find_quiet(user_ids: Collection[UUID]) -> set[UUID]:
    """Tell which of some people have quiet hours now; outside of a transaction."""
    if not user_ids:
        return set()
    with db.read_transaction():
        readers = list(Reader.objects.filter(pk__in=user_ids, quiet_from__isnull=False))
    people = audience.find_recipients([reader.pk for reader in readers])
    return {reader.pk for reader in readers if reader.pk in people and is_quiet(reader, people[reader.pk].time_zone)}
