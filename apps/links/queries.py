"""Reads."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet

from apps.files import api as files
from apps.links import dtos, requests, sql
from apps.links.models import Access, Action, FileRequest, Link, LinkKind, SentFile
from bitvault.kernel import clock, db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.pages import Page

M = TypeVar("M", Link, FileRequest)
R = TypeVar("R", Link, Access, SentFile)


def find_by_token_hash(token_hash: bytes) -> Link | None:
    """Find the link of an address, ended or not, in a transaction of its own."""
    found = db.read_alone(sql.LINK_OF_ADDRESS, {"token_hash": token_hash})
    if not found:
        return None
    width = len(sql.LINK_FIELDS)
    row = _to_row(Link, sql.LINK_FIELDS, found[0][:width])
    if row.kind == LinkKind.UPLOAD:
        row.request = _to_row(FileRequest, sql.REQUEST_FIELDS, found[0][width:])
    return row


def find_with_whether_had(link_id: UUID, version_id: UUID, *, visitor: bytes) -> tuple[Link, bool] | None:
    """Find a link, ended or not, and whether a visitor has had a version through it, inside the open transaction."""
    with db.prepared_cursor() as cursor:
        cursor.execute(sql.LINK_AND_WHETHER_HAD, {"link_id": link_id, "version_id": version_id, "visitor": visitor})
        found = cursor.fetchone()
    return None if found is None else (_to_row(Link, sql.LINK_FIELDS, found[:-1]), found[-1])


def _to_row(model: type[M], fields: Sequence[str], values: Sequence[Any]) -> M:
    return model.from_db(connection.alias, fields, values)


def find(link_id: UUID) -> Link | None:
    """Find a link, ended or not, inside the open transaction."""
    return Link.objects.select_related("request").filter(id=link_id).first()


def list_of_node(node_id: UUID) -> list[Link]:
    """Read the links of a node that were not ended, oldest first, inside the open transaction."""
    rows = Link.objects.select_related("request").filter(node_id=node_id, ended_at=None)
    return list(rows.order_by("created_at", "id"))


def living() -> QuerySet[Link]:
    """Select the links that lead somewhere, now or from their beginning on: what a plan limits."""
    return Link.objects.filter(ended_at=None).exclude(expires_at__lte=clock.now())


def count_living() -> int:
    """Count them."""
    with db.read_transaction():
        return living().count()


def list_of_maker(actor: Actor, *, limit: int, cursor: str | None) -> Page[dtos.LinkItem]:
    """List the links that an actor has made and that were not ended, newest first; those of nodes that they cannot see are left out."""
    with db.read_transaction():
        rows = Link.objects.select_related("request").filter(created_by=actor.user_id, ended_at=None)
        found, next_cursor = _newest_first(rows, "links.mine", limit, cursor)
    nodes = {node.id: node for node in files.list_nodes(actor=actor, node_ids={row.node_id for row in found})}
    items = [
        dtos.LinkItem(
            link=to_link(row),
            node=dtos.LinkedNode(id=row.node_id, kind=nodes[row.node_id].kind, name=nodes[row.node_id].name),
        )
        for row in found
        if row.node_id in nodes
    ]
    return Page(items, next_cursor)


def name_links(link_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name links, ended ones too: as who made them calls them, or what they ask for; one without a name is left out."""
    with db.read_transaction():
        rows = Link.objects.filter(id__in=link_ids).values_list("id", "name", "request__title")
        return {link_id: name or title for link_id, name, title in rows if name or title}


def name_senders(node_ids: Collection[UUID]) -> dict[UUID, str]:
    """Name who has sent files through links, by the node: as they call themselves, or else the link."""
    with db.read_transaction():
        rows = SentFile.objects.filter(node_id__in=node_ids).values_list(
            "node_id", "submission__sender_name", "submission__sender_email", "link__name", "link__request__title"
        )
        named = {node_id: next((one for one in names if one), "") for node_id, *names in rows if node_id}
    return {node_id: name for node_id, name in named.items() if name}


def list_accesses(actor: Actor, link_id: UUID, *, limit: int, cursor: str | None) -> Page[dtos.LinkAccess]:
    """List what visitors did through a link, newest first."""
    with db.read_transaction():
        rows = Access.objects.filter(link_id=link_id)
        found, next_cursor = _newest_first(rows, f"links.accesses:{link_id}", limit, cursor)
    names = {node.id: node.name for node in files.list_nodes(actor=actor, node_ids={row.node_id for row in found})}
    return Page([_to_access(row, names.get(row.node_id)) for row in found], next_cursor)


def list_received(link_id: UUID, *, limit: int, cursor: str | None) -> Page[dtos.ReceivedFile]:
    """List the files that have come through a link, newest first."""
    with db.read_transaction():
        rows = SentFile.objects.select_related("submission", "link__request").filter(
            link_id=link_id, node_id__isnull=False
        )
        found, next_cursor = _newest_first(rows, f"links.received:{link_id}", limit, cursor)
    return Page([_to_received(row) for row in found], next_cursor)


def has_counted_any(link_id: UUID, *, visitor: bytes) -> bool:
    """Tell whether a visitor has had anything through a link, inside the open transaction."""
    return Access.objects.filter(link_id=link_id, visitor=visitor, counted=True).exists()


def has_counted_from(link_id: UUID, version_id: UUID, *, origin: bytes, since: datetime) -> bool:
    """Tell whether somebody from this origin has had a version since a moment, inside the open transaction."""
    return Access.objects.filter(
        link_id=link_id, version_id=version_id, origin=origin, counted=True, accessed_at__gte=since
    ).exists()


def state_of(row: Link) -> dtos.LinkState:
    """Tell whether a link can be opened now, and why not."""
    now = clock.now()
    if row.ended_at is not None:
        return "ended"
    if row.expires_at is not None and row.expires_at <= now:
        return "expired"
    if row.starts_at is not None and row.starts_at > now:
        return "not_started"
    if row.download_limit is not None and row.download_count >= row.download_limit:
        return "used_up"
    return "open"


_KINDS: dict[LinkKind, dtos.LinkKindName] = {
    LinkKind.VIEW: "view",
    LinkKind.DOWNLOAD: "download",
    LinkKind.UPLOAD: "upload",
    LinkKind.EDIT: "edit",
}


def kind_of(row: Link) -> dtos.LinkKindName:
    """Tell what a link gives."""
    return _KINDS[LinkKind(row.kind)]


def to_link(row: Link) -> dtos.Link:
    """Give a row as those see it who share its node."""
    return dtos.Link(
        id=row.id,
        node_id=row.node_id,
        kind=kind_of(row),
        name=row.name,
        slug=row.slug,
        has_password=bool(row.password_hash),
        starts_at=row.starts_at,
        expires_at=row.expires_at,
        download_limit=row.download_limit,
        download_count=row.download_count,
        request=requests.to_dto(row.request) if row.kind == LinkKind.UPLOAD else None,
        state=state_of(row),
        created_by=row.created_by,
        created_at=row.created_at,
    )


_ACTIONS: dict[str, dtos.ActionName] = {
    Action.OPENED: "opened",
    Action.REFUSED: "refused",
    Action.DOWNLOADED: "downloaded",
}


def _to_access(row: Access, node_name: str | None) -> dtos.LinkAccess:
    return dtos.LinkAccess(
        id=row.id,
        action=_ACTIONS[row.action],
        accessed_at=row.accessed_at,
        node_id=row.node_id,
        node_name=node_name,
        version_id=row.version_id,
        visitor=bytes(row.visitor)[:4].hex(),
        counted=row.counted,
    )


def _to_received(row: SentFile) -> dtos.ReceivedFile:
    assert row.node_id is not None  # noqa: S101 - the query leaves the others out
    sent_at = row.sent_at or row.started_at
    return dtos.ReceivedFile(
        id=row.id,
        name=row.name,
        size_bytes=row.size_bytes,
        node_id=row.node_id,
        sent_at=sent_at,
        is_late=requests.is_late(row.link.request, sent_at),
        sender_name=row.submission.sender_name,
        sender_email=row.submission.sender_email,
    )


def _newest_first(rows: QuerySet[R], purpose: str, limit: int, cursor: str | None) -> tuple[Sequence[R], str | None]:
    """Read a page in the order of ids, which are those of time."""
    pages.require_limit(limit)
    if cursor is not None:
        (before,) = pages.decode_cursor(purpose, cursor)
        rows = rows.filter(id__lt=UUID(before))
    found = list(rows.order_by("-id")[: limit + 1])
    if len(found) <= limit:
        return found, None
    return found[:limit], pages.encode_cursor(purpose, [str(found[limit - 1].id)])
