"""Favourites, recents, and the marks of a list."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from apps.annotations import dtos, sql
from apps.annotations.models import Favourite, Recent
from apps.annotations.queries import comments
from apps.annotations.queries.nodes import find_noted
from apps.files import api as files
from bitvault.kernel import db, names, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.pages import Page

_FAVOURITES = "annotations.favourites"
_RECENTS = "annotations.recents"


def list_favourites(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.Favourite]:
    """List somebody's favourites, latest first; a page holds fewer where some are out of reach now."""
    pages.require_limit(limit)
    rows = Favourite.objects.filter(user_id=actor.user_id).order_by("-id")
    if cursor is not None:
        rows = rows.filter(id__lt=UUID(pages.decode_cursor(_FAVOURITES, cursor)[0]))
    with db.read_transaction():
        found = list(rows[: limit + 1])
    shown = found[:limit]
    noted = find_noted(actor, [row.node_id for row in shown])
    items = [dtos.Favourite(noted[row.node_id], row.marked_at) for row in shown if row.node_id in noted]
    next_cursor = pages.encode_cursor(_FAVOURITES, [shown[-1].id.hex]) if len(found) > limit else None
    return Page(items, next_cursor)


def list_favourite_ids(actor: Actor) -> frozenset[UUID]:
    """List the nodes that are favourites of somebody, by one statement; ``operations.favourites.LIMIT`` bounds them."""
    with db.read_transaction():
        return frozenset(Favourite.objects.filter(user_id=actor.user_id).values_list("node_id", flat=True))


def list_recents(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.Recent]:
    """List the files that somebody had to do with, last first; a page holds fewer where some are out of reach now."""
    pages.require_limit(limit)
    rows = Recent.objects.filter(user_id=actor.user_id).order_by("-last_seq", "-id")
    if cursor is not None:
        rows = rows.filter(last_seq__lt=int(pages.decode_cursor(_RECENTS, cursor)[0]))
    with db.read_transaction():
        found = list(rows[: limit + 1])
    shown = found[:limit]
    noted = find_noted(actor, [row.node_id for row in shown])
    items = [
        dtos.Recent(noted[row.node_id], row.what, row.last_at)  # type: ignore[arg-type] # the column holds no other
        for row in shown
        if row.node_id in noted
    ]
    next_cursor = pages.encode_cursor(_RECENTS, [str(shown[-1].last_seq)]) if len(found) > limit else None
    return Page(items, next_cursor)


def list_marks(actor: Actor, node_ids: Sequence[UUID]) -> list[dtos.Marks]:
    """Tell what a list shows on some nodes; the same few statements however many there are."""
    known = files.list_nodes(actor=actor, node_ids=node_ids)
    found = find_marks(actor, [node.id for node in known])
    threads = comments.count_open([node.id for node in known if "view" in node.capabilities])
    return [
        replace(found.get(node.id, dtos.Marks(node_id=node.id)), open_thread_count=threads.get(node.id, 0))
        for node in known
        if node.id in found or node.id in threads
    ]


def find_marks(actor: Actor, node_ids: Collection[UUID]) -> Mapping[UUID, dtos.Marks]:
    """Find which of some nodes are favourites of somebody, and their tags by name, by one statement; those without any are left out."""
    if not node_ids:
        return {}
    favourites: set[UUID] = set()
    labels: dict[UUID, list[dtos.NodeLabel]] = {}
    for node_id, tag_id, name, colour in db.read_alone(
        sql.MARKS, {"user_id": actor.user_id, "node_ids": list(node_ids)}
    ):
        if tag_id is None:
            favourites.add(node_id)
        else:
            labels.setdefault(node_id, []).append(dtos.NodeLabel(id=tag_id, name=name, colour=colour))
    return {
        node_id: dtos.Marks(
            node_id=node_id,
            favourite=node_id in favourites,
            tags=sorted(labels.get(node_id, ()), key=lambda label: (names.sort_key_of(label.name), label.id)),
        )
        for node_id in favourites | labels.keys()
    }
