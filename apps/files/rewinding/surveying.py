"""What there is to rewind in a folder: how much was changed on each day, when on a day, and by whom. For who manages the folder."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from apps.files import errors, past
from apps.files.dtos import history as dtos
from apps.files.models import Placement
from apps.files.past import Moment
from apps.files.rewinding import planning
from apps.files.rewinding.sql import CHANGES_BY_ACTOR, CHANGES_BY_DAY, CHANGES_OF_DAY
from apps.files.rows import fetch_page
from apps.identity import api as identity
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor

MOMENTS_LIMIT = 100
"""Moments of a day: a list that somebody reads; what is older is found by the field for a time."""

ACTORS_LIMIT = 200
"""People, devices and tokens, those who have changed most first."""

_Key = tuple[UUID, UUID | None, UUID | None]


@dataclass(frozen=True, slots=True)
class _Counted:
    """What one person did by one device or token."""

    key: _Key
    count: int
    last_at: datetime
    made_on: str


def read_zone(name: str) -> ZoneInfo:
    """Read the name of a time zone.

    :raises BadMoment: there is none of the name.
    """
    if name not in _list_zones():
        raise errors.BadMoment("This is no time zone.")
    return ZoneInfo(name)


@cache
def _list_zones() -> set[str]:
    return available_timezones()


def list_days(actor: Actor, folder_id: UUID, *, days: int, zone: ZoneInfo) -> dtos.ChangedDays:
    """Count the changes of each of the last days, today last; days without any are there, too."""
    today = clock.now().astimezone(zone).date()
    first = today - timedelta(days=days - 1)
    with _surveying(actor, folder_id):
        since = _find_start(datetime.combine(first, time(), zone))
        rows = dict(fetch_page(CHANGES_BY_DAY, {**_between(folder_id, since, None), "zone": zone.key}))
    all_days = [first + timedelta(days=number) for number in range(days)]
    return dtos.ChangedDays(
        items=[dtos.ChangedDay(day=day, change_count=rows.get(day, 0)) for day in all_days], since=since.at
    )


def list_moments(actor: Actor, folder_id: UUID, *, day: date | None, zone: ZoneInfo) -> dtos.ChangedMoments:
    """List when something was changed on a day, latest first: what one person did within five minutes is one moment."""
    day = day or clock.now().astimezone(zone).date()
    begin = datetime.combine(day, time(), zone)
    end = min(datetime.combine(day + timedelta(days=1), time(), zone), clock.now())
    if begin > end:
        return dtos.ChangedMoments(items=(), is_cut=False)
    with _surveying(actor, folder_id):
        values = _between(folder_id, _find_start(begin), past.find_moment(end.isoformat()))
        rows = fetch_page(CHANGES_OF_DAY, {**values, "limit": MOMENTS_LIMIT + 1})
    names = identity.name_people(tenant=actor.tenant, user_ids={row[2] for row in rows if row[2] is not None})
    items = [
        dtos.ChangedMoment(
            before=str(seq - 1), at=at, person_id=person_id, person_name=names.get(person_id, ""), change_count=count
        )
        for seq, at, person_id, count in rows[:MOMENTS_LIMIT]
    ]
    return dtos.ChangedMoments(items=items, is_cut=len(rows) > MOMENTS_LIMIT)


def list_actors(actor: Actor, folder_id: UUID, *, since: str | None, until: str | None) -> list[dtos.RewindActor]:
    """List who changed something in an interval, and by which devices and tokens, those who changed most first."""
    with _surveying(actor, folder_id):
        begin = past.find_moment(since or (clock.now() - timedelta(days=1)).isoformat())
        end = None if until is None else past.find_moment(until)
        rows = fetch_page(CHANGES_BY_ACTOR, {**_between(folder_id, begin, end), "limit": ACTORS_LIMIT})
    counted = [_Counted((row[0], row[1], row[2]), row[3], row[4], row[5]) for row in rows]
    names = identity.name_people(tenant=actor.tenant, user_ids={one.key[0] for one in counted})
    found = [*_list_people(counted, names), *_list_means(counted, names)]
    return sorted(found, key=lambda one: (one.kind != "user", -one.change_count, one.id))


@contextmanager
def _surveying(actor: Actor, folder_id: UUID) -> Iterator[None]:
    with db.read_transaction():
        planning.require_manager(actor, folder_id)
    planning.wait_for_history()
    with db.read_transaction():
        yield


def _find_start(at: datetime) -> Moment:
    """Find the moment of a time, or the first one that is recorded."""
    with suppress(errors.HistoryTooShort):
        return past.find_moment(at.isoformat())
    first = Placement.objects.order_by("from_seq").values_list("from_seq", "from_at").first()
    return Moment(*(first or (0, clock.now())))


def _between(folder_id: UUID, since: Moment, until: Moment | None) -> dict[str, object]:
    return {"folder_id": folder_id, "since": since.seq, "until": None if until is None else until.seq}


def _list_people(counted: list[_Counted], names: Mapping[UUID, str]) -> list[dtos.RewindActor]:
    people: dict[UUID, list[_Counted]] = {}
    for one in counted:
        people.setdefault(one.key[0], []).append(one)
    return [
        dtos.RewindActor(
            kind="user",
            id=person_id,
            name=names.get(person_id, ""),
            person_id=person_id,
            person_name=names.get(person_id, ""),
            change_count=sum(one.count for one in theirs),
            last_at=max(one.last_at for one in theirs),
        )
        for person_id, theirs in people.items()
    ]


def _list_means(counted: list[_Counted], names: Mapping[UUID, str]) -> list[dtos.RewindActor]:
    means: list[dtos.RewindActor] = []
    for one in counted:
        person_id, device_id, token_id = one.key
        which = device_id or token_id
        if which is None:
            continue
        means.append(
            dtos.RewindActor(
                kind="device" if device_id is not None else "token",
                id=which,
                name=one.made_on if device_id is not None else "",
                person_id=person_id,
                person_name=names.get(person_id, ""),
                change_count=one.count,
                last_at=one.last_at,
            )
        )
    return means
