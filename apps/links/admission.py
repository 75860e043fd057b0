"""Who is let in by a link, and as whom they act; the same for those who look and for those who send."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from apps.identity import api as identity
from apps.links import credentials, errors, queries
from apps.links.models import Link, LinkKind
from bitvault.kernel import db, tenancy
from bitvault.kernel.actor import Actor, ActorKind, Role, Scope
from bitvault.kernel.capabilities import ROLES, Reach
from bitvault.kernel.errors import NotFound
from bitvault.kernel.request import Visitor

_ROLES = {LinkKind.VIEW: "previewer", LinkKind.DOWNLOAD: "viewer", LinkKind.UPLOAD: "uploader", LinkKind.EDIT: "editor"}


def find_open(token: str, visitor: Visitor) -> Link:
    """Find the link of an address that can be opened now; one that is used up opens for those who have had something by it.

    :raises NotFound: there is none.
    :raises LinkOver, LinkExpired, LinkNotStarted, LinkUsedUp: it cannot be opened.
    """
    if tenancy.find_current() is None:
        raise NotFound
    are_allowed = identity.find_policies(tenant=tenancy.current()).links_allowed
    row = queries.find_by_token_hash(credentials.hash_token(token))
    if row is None:
        raise NotFound
    with naming_maker() as looked_at:
        looked_at.append(row)
        if not are_allowed:
            raise errors.LinkOver
        # Whoever resumes without a cookie is known by the version alone, later on.
        is_used_up = queries.state_of(row) == "used_up" and not visitor.resumes
        if is_used_up:
            is_used_up = not _has_had_any(row, visitor)
        require_open(row, used_up=is_used_up)
    return row


def _has_had_any(row: Link, visitor: Visitor) -> bool:
    with db.read_transaction():
        return queries.has_counted_any(row.id, visitor=credentials.visitor_key(row.id, visitor))


@contextmanager
def naming_maker() -> Iterator[list[Link]]:
    """Add to a refusal inside the block who can be asked: who made the link that was looked at."""
    looked_at: list[Link] = []
    try:
        yield looked_at
    except (errors.LinkOver, errors.LinkExpired, errors.LinkNotStarted, errors.LinkUsedUp) as error:
        error.facts["shared_by"] = name_maker(looked_at[0])
        raise


def require_open(row: Link, *, used_up: bool) -> None:
    """Refuse a link that cannot be opened now; one that is used up only where that is asked."""
    match queries.state_of(row):
        case "ended":
            raise errors.LinkOver
        case "expired":
            raise errors.LinkExpired
        case "not_started":
            raise errors.LinkNotStarted(starts_at=row.starts_at)
        case "used_up" if used_up:
            raise errors.LinkUsedUp


def is_unlocked(row: Link, unlock: str | None) -> bool:
    """Tell whether somebody may pass who brings this proof of a password."""
    return not row.password_hash or credentials.unlocks(unlock, row.id, row.password_hash)


def require_unlocked(row: Link, unlock: str | None) -> Link:
    """Refuse who has not given the password; returns the link.

    :raises LinkLocked: they have not.
    """
    if not is_unlocked(row, unlock):
        raise errors.LinkLocked
    return row


def actor_of(row: Link) -> Actor:
    """Give the link as an actor: it reaches its own node and nothing that lies elsewhere; it reads, or adds and sees nothing, or edits."""
    kind = LinkKind(row.kind)
    writes = kind in (LinkKind.UPLOAD, LinkKind.EDIT)
    return Actor(
        tenant=tenancy.current(),
        user_id=row.id,
        # A viewer's ceiling would cut adding; what else a member has, no link has.
        role=Role.MEMBER if writes else Role.VIEWER,
        scopes=frozenset({Scope.FILES_READ, Scope.FILES_WRITE} if writes else {Scope.FILES_READ}),
        kind=ActorKind.LINK,
        folder_id=row.node_id,
        reach=Reach(lasting={row.node_id: ROLES[_ROLES[kind]]}),  # type: ignore[index] # names of roles
    )


def not_there(row: Link, node_id: UUID | None = None) -> NotFound | errors.LinkTargetGone:
    """Say that a node is not there: the link's own, or one below it."""
    if node_id in (None, row.node_id):
        return errors.LinkTargetGone(shared_by=name_maker(row))
    return NotFound()


def name_maker(row: Link) -> str:
    """Name who made a link; empty when they have left."""
    return identity.name_people(tenant=tenancy.current(), user_ids=[row.created_by]).get(row.created_by, "")
