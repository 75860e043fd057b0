"""What those write who share a node: Files judges the node first, with the reach that the actor carries; then one transaction writes."""

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.hashers import check_password, make_password
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from apps.files import api as files
from apps.files.dtos import Node
from apps.identity import api as identity
from apps.identity.errors import PolicyForbids
from apps.links import credentials, drawing, dtos, ending, errors, queries, requests
from apps.links.models import FileRequest, Link, LinkKind
from bitvault.events.api import publish
from bitvault.events.catalog.links import LinkChanged, LinkCreated, LinkEnded
from bitvault.kernel import clock, db, ids, policies
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import Forbidden, NotFound

LINKS_OF_NODE_LIMIT = 100
"""Links on one node: they are listed in one piece, and nobody looks through more."""

_ALL = "links"
"""The lock under which links become more."""

NO_LINKS = _(
    "The plan of this vault allows no more links. End one that nobody needs, or ask the operator of this installation for another plan."
)

NAME_LIMIT = 120
PASSWORD_MIN, PASSWORD_MAX = 8, 1024
"""Characters: eight is what NIST SP 800-63B-4 asks at least of a password beside which tries are counted."""

DOWNLOADS_MAX = 1_000_000

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{10,58})[a-z0-9]")
"""12 to 60 characters: a shorter one is soon tried. It is no secret for all that; a password makes it one."""


def require_sharing(actor: Actor, node_id: UUID) -> Node:
    """Judge whether an actor may share a live node.

    :raises NotFound: there is none that the actor may know of.
    :raises Forbidden: the actor lacks the capability there.
    """
    node = files.get_node(actor=actor, node_id=node_id)
    if "share" not in node.capabilities:
        raise Forbidden("This needs the capability share.", capability="share")
    return node


def _require_allowed(actor: Actor, node_id: UUID, *, has_password: bool, expires_at: datetime | None) -> None:
    """Refuse a link that the tenant's policies do not allow.

    :raises PolicyForbids: they do not.
    """
    identity.require_link_allowed(actor=actor, has_password=has_password, expires_at=expires_at)
    if identity.find_policies(tenant=actor.tenant).share_on == "managers":
        return
    if not files.get_ancestry(actor=actor, node_id=node_id).is_kept_by(actor):
        raise PolicyForbids("In this vault only the owner decides who else has access.", policy="share_on")


def create(*, actor: Actor, node_id: UUID, wish: dtos.LinkWish) -> tuple[dtos.Link, str]:
    """Make a link on a node; returns it with the end of its address."""
    node = require_sharing(actor, node_id)
    request = _read_request(node, wish.kind, wish.request, expires_at=wish.expires_at)
    expires_at = wish.expires_at if request is None else requests.end_of(request)
    _require_allowed(actor, node_id, has_password=wish.password is not None, expires_at=expires_at)
    _require_own(node, wish.kind)
    _require_times(wish.starts_at, expires_at)
    _require_limit(wish.kind, wish.download_limit)
    name = _read_name(wish.name)
    end = credentials.new_token() if wish.slug is None else _read_slug(wish.slug)
    row = Link(
        id=ids.new_id(),
        node_id=node.id,
        kind=wish.kind,
        name=name,
        slug=wish.slug or "",
        token_hash=credentials.hash_token(end),
        password_hash=_hash_password(wish.password),
        starts_at=wish.starts_at,
        expires_at=expires_at,
        download_limit=wish.download_limit,
        created_by=actor.user_id,
        created_at=clock.now(),
    )
    try:
        with db.write_transaction(lock=(_ALL, f"links:{node.id}")):
            _require_free()
            if Link.objects.filter(node_id=node.id, ended_at=None).count() >= LINKS_OF_NODE_LIMIT:
                raise errors.TooManyLinks(limit=LINKS_OF_NODE_LIMIT)
            row.save(force_insert=True)
            if request is not None:
                requests.write(FileRequest(link=row), request).save(force_insert=True)
            ending.tell_later(row)
            publish(LinkCreated(**_facts(row), actor_id=actor.user_id))
    except IntegrityError as error:
        raise errors.SlugTaken from error
    return queries.to_link(row), end


def change(*, actor: Actor, link_id: UUID, changes: dict[str, Any]) -> dtos.Link:
    """Change some fields of a link; ``ended=False`` lets one go on that was ended. What is as it was already is no change."""
    found = get(actor, link_id)
    node = require_sharing(actor, found.node_id)
    password_hash = _rehash(found, changes["password"]) if "password" in changes else None
    # A name may be changed whatever the policies are by now.
    if not {"password", "expires_at", "request", "ended"}.isdisjoint(changes):
        request = changes.get("request")
        _require_allowed(
            actor,
            found.node_id,
            has_password=bool(found.password_hash if password_hash is None else password_hash),
            expires_at=requests.end_of(request) if request else changes.get("expires_at", found.expires_at),
        )
    with db.write_transaction(lock=_ALL):
        row = Link.objects.select_for_update(no_key=True, of=("self",)).select_related("request").get(id=link_id)
        was_alive = queries.living().filter(id=link_id).exists()
        if row.ended_at is not None and changes.get("ended") is not False:
            raise NotFound
        before = _all_of(row)
        _require_same_way(row, changes)
        _apply(row, changes)
        if password_hash is not None:
            row.password_hash = password_hash
        _require_own(node, row.kind)
        if "request" in changes or "expires_at" in changes or "starts_at" in changes:
            _require_times(row.starts_at, row.expires_at)
        _require_limit(row.kind, row.download_limit)
        if _all_of(row) == before:
            return queries.to_link(row)
        if not was_alive and row.ended_at is None and (row.expires_at is None or row.expires_at > clock.now()):
            _require_free()
        row.save()
        if row.kind == LinkKind.UPLOAD:
            row.request.save()
        ending.tell_later(row)
        publish(LinkChanged(**_facts(row), actor_id=actor.user_id))
    return queries.to_link(row)


def _require_free() -> None:
    """Refuse a further link, in the open transaction that holds the lock of all links.

    :raises LinkLimitReached: the plan of the tenant allows no more.
    """
    limit = policies.current().link_limit
    if limit is not None and (count := queries.living().count()) >= limit:
        raise errors.LinkLimitReached(str(NO_LINKS), limit=limit, count=count)


def end(*, actor: Actor, link_id: UUID) -> None:
    """End a link at once."""
    found = get(actor, link_id)
    with db.write_transaction():
        ended = Link.objects.filter(id=link_id, ended_at=None).update(ended_at=clock.now())
        if not ended:
            raise NotFound
        publish(LinkEnded(link_id=link_id, node_id=found.node_id, actor_id=actor.user_id))


def draw(*, actor: Actor, link_id: UUID, address: str) -> dtos.QrCode:
    """Draw the address of a link, which whoever asks brings: it is kept nowhere.

    :raises AddressUnknown: it is not the link's.
    """
    row = get(actor, link_id)
    if credentials.hash_token(address.rpartition("/")[2]) != bytes(row.token_hash):
        raise errors.AddressUnknown
    return dtos.QrCode(svg=drawing.draw_qr(address))


def get(actor: Actor, link_id: UUID) -> Link:
    """Read a link, ended or not, of a node that the actor may share.

    :raises NotFound, Forbidden: there is none, or they may not share its node.
    """
    with db.read_transaction():
        row = queries.find(link_id)
    if row is None:
        raise NotFound
    require_sharing(actor, row.node_id)
    return row


def _require_same_way(row: Link, changes: dict[str, Any]) -> None:
    """Refuse to let a link take files that gives something, or the other way round: it is in other people's hands as what it is.

    :raises LinkUnfit: it would.
    """
    takes = row.kind == LinkKind.UPLOAD
    if changes.get("kind", row.kind) != row.kind and LinkKind.UPLOAD in (row.kind, changes["kind"]):
        raise errors.LinkUnfit("A link that takes files stays one. Make another link.", field="kind")
    if takes and "expires_at" in changes:
        raise errors.LinkUnfit("A link that takes files ends by the deadline of its request.", field="expires_at")
    if "request" in changes and (changes["request"] is not None) != takes:
        raise errors.LinkUnfit("A link that takes files, and no other, has a request.", field="request")


def _apply(row: Link, changes: dict[str, Any]) -> None:
    if changes.get("request") is not None:
        wish = requests.require_fit(changes["request"])
        requests.write(row.request, wish)
        row.expires_at = requests.end_of(wish)
    for field in ("kind", "starts_at", "expires_at", "download_limit"):
        if field in changes:
            setattr(row, field, changes[field])
    if "name" in changes:
        row.name = _read_name(changes["name"])
    if changes.get("ended") is False:
        row.ended_at = None


def _all_of(row: Link) -> list[Any]:
    facts = [getattr(row, field.attname) for field in Link._meta.concrete_fields]  # noqa: SLF001 - public in all but name
    return [*facts, requests.to_dto(row.request) if row.kind == LinkKind.UPLOAD else None]


def _facts(row: Link) -> dict[str, Any]:
    return {
        "link_id": row.id,
        "node_id": row.node_id,
        "kind": row.kind,
        "has_password": bool(row.password_hash),
        "starts_at": row.starts_at,
        "expires_at": row.expires_at,
        "download_limit": row.download_limit,
    }


# --- what a link can be ----------------------------------------------------------------------------------------------------


_GIVEN: dict[str, set[str]] = {
    LinkKind.VIEW: {"view"},
    LinkKind.DOWNLOAD: {"view", "download"},
    LinkKind.UPLOAD: {"add"},
    LinkKind.EDIT: {"view", "download", "add", "edit"},
}


def _require_own(node: Node, kind: str) -> None:
    """Refuse to give what the actor does not have.

    :raises MoreThanOwn: the link gives more.
    """
    if not _GIVEN[kind] <= set(node.capabilities):
        raise errors.MoreThanOwn(kind=kind)


def _read_request(
    node: Node, kind: str, wish: dtos.RequestWish | None, *, expires_at: datetime | None
) -> dtos.RequestWish | None:
    """Take what a link asks for that takes files.

    :raises LinkUnfit: there is none, or it is unfit, or the node is no folder, or another kind of link has one.
    """
    if (wish is not None) != (kind == LinkKind.UPLOAD):
        raise errors.LinkUnfit("A link that takes files, and no other, has a request.", field="request")
    if wish is None:
        return None
    if node.kind != "folder":
        raise errors.LinkUnfit("Files are taken into a folder.", field="kind")
    if expires_at is not None:
        raise errors.LinkUnfit("A link that takes files ends by the deadline of its request.", field="expires_at")
    return requests.require_fit(wish)


def _require_times(starts_at: datetime | None, expires_at: datetime | None) -> None:
    """Refuse times between which a link would never be open.

    :raises LinkUnfit: it would not.
    """
    if expires_at is not None and expires_at <= max(clock.now(), starts_at or clock.now()):
        raise errors.LinkUnfit("A link ends in the future, and after it has begun.", field="expires_at")


def _require_limit(kind: str, limit: int | None) -> None:
    """Refuse a limit that counts nothing.

    :raises LinkUnfit: it does not.
    """
    if limit is None:
        return
    if kind not in ("download", "edit"):
        raise errors.LinkUnfit("Only a link that gives files has a limit of downloads.", field="download_limit")
    if not 1 <= limit <= DOWNLOADS_MAX:
        raise errors.LinkUnfit("A limit is between 1 and 1,000,000 downloads.", field="download_limit")


def _read_name(text: str) -> str:
    """Take the name of a link.

    :raises LinkUnfit: it is too long, or has what nobody sees.
    """
    name = " ".join(text.split())
    if len(name) > NAME_LIMIT or not name.isprintable():
        raise errors.LinkUnfit("A name has at most 120 characters that can be seen.", field="name")
    return name


def _read_slug(text: str) -> str:
    """Take the chosen end of an address.

    :raises LinkUnfit: another form.
    """
    if not _SLUG.fullmatch(text):
        raise errors.LinkUnfit(
            "A chosen address has 12 to 60 of a–z, 0–9 and “-”, and neither begins nor ends with “-”.", field="slug"
        )
    return text


def _rehash(row: Link, text: str | None) -> str:
    """Hash a link's new password; the one that it has keeps its hash."""
    if text is not None and row.password_hash and check_password(text, row.password_hash):
        return row.password_hash
    return _hash_password(text)


def _hash_password(text: str | None) -> str:
    """Hash a password; ``None`` is none.

    :raises LinkUnfit: it is too short or too long.
    """
    if text is None:
        return ""
    if not PASSWORD_MIN <= len(text) <= PASSWORD_MAX or "\0" in text:
        raise errors.LinkUnfit("A password has at least 8 characters.", field="password")
    return make_password(text)
