"""Reads: what somebody is told of, and what happened. Entries are found by what concerns a reader; then their rights are judged."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from apps.files import api as files
from apps.files.dtos import NodeRef
from apps.notifications import audience, dtos, hours, judging
from apps.notifications.models import HEADS, Entry, Preference, Reader, ReadMark, Subscription
from apps.notifications.recording import CONSUMER
from apps.notifications.topics import IN_ACTIVITY, ON_NODES, OWN, USUAL, topic_of
from bitvault.events.api import get_position
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.permissions import Permission

BATCH = 100
"""Entries that are judged at once."""

LOOKED_AT_LIMIT = 1_000
"""Entries that one request looks at, so that what others may see costs a bounded time."""

COUNTED = 100
"""Unread ones are counted up to here; a badge says "99+"."""


class Position(NamedTuple):
    """Where a page ends."""

    seq: int
    entry_id: UUID


@dataclass(frozen=True, slots=True)
class Wishes:
    """How somebody reads: what they follow and since when, what they have muted, what they have switched off, and how far they are."""

    principals: list[UUID]
    followed: dict[UUID, int]
    muted: frozenset[UUID]
    preferences: dict[dtos.Topic, dtos.Preference]
    since: dict[dtos.Topic, int]
    """Up to which number a digest of the present choice tells nothing of a topic."""
    read_seq: int

    def is_direct(self, entry: Entry) -> bool:
        """Tell whether an entry concerns the reader themselves."""
        return entry.audience_id in self.principals

    def is_followed(self, entry: Entry) -> bool:
        """Tell whether an entry happened in something that the reader followed then."""
        return any(self.followed.get(one, entry.last_seq) < entry.last_seq for one in entry.ancestor_ids or ())

    def topic_of(self, entry: Entry) -> dtos.Topic:
        """Tell under which topic the reader hears of an entry."""
        return topic_of(entry.kind, is_direct=self.is_direct(entry))  # type: ignore[arg-type] # the column holds no other


def read_wishes(actor: Actor) -> Wishes:
    """Read how somebody reads, inside the open transaction."""
    subscriptions = Subscription.objects.filter(user_id=actor.user_id).values_list("node_id", "follows", "since_seq")
    rows = list(subscriptions)
    chosen = list(Preference.objects.filter(user_id=actor.user_id))
    reader = Reader.objects.filter(pk=actor.user_id).first()
    return Wishes(
        principals=audience.principals_of(actor),
        followed={node_id: since for node_id, follows, since in rows if follows},
        muted=frozenset(node_id for node_id, follows, _ in rows if not follows),
        preferences=_with_usual(chosen),
        since={row.topic: row.since_seq for row in chosen},  # type: ignore[misc] # the column holds no others
        read_seq=reader.read_seq if reader else 0,
    )


def read_preferences(user_id: UUID) -> dict[dtos.Topic, dtos.Preference]:
    """Read how somebody is told of each topic, inside the open transaction."""
    return _with_usual(Preference.objects.filter(user_id=user_id))


def _with_usual(rows: Iterable[Preference]) -> dict[dtos.Topic, dtos.Preference]:
    chosen = {
        row.topic: dtos.Preference(
            row.topic,  # type: ignore[arg-type] # the column holds no others
            row.browser,
            row.mail,  # type: ignore[arg-type] # the column holds no others
            USUAL[row.topic].push if row.push is None else row.push,  # type: ignore[index] # the column holds no others
        )
        for row in rows
    }
    return {topic: chosen.get(topic, usual) for topic, usual in USUAL.items()}


def read_choices(user_id: UUID) -> dtos.Preferences:
    """Read how somebody is told of each topic, and when they get no mail, inside the open transaction."""
    reader = Reader.objects.filter(pk=user_id).first()
    quiet = None if reader is None else hours.Quiet.of(reader)
    items = list(read_preferences(user_id).values())
    return dtos.Preferences(items, None if quiet is None else quiet.to_dto())


def find_for(actor: Actor, wishes: Wishes, *, above: int, before: Position | None, limit: int) -> list[Entry]:
    """Find the latest entries that somebody is to hear of, inside the open transaction; whether they may is not judged here.

    What concerns them and what they follow are two questions, each with an index of its own.
    """
    wanted = [_direct(actor, wishes)]
    if wishes.followed:
        wanted.append(_followed(actor, wishes))
    found: dict[UUID, Entry] = {}
    for rows in wanted:
        newer = _behind(rows.filter(last_seq__gt=above) if above else rows, before)
        found |= {entry.id: entry for entry in newer.order_by("-last_seq", "-id")[:limit]}
    return sorted(found.values(), key=lambda entry: (entry.last_seq, entry.id), reverse=True)[:limit]


def _direct(actor: Actor, wishes: Wishes) -> "QuerySet[Entry]":
    return Entry.objects.filter(HEADS, audience_id__in=wishes.principals).exclude(
        ~Q(kind__in=OWN), actor_id=actor.user_id
    )


def _followed(actor: Actor, wishes: Wishes) -> "QuerySet[Entry]":
    rows = Entry.objects.filter(HEADS, ancestor_ids__overlap=list(wishes.followed), kind__in=ON_NODES)
    return rows.filter(last_seq__gt=min(wishes.followed.values())).exclude(actor_id=actor.user_id)


def _behind(rows: "QuerySet[Entry]", before: Position | None) -> "QuerySet[Entry]":
    if before is None:
        return rows
    return rows.filter(Q(last_seq__lt=before.seq) | Q(last_seq=before.seq, id__lt=before.entry_id))


def concerns(wishes: Wishes, entry: Entry) -> bool:
    """Tell whether somebody hears of an entry, because it concerns them or happened in what they follow."""
    return wishes.is_direct(entry) or wishes.is_followed(entry)


def is_wanted(wishes: Wishes, entry: Entry) -> bool:
    """Tell whether somebody wants to see an entry in the browser."""
    return concerns(wishes, entry) and wishes.preferences[wishes.topic_of(entry)].browser


def read_marks(user_id: UUID, entries: Iterable[Entry]) -> dict[UUID, int]:
    """Read up to which number somebody has read each entry by itself, inside the open transaction."""
    rows = ReadMark.objects.filter(user_id=user_id, entry_id__in=[entry.id for entry in entries])
    return dict(rows.values_list("entry_id", "read_seq"))


def find_unread(wishes: Wishes, user_id: UUID, entry_id: UUID) -> Entry | None:
    """Find an entry that concerns somebody and that they have not read, inside the open transaction."""
    # What is told of a quota has no number of its own: who had read everything has not read that.
    entry = Entry.objects.filter(Q(last_seq__gt=wishes.read_seq) | Q(kind="quota"), pk=entry_id).first()
    if entry is None or not concerns(wishes, entry):
        return None
    return None if read_marks(user_id, [entry]).get(entry.id, -1) >= entry.last_seq else entry


# --- notices ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A notice before it is a DTO: what pages show of it."""

    told: judging.Told
    topic: dtos.Topic
    is_read: bool


@dataclass(frozen=True, slots=True)
class Lines:
    """A page of notices."""

    items: Sequence[Line]
    next_cursor: str | None
    unread_count: int
    as_of_seq: int


def list_lines(actor: Actor, *, unread: bool, limit: int, cursor: str | None) -> Lines:
    """Find a page of what somebody is told of, newest first, and how much of all is unread."""
    pages.require_limit(limit)
    purpose = f"notifications:{unread:d}"
    before = None if cursor is None else _read_position(purpose, cursor)
    as_of_seq = get_position(CONSUMER)
    with db.read_transaction():
        wishes = read_wishes(actor)
    # Before the lines: what comes meanwhile is then shown and not yet counted, and whoever counts again sees that there is more.
    unread_count = count_unread(actor, wishes)
    lines: list[Line] = []
    next_position: Position | None = None
    looked_at = 0
    while True:
        with db.read_transaction():
            above = wishes.read_seq if unread else 0
            entries = find_for(actor, wishes, above=above, before=before, limit=BATCH)
            marks = read_marks(actor.user_id, entries)
        looked_at += len(entries)
        for entry, line in _to_lines(actor, wishes, entries, marks):
            if len(lines) == limit and line is not None and not (unread and line.is_read):
                next_position = before
                break
            before = Position(entry.last_seq, entry.id)
            if line is not None and not (unread and line.is_read):
                lines.append(line)
        if next_position is not None or len(entries) < BATCH:
            break
        if looked_at >= LOOKED_AT_LIMIT:
            next_position = before
            break
    return Lines(lines, _write_position(purpose, next_position), unread_count, as_of_seq)


def count_unread(actor: Actor, wishes: Wishes | None = None) -> int:
    """Count what somebody has not read, up to ``COUNTED``."""
    with db.read_transaction():
        if wishes is None:
            wishes = read_wishes(actor)
        entries = find_for(actor, wishes, above=wishes.read_seq, before=None, limit=2 * COUNTED)
        marks = read_marks(actor.user_id, entries)
    unread = [entry for entry in entries if marks.get(entry.id, 0) < entry.last_seq]
    return min(COUNTED, sum(line is not None for _, line in _to_lines(actor, wishes, unread, {})))


def _to_lines(
    actor: Actor, wishes: Wishes, entries: Sequence[Entry], marks: dict[UUID, int]
) -> list[tuple[Entry, Line | None]]:
    wanted = [entry for entry in entries if is_wanted(wishes, entry)]
    told = judge(actor, wishes, wanted)
    return [
        (
            entry,
            Line(
                told[entry.id],
                wishes.topic_of(entry),
                entry.last_seq <= wishes.read_seq or marks.get(entry.id, 0) >= entry.last_seq,
            )
            if entry.id in told
            else None,
        )
        for entry in entries
    ]


def judge(actor: Actor, wishes: Wishes, entries: Sequence[Entry]) -> dict[UUID, judging.Told]:
    """Say which entries a reader may be told of."""
    direct_ids = {entry.id for entry in entries if wishes.is_direct(entry)}
    return judging.judge(actor, entries, direct_ids=direct_ids, muted=wishes.muted) if entries else {}


# --- activity --------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Happenings:
    """A page of activity before it is a DTO."""

    items: Sequence[judging.Told]
    next_cursor: str | None
    as_of_seq: int


def list_of_node(actor: Actor, node_ref: NodeRef, *, limit: int, cursor: str | None) -> Happenings:
    """Find what happened to a node, and to a folder and all below it.

    :raises NotFound: there is no such node that the actor may know of.
    """
    node = files.get_node(actor=actor, node_id=node_ref)
    purpose = f"activity:{node.id.hex}"
    if node.kind == "file":
        rows = Entry.objects.filter(node_id=node.id, kind__in=IN_ACTIVITY)
        return _list(actor, rows, purpose, limit=limit, cursor=cursor, alone=True)
    rows = Entry.objects.filter(HEADS, Q(ancestor_ids__contains=[node.id]), kind__in=IN_ACTIVITY)
    return _list(actor, rows, purpose, limit=limit, cursor=cursor)


def list_of(actor: Actor, whose: dtos.Whose, *, limit: int, cursor: str | None) -> Happenings:
    """Find what the actor did, or what happened in the tenant as far as they see it.

    :raises PermissionMissing: the actor does not see what others do.
    """
    rows = Entry.objects.filter(HEADS, kind__in=IN_ACTIVITY)
    if whose == "me":
        rows = rows.filter(actor_id=actor.user_id)
    else:
        actor.require_permission(Permission.SEE_AUDIT)
    return _list(actor, rows, f"activity:{whose}", limit=limit, cursor=cursor)


def _list(
    actor: Actor, rows: "QuerySet[Entry]", purpose: str, *, limit: int, cursor: str | None, alone: bool = False
) -> Happenings:
    pages.require_limit(limit)
    before = None if cursor is None else _read_position(purpose, cursor)
    as_of_seq = get_position(CONSUMER)
    items: list[judging.Told] = []
    looked_at = 0
    while True:
        with db.read_transaction():
            entries = list(_page(rows, before, alone=alone))
        looked_at += len(entries)
        told = judging.judge(actor, entries, direct_ids=(), alone=alone) if entries else {}
        for entry in entries:
            if len(items) == limit and entry.id in told:
                return Happenings(items, _write_position(purpose, before), as_of_seq)
            before = Position(entry.seq if alone else entry.last_seq, entry.id)
            if entry.id in told:
                items.append(told[entry.id])
        if len(entries) < BATCH:
            return Happenings(items, None, as_of_seq)
        if looked_at >= LOOKED_AT_LIMIT:
            return Happenings(items, _write_position(purpose, before), as_of_seq)


def _page(rows: "QuerySet[Entry]", before: Position | None, *, alone: bool) -> "QuerySet[Entry]":
    """Cut a page: of entries by themselves by when they were, of heads by when the last joined them."""
    if not alone:
        return _behind(rows, before).order_by("-last_seq", "-id")[:BATCH]
    if before is not None:
        rows = rows.filter(Q(seq__lt=before.seq) | Q(seq=before.seq, id__lt=before.entry_id))
    return rows.order_by("-seq", "-id")[:BATCH]


# --- subscriptions ---------------------------------------------------------------------------------------------------------


def list_subscriptions(
    actor: Actor, *, limit: int, cursor: str | None, node_id: UUID | None = None
) -> pages.Page[dtos.Subscription]:
    """Find what somebody follows and mutes, newest first."""
    pages.require_limit(limit)
    rows = Subscription.objects.filter(user_id=actor.user_id).order_by("-id")
    if node_id is not None:
        rows = rows.filter(node_id=node_id)
    if cursor is not None:
        rows = rows.filter(id__lt=UUID(pages.decode_cursor("subscriptions", cursor)[0]))
    with db.read_transaction():
        found = list(rows[: limit + 1])
    items = to_subscriptions(actor, found[:limit])
    more = len(found) > limit
    return pages.Page(items, pages.encode_cursor("subscriptions", [items[-1].id.hex]) if more else None)


def to_subscriptions(actor: Actor, rows: Collection[Subscription]) -> list[dtos.Subscription]:
    """Give subscriptions with their nodes as far as the reader sees them."""
    found = files.find_visible(actor=actor, node_ids=[row.node_id for row in rows], roots=True) if rows else {}
    return [
        dtos.Subscription(
            id=row.id,
            node_id=row.node_id,
            kind="changes",
            channel="all" if row.follows else "none",
            created_at=row.created_at,
            node=judging.to_place(found, row.node_id),
        )
        for row in rows
    ]


def _write_position(purpose: str, position: Position | None) -> str | None:
    return None if position is None else pages.encode_cursor(purpose, [position.seq, position.entry_id.hex])


def _read_position(purpose: str, cursor: str) -> Position:
    seq, entry_id = pages.decode_cursor(purpose, cursor)
    return Position(seq, UUID(entry_id))
