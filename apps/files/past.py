"""A folder as it was at a moment, and what a file contained then: read from the record of placements.

A reader sees of what was no more than they may see now, where it is now: what was moved out of their reach is left out, what lies in the
trash is for those who could edit it there.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Min, Q

from apps.files import access, dtos, errors
from apps.files.dtos import history
from apps.files.models import Kind, Placement, Trash
from apps.files.placements import CONSUMER, KEPT_FOR
from apps.files.rows import Way, fetch_one, fetch_page, find_ways, kind_name, require_row
from apps.files.sql.past import CHILDREN_THEN, CONTENT_THEN
from bitvault.events.api import BeyondHead, get_head, get_position
from bitvault.kernel import clock, db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import NOTHING, Capability
from bitvault.kernel.errors import NotFound

_NO_ID = UUID(int=0)

_MOMENT_LIMIT = 40
"""Characters of a moment: a number of the stream has 19 at most, a time with its zone 32."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A number of the stream, and when that was."""

    seq: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a node is now, and what the actor may do with it there, in the trash too."""

    way: Way
    mask: int

    @property
    def is_seen(self) -> bool:
        """Whether the actor may know of it: in the trash, who could edit it."""
        return bool(self.mask & (Capability.VIEW if self.way.is_live else Capability.EDIT))


def find_moment(text: str | None) -> Moment:
    """Read a moment: a number of the stream, a time (RFC 3339), or the last one that is recorded; inside the open transaction.

    :raises BadMoment: it is neither, or lies ahead.
    :raises HistoryTooShort: it is longer ago than history is kept.
    """
    if text is None:
        last = Placement.objects.order_by("-from_seq").values_list("from_seq", "from_at").first()
        return Moment(*(last or (0, clock.now())))
    if len(text) > _MOMENT_LIMIT:
        raise errors.BadMoment
    if text.isascii() and text.isdigit():
        seq = int(text)
        head = get_head()
        if seq > head:
            raise BeyondHead(head_seq=head)
        earlier = Placement.objects.filter(from_seq__lte=seq).order_by("-from_seq")
        found = earlier.values_list("from_at", flat=True).first()
        if found is None:
            raise errors.HistoryTooShort
        at = found
    else:
        try:
            at = datetime.fromisoformat(text)
        except ValueError as error:
            raise errors.BadMoment from error
        if at.tzinfo is None or at > clock.now():
            raise errors.BadMoment
        earlier = Placement.objects.filter(from_at__lte=at).order_by("-from_at", "-from_seq")
        seq = earlier.values_list("from_seq", flat=True).first() or 0
    if at < clock.now() - KEPT_FOR:
        raise errors.HistoryTooShort(since=(clock.now() - KEPT_FOR).isoformat())
    return Moment(seq, at)


def find_standings(actor: Actor, node_ids: Collection[UUID]) -> dict[UUID, Standing]:
    """Tell where some nodes are now and what the actor may do with them there, in three queries; those that are gone are left out."""
    ways = find_ways(node_ids)
    tops = {way.root.id for way in ways.values() if not way.is_live}
    entries = Trash.objects.filter(purging=False).in_bulk(tops) if tops else {}
    roots = find_ways({entry.root_id for entry in entries.values()}) if entries else {}
    found = {}
    for node_id, way in ways.items():
        mask = access.find_mask(actor, way)
        if not way.is_live:
            entry = entries.get(way.root.id)
            lay_in = [*(row.id for row in way.rows), *(entry.list_origins() if entry else ())]
            mask = access.find_mask_in_trash(actor, roots.get(entry.root_id), lay_in) if entry else NOTHING
        found[node_id] = Standing(way, mask)
    return found


def list_children(
    actor: Actor, node_id: UUID, *, as_of: str | None, limit: int, cursor: str | None
) -> history.PastChildren:
    """Read a page of what lay in a folder at a moment: folders first, by name."""
    pages.require_limit(limit)
    with db.read_transaction():
        _require_seen(actor, node_id)
        moment = find_moment(as_of)
        require_folder_then(node_id, moment)
        purpose = f"files.past:{node_id}:{moment.seq}"
        after = pages.decode_cursor(purpose, cursor) if cursor is not None else [-1, "", str(_NO_ID)]
        rows = fetch_page(
            CHILDREN_THEN,
            {
                "folder_id": node_id,
                "seq": moment.seq,
                "kind": after[0],
                "sort_key": after[1],
                "after_id": after[2],
                "limit": limit + 1,
            },
        )
        standings = find_standings(actor, [row[0] for row in rows[:limit]])
        read_up_to = get_position(CONSUMER)
    items = [
        _to_past(node_id, row, standings.get(row[0]))
        for row in rows[:limit]
        if row[0] not in standings or standings[row[0]].is_seen
    ]
    last = rows[limit - 1] if len(rows) > limit else None
    return history.PastChildren(
        items=items,
        next_cursor=None if last is None else pages.encode_cursor(purpose, [last[1], last[2], str(last[0])]),
        as_of_seq=min(moment.seq, read_up_to),
        as_of_time=moment.at,
    )


def get_content(actor: Actor, node_id: UUID, *, as_of: str) -> dtos.Content:
    """Find the bytes that a file had at a moment, also of one that lies in the trash now.

    :raises NotFound: the actor may not know of it, it was not there, or the version is gone permanently.
    """
    with db.read_transaction():
        standing = _require_seen(actor, node_id)
        if standing.way.node.is_folder:
            raise errors.NotAFile
        if not standing.mask & Capability.DOWNLOAD:
            raise NotFound
        moment = find_moment(as_of)
        name, version_id, blob_id, media_type, size_bytes, content_hash = require_row(
            fetch_one(CONTENT_THEN, {"node_id": node_id, "seq": moment.seq})
        )
    return dtos.Content(
        blob_id=blob_id,
        name=name,
        media_type=media_type,
        size_bytes=size_bytes,
        content_hash=content_hash,
        version_id=version_id,
        is_live=standing.way.is_live,
    )


def _require_seen(actor: Actor, node_id: UUID) -> Standing:
    standing = find_standings(actor, [node_id]).get(node_id)
    if standing is None or not standing.is_seen:
        raise NotFound
    return standing


def require_folder_then(node_id: UUID, moment: Moment) -> None:
    """Refuse a folder that was not there at a moment, inside the open transaction.

    :raises NotThereThen: there is no record of it; fact: ``since``.
    :raises NotAFolder: it is a file.
    """
    rows = Placement.objects.filter(node_id=node_id)
    lasting = Q(until_seq__isnull=True) | Q(until_seq__gt=moment.seq)
    then = rows.filter(lasting, from_seq__lte=moment.seq).values_list("kind", flat=True).first()
    if then is None:
        since = rows.aggregate(since=Min("from_at"))["since"]
        raise errors.NotThereThen(since=None if since is None else since.isoformat())
    if then != Kind.FOLDER:
        raise errors.NotAFolder


def _to_past(folder_id: UUID, row: Sequence[Any], standing: Standing | None) -> history.PastNode:
    node_id, kind, _, name, version_id, from_at, size_bytes, media_type, content_hash, written_at = row
    is_file = kind == Kind.FILE
    return history.PastNode(
        id=node_id,
        kind=kind_name(kind),
        name=name,
        parent_id=folder_id,
        version_id=version_id if size_bytes is not None else None,
        size_bytes=size_bytes,
        media_type=media_type if is_file else None,
        content_hash=content_hash,
        modified_at=written_at or from_at,
        now=_compare(folder_id, name, version_id, standing),
    )


def _compare(folder_id: UUID, name: str, version_id: UUID | None, standing: Standing | None) -> history.PastState:
    if standing is None:
        return "purged"
    node = standing.way.node
    if not standing.way.is_live:
        return "trashed"
    if node.parent_id != folder_id or node.name != name:
        return "moved"
    return "same" if node.version_id == version_id else "changed"
