"""What goes into an archive: some nodes and all that lies below them, as whoever asks may download it, each with its path there.

Rights are inherited downwards, so who may download the top may download what lies below it. They are judged when the archive is asked for,
when it is made, and when its bytes are fetched.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from apps.files import access, errors, flags, limits
from apps.files.rows import Way, fetch_page, find_ways
from apps.files.sql.walks import LIST_ARCHIVE, MEASURE_ARCHIVE
from bitvault.events.api import publish
from bitvault.events.catalog.files import ArchiveSigned
from bitvault.kernel import db, names
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveMeasure:
    """How much an archive holds."""

    name: str
    """What it is called if nobody says, without an extension."""
    file_count: int
    folder_count: int
    size_bytes: int
    path_bytes: int
    """Bytes of all paths in it together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedNode:
    """A file or (without a blob) a folder of an archive, and where it lies there; no two have the same path."""

    path: str
    blob_id: UUID | None
    size_bytes: int
    modified_at: datetime


class _Row(NamedTuple):
    id: UUID
    parent_id: UUID | None
    name: str
    size_bytes: int
    changed_at: datetime
    blob_id: UUID | None


def measure(actor: Actor, node_ids: Sequence[UUID]) -> ArchiveMeasure:
    """Tell how much an archive of some nodes holds, and what it is called if nobody says."""
    with db.read_transaction():
        tops = _require(actor, node_ids)
        ids = [way.node.id for way in tops]
        ((files, folders, size_bytes, path_bytes),) = fetch_page(
            MEASURE_ARCHIVE, {"ids": ids, "limit": limits.ARCHIVE_LIMIT_NODES + 1}
        )
        name = _name(actor, tops)
    _require_size(actor, files + folders, size_bytes)
    return ArchiveMeasure(
        name=name, file_count=files, folder_count=folders, size_bytes=size_bytes, path_bytes=path_bytes
    )


def list_entries(actor: Actor, node_ids: Sequence[UUID]) -> list[ArchivedNode]:
    """List what goes into an archive of some nodes, all of one moment: folders before what lies in them."""
    with db.read_transaction():
        tops = _require(actor, node_ids)
        found = fetch_page(
            LIST_ARCHIVE, {"ids": [way.node.id for way in tops], "limit": limits.ARCHIVE_LIMIT_NODES + 1}
        )
    rows = [_Row._make(values) for values in found]
    _require_size(actor, len(rows), sum(row.size_bytes for row in rows))
    children: dict[UUID | None, list[_Row]] = defaultdict(list)
    for row in rows:
        children[row.parent_id].append(row)
    by_id = {row.id: row for row in rows}
    # A root is no folder of its own in there: what lies in it lies at the top.
    own_roots = {way.node.id for way in tops if way.node.is_root and not way.node.is_team_folder}
    top_rows = [by_id[way.node.id] for way in tops if way.node.id not in own_roots]
    for root_id in own_roots:
        top_rows += children[root_id]
    return list(_walk(top_rows, children))


def announce(actor: Actor, *, archive_id: UUID, node_ids: Sequence[UUID], size_bytes: int) -> None:
    """Judge once more whether the actor may download these nodes, and publish that they may fetch the archive of them."""
    with db.write_transaction():
        _require(actor, node_ids)
        publish(
            ArchiveSigned(archive_id=archive_id, node_ids=list(node_ids), size_bytes=size_bytes, actor_id=actor.user_id)
        )


def _require(actor: Actor, node_ids: Sequence[UUID]) -> list[Way]:
    """Read the ways up from the nodes, without those that lie below another one of them."""
    if len(node_ids) > limits.ARCHIVE_TOPS_LIMIT:
        raise errors.TooManyAtOnce(limit=limits.ARCHIVE_TOPS_LIMIT)
    ways = find_ways(node_ids)
    judged = [access.require(actor, ways.get(node_id), Capability.DOWNLOAD) for node_id in dict.fromkeys(node_ids)]
    chosen = set(ways)
    return [way for way in judged if not any(row.id in chosen for row in way.rows[1:])]


def _require_size(actor: Actor, count: int, size_bytes: int) -> None:
    limit_bytes = flags.ARCHIVE_LIMIT_BYTES.value(actor)
    if count > limits.ARCHIVE_LIMIT_NODES or size_bytes > limit_bytes:
        raise errors.ArchiveTooLarge(
            limit_count=limits.ARCHIVE_LIMIT_NODES,
            limit_bytes=limit_bytes,
            count=count,
            size_bytes=size_bytes,
        )


def _name(actor: Actor, tops: Sequence[Way]) -> str:
    """Call an archive as the one thing in it, or as the folder that all of it lies in."""
    if len(tops) == 1 and not _is_own_root(tops[0]):
        return tops[0].node.name
    parents = {way.rows[1].id: Way(way.rows[1:]) for way in tops if way.depth}
    if len(parents) == 1 and all(way.depth for way in tops):
        (parent,) = parents.values()
        if access.knows(actor, parent, access.find_mask(actor, parent)) and not _is_own_root(parent):
            return parent.node.name
    return "archive"


def _is_own_root(way: Way) -> bool:
    return way.node.is_root and not way.node.is_team_folder


def _walk(tops: Sequence[_Row], children: dict[UUID | None, list[_Row]]) -> Iterator[ArchivedNode]:
    """Give rows with their paths, each folder before what lies in it."""
    waiting = [("", _name_rows(tops))]
    while waiting:
        above, named = waiting.pop()
        for path_name, row in named:
            path = above + path_name
            yield ArchivedNode(path=path, blob_id=row.blob_id, size_bytes=row.size_bytes, modified_at=row.changed_at)
            if row.blob_id is None and row.id in children:
                waiting.append((path + "/", _name_rows(children[row.id])))


def _name_rows(rows: Sequence[_Row]) -> list[tuple[str, _Row]]:
    """Give each of the rows of one folder a name that it has alone there, in the order in which they are listed."""
    taken: set[str] = set()
    named = []
    for row in sorted(rows, key=lambda one: names.key_of(one.name)):
        # Programs of Windows take it for a slash, and would unpack elsewhere.
        wanted = names.of_stored(row.name.replace("\\", "_"))
        name, number = wanted, 1
        while name.key in taken:
            number += 1
            name = names.numbered(wanted, number, is_folder=row.blob_id is None)
        taken.add(name.key)
        named.append((name.text, row))
    return named
