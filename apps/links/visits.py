"""What visitors do: they are let in as the link, and see what lies below its node. What they download is counted by ``counting``."""

from uuid import UUID

from django.contrib.auth.hashers import check_password

from apps.files import api as files
from apps.files.dtos import Children, Node
from apps.files.dtos.rules import RulesInForce
from apps.links import admission, counting, credentials, dtos, errors, queries, receiving
from apps.links.models import Access, Action, Link, LinkKind
from bitvault.events.api import publish
from bitvault.events.catalog.links import LinkOpened, LinkRefused
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.kernel.file_rules import EVERYTHING, Admitted
from bitvault.kernel.request import Visitor
from bitvault.web import throttle

GUESSES = 20
"""Wrong passwords for a link from one address in five minutes: an office mistypes as often, and who tries a list does not get far."""

_FIVE_MINUTES = 300


def open_page(
    *,
    token: str,
    unlock: str | None,
    visitor: Visitor,
    node_id: UUID | None,
    limit: int,
    cursor: str | None,
    is_noted: bool,
) -> dtos.LinkPage:
    """Show what a link leads to, or a folder below it; looking at the link's own node is an access that is written down."""
    row = admission.find_open(token, visitor)
    if not admission.is_unlocked(row, unlock):
        return dtos.LinkPage(
            link=_to_public(row, locked=True), path=[], children=None, counts_visitors=row.download_limit is not None
        )
    actor = admission.actor_of(row)
    if row.kind == LinkKind.UPLOAD:
        return _open_request(row, actor, visitor, node_id, is_noted=is_noted)
    try:
        opened = files.open_folder(actor=actor, node_id=node_id or row.node_id, limit=limit)
        children = opened.children
        if cursor is not None and children is not None:
            children = files.list_children(actor=actor, node_id=node_id or row.node_id, limit=limit, cursor=cursor)
    except NotFound as error:
        raise admission.not_there(row, node_id) from error
    if is_noted and node_id in (None, row.node_id) and cursor is None:
        _note_opened(row, visitor)
    path = [_to_node(node) for node in opened.path.items]
    return dtos.LinkPage(
        link=_to_public(row, locked=False, node=path[0]),
        path=path,
        children=None if children is None else _to_children(children),
        counts_visitors=row.download_limit is not None,
        admitted=_to_admitted(opened.rules) if row.kind == LinkKind.EDIT else EVERYTHING,
    )


def _to_admitted(rules: RulesInForce) -> Admitted:
    allowed = rules.allowed_extensions
    return Admitted(
        allowed=None if allowed is None else tuple(allowed),
        refused=tuple(rules.refused_extensions),
        largest_bytes=rules.largest_file_bytes,
    )


def _open_request(row: Link, actor: Actor, visitor: Visitor, node_id: UUID | None, *, is_noted: bool) -> dtos.LinkPage:
    """Show what is asked for; of the folder that takes it, nothing is told."""
    if node_id is not None:
        raise NotFound
    try:
        files.get_node(actor=actor, node_id=row.node_id)
    except NotFound as error:
        raise admission.not_there(row) from error
    if is_noted:
        _note_opened(row, visitor)
    request = receiving.describe(row)
    return dtos.LinkPage(
        link=_to_public(row, locked=False, request=request), path=[], children=None, counts_visitors=False
    )


def list_children(
    *, token: str, unlock: str | None, visitor: Visitor, node_id: UUID | None, limit: int, cursor: str | None
) -> dtos.PublicChildren:
    """List what lies in the link's folder, or in one below it."""
    row = admission.require_unlocked(admission.find_open(token, visitor), unlock)
    try:
        children = files.list_children(
            actor=admission.actor_of(row), node_id=node_id or row.node_id, limit=limit, cursor=cursor
        )
    except NotFound as error:
        raise admission.not_there(row, node_id) from error
    return _to_children(children)


def unlock(*, token: str, password: str, visitor: Visitor) -> dtos.Unlocked:
    """Compare a password with the link's, counting the try first; a right one is not counted."""
    row = admission.find_open(token, visitor)
    if row.password_hash:
        cell = ("link-password", [row.id, visitor.address])
        throttle.take(*cell, limit=GUESSES, per_seconds=_FIVE_MINUTES)
        if not check_password(password, row.password_hash):
            _note(row, visitor, Action.REFUSED, LinkRefused(link_id=row.id, node_id=row.node_id, actor_id=row.id))
            raise errors.WrongPassword
        throttle.give_back(*cell, limit=GUESSES, per_seconds=_FIVE_MINUTES)
    unlock_token, expires_at = credentials.make_unlock_token(row.id, row.password_hash)
    return dtos.Unlocked(unlock_token=unlock_token, expires_at=expires_at)


def admit(*, token: str, unlock: str | None, visitor: Visitor) -> dtos.Admission:
    """Let somebody in by a link."""
    row = admission.require_unlocked(admission.find_open(token, visitor), unlock)
    return dtos.Admission(
        link_id=row.id,
        kind=queries.kind_of(row),
        actor=admission.actor_of(row),
        counts_visitors=row.download_limit is not None,
    )


def note_viewed(*, link_id: UUID, visitor: Visitor, node_id: UUID) -> None:
    """Write down that a visitor looks at a file below the link's node; that of the link itself was written with its page."""
    with db.read_transaction():
        row = queries.find(link_id)
    if row is not None and row.node_id != node_id:
        _note_opened(row, visitor, node_id)


# --- what is written -------------------------------------------------------------------------------------------------------


def _note_opened(row: Link, visitor: Visitor, node_id: UUID | None = None) -> None:
    seen = node_id or row.node_id
    event = LinkOpened(link_id=row.id, node_id=seen, made_by=row.created_by, actor_id=row.id)
    _note(row, visitor, Action.OPENED, event)


def _note(row: Link, visitor: Visitor, action: Action, event: LinkOpened | LinkRefused) -> None:
    with db.write_transaction():
        Access.objects.create(
            link_id=row.id,
            action=action,
            accessed_at=clock.now(),
            node_id=event.node_id,
            visitor=counting.visitor_key(row, visitor),
            origin=credentials.origin_key(row.id, visitor),
        )
        publish(event)


# --- what is told ----------------------------------------------------------------------------------------------------------


def _to_public(
    row: Link, *, locked: bool, node: dtos.PublicNode | None = None, request: dtos.PublicRequest | None = None
) -> dtos.PublicLink:
    left = None if row.download_limit is None else max(row.download_limit - row.download_count, 0)
    return dtos.PublicLink(
        kind=queries.kind_of(row),
        tenant_name=tenancy.current().name,
        shared_by=admission.name_maker(row),
        expires_at=row.expires_at,
        downloads_left=left,
        has_password=bool(row.password_hash),
        locked=locked,
        node=node,
        request=request,
    )


def _to_node(node: Node) -> dtos.PublicNode:
    return dtos.PublicNode(
        id=node.id,
        kind=node.kind,
        name=node.name,
        size_bytes=node.size_bytes,
        media_type=node.media_type,
        modified_at=node.modified_at,
    )


def _to_children(children: Children) -> dtos.PublicChildren:
    return dtos.PublicChildren(
        items=[_to_node(node) for node in children.items],
        next_cursor=children.next_cursor,
        total_count=children.total_count,
    )
