"""What sharing writes. The node is judged first, by Files and with the reach that the actor carries; then one transaction writes."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from apps.files import api as files
from apps.files.dtos import Node
from apps.identity import api as identity
from apps.sharing import dtos, errors, expiring, inviting, messages, policies, queries, telling
from apps.sharing.models import Permission, PrincipalKind
from bitvault.events.api import publish
from bitvault.events.catalog.sharing import ShareChanged, ShareGranted, ShareRevoked
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import EVERYONE_ID, ROLES, CapabilityName, RoleName, mask_of, names_of
from bitvault.kernel.errors import Forbidden, NotFound
from bitvault.mail import api as mail

SHARES_OF_NODE_LIMIT = 1000
"""Shares on one node: they are read and replaced in one piece. For more there are groups and everyone."""

SHARED_MAIL = "sharing.shared"
"""The mail to a person with whom something was shared; ``mails`` writes it."""


class PrincipalKey(NamedTuple):
    """A principal as the table knows it."""

    kind: PrincipalKind
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What one principal is to have."""

    role: str
    mask: int
    expires_at: datetime | None
    principal: dtos.SharePrincipal | None = None
    message: str = ""
    may_be_told: bool = False
    """Whether a mail says that something is shared which was not before."""


def require_capability(actor: Actor, node_id: UUID, capability: CapabilityName) -> Node:
    """Judge what an actor may do with a live node.

    :raises NotFound: there is none that the actor may know of.
    :raises Forbidden: the actor lacks the capability there.
    """
    node = files.get_node(actor=actor, node_id=node_id)
    if capability not in node.capabilities:
        raise Forbidden("This needs the capability %(capability)s.", capability=capability)
    return node


def _require_sharing(actor: Actor, node_id: UUID) -> Node:
    """Judge whether an actor may share a live node: by what they have there, and by the tenant's policies.

    :raises NotFound, Forbidden, PolicyForbids: they may not.
    """
    node = require_capability(actor, node_id, "share")
    policies.require_share_on(actor, node_id)
    return node


def put(*, actor: Actor, node_id: UUID, grant: dtos.Grant) -> dtos.Share:
    """Give a share on a node; one that its principal has already is changed. A person who has not had it is told by mail."""
    node = _require_sharing(actor, node_id)
    wanted = _read_grants(actor, node, [grant])
    with _changing(node.id) as tx:
        present = _read_present(node.id)
        _require_room(present, wanted)
        ((row, principal),) = _write_all(actor, node, present, wanted)
        is_new = row.id not in {one.id for one in present.values()}
        (one,) = wanted.values()
        if is_new and grant.notify and one.may_be_told:
            # Whoever shares, takes away and shares again writes one mail while the first one waits.
            mail.send(SHARED_MAIL, reference=row.id, key=f"{row.node_id.hex}:{row.principal_id.hex}")
        tx.after_commit(queries.forget_remembered)
        tx.answer(share := queries.to_share(row, principal))
    inviting.settle_late(actor, [(row, principal)])
    return share


def replace_all(*, actor: Actor, node_id: UUID, grants: Sequence[dtos.Grant]) -> list[dtos.Share]:
    """Let a node have just these shares."""
    node = _require_sharing(actor, node_id)
    wanted = _read_grants(actor, node, grants)
    with _changing(node.id) as tx:
        present = _read_present(node.id)
        ending = [row for key, row in present.items() if key not in wanted]
        for row in ending:
            _require_own(mask_of(node.capabilities), row.capabilities, row.role)
        for row in ending:
            _end(actor, row)
        written = _write_all(actor, node, present, wanted)
        tx.after_commit(queries.forget_remembered)
    inviting.settle_late(actor, written)
    inviting.withdraw_unused(actor, ending)
    return [queries.to_share(row, principal) for row, principal in written]


def change(
    *, actor: Actor, share_id: UUID, role: RoleName | None, expires_at: datetime | None, ends: bool
) -> dtos.Share:
    """Give a share another role, another end, or both; with ``ends`` ``expires_at`` holds, ``None`` for no end."""
    with db.read_transaction():
        found = queries.find(share_id)
    if found is None:
        raise NotFound
    node = _require_sharing(actor, found.node_id)
    _require_future(expires_at)
    if role is not None:
        _require_own(mask_of(node.capabilities), ROLES[role], role)
    principal = queries.describe(actor.tenant, [found]).get(found.id)
    if principal is None:  # they have left, or the group was deleted
        raise NotFound
    if principal.is_guest:
        identity.require_guest_allowed(
            actor=actor, email=principal.email or "", expires_at=expires_at if ends else found.expires_at
        )
    with _changing(node.id) as tx:
        row = Permission.objects.select_for_update().filter(id=share_id).first()
        if row is None:
            raise NotFound
        wanted = Wanted(
            role=role or row.role,
            mask=row.capabilities if role is None else ROLES[role],
            expires_at=expires_at if ends else row.expires_at,
        )
        _change(actor, node, row, wanted)
        expiring.plan([row])
        tx.after_commit(queries.forget_remembered)
    return queries.to_share(row, principal)


def revoke(*, actor: Actor, share_id: UUID) -> None:
    """End a share: by who may share its node, or by the person who has received it and leaves it."""
    with db.read_transaction():
        found = queries.find(share_id)
    if found is None:
        raise NotFound
    if (found.principal_kind, found.principal_id) != (PrincipalKind.USER, actor.user_id):
        node = require_capability(actor, found.node_id, "share")
        _require_own(mask_of(node.capabilities), found.capabilities, found.role)
    with _changing(found.node_id) as tx:
        row = Permission.objects.select_for_update().filter(id=share_id).first()
        if row is None:
            raise NotFound
        _end(actor, row)
        tx.after_commit(queries.forget_remembered)
    inviting.withdraw_unused(actor, [found])


def forget_nodes(node_ids: Iterable[UUID]) -> None:
    """Drop the permissions of nodes that are gone for ever, inside the open transaction."""
    Permission.objects.filter(node_id__in=list(node_ids)).delete()


def forget_groups(group_ids: Iterable[UUID]) -> None:
    """Drop the permissions of groups that were deleted, inside the open transaction.

    They reach nobody any more since the group is gone; whoever reads the stream was told by its deletion.
    """
    Permission.objects.filter(principal_kind=PrincipalKind.GROUP, principal_id__in=list(group_ids)).delete()


# --- reading what is wanted ------------------------------------------------------------------------------------------------


def _read_grants(actor: Actor, node: Node, grants: Sequence[dtos.Grant]) -> dict[PrincipalKey, Wanted]:
    """Give what can be written; a principal that is named twice has what is said last.

    :raises PrincipalUnfit, UnknownPrincipal: a principal is none of the tenant's.
    :raises PolicyForbids, DomainNotAllowed: the tenant does not share with guests so.
    :raises MoreThanOwn: the actor has less than they would give.
    :raises ExpiryPast: an end has passed.
    :raises MessageUnfit: a message is too long, or holds control characters.
    :raises TooManyShares: these are more than a node can have.
    """
    if len(grants) > SHARES_OF_NODE_LIMIT:
        raise errors.TooManyShares(limit=SHARES_OF_NODE_LIMIT)
    own = mask_of(node.capabilities)
    for grant in grants:
        _require_own(own, ROLES[grant.role], grant.role)
        _require_future(grant.expires_at)
        _require_fit(grant.principal)
    said = [messages.read(grant.message) for grant in grants]
    named = queries.describe_named(
        actor.tenant,
        user_ids=[one.principal.id for one in grants if one.principal.type == "user" and one.principal.id],
        group_ids=[one.principal.id for one in grants if one.principal.type == "group" and one.principal.id],
    )
    wanted = {}
    principals = [_find_principal(actor, grant, named) for grant in grants]
    # Nobody is invited before all else is judged.
    for grant, message, principal in zip(grants, said, principals, strict=True):
        key = _name_key(principal)
        # A person is told of what they have not had; an address by its invitation, and where that was sent before, by a mail as well.
        may_be_told = principal.type == "user" and principal.id != actor.user_id
        if key is None:
            invited = inviting.invite(actor, node, principal, message=message)
            key, may_be_told = PrincipalKey(PrincipalKind.EMAIL, invited.invitation_id), invited.may_be_told
        wanted[key] = Wanted(
            role=grant.role,
            mask=ROLES[grant.role],
            expires_at=grant.expires_at,
            principal=principal,
            message=message,
            may_be_told=may_be_told,
        )
    return wanted


def _require_fit(one: dtos.Principal) -> None:
    """Refuse a principal that is not named as its type needs.

    :raises PrincipalUnfit: it is not.
    """
    if (one.id is not None, one.email is not None) != (one.type in ("user", "group"), one.type == "email"):
        raise errors.PrincipalUnfit(type=one.type)


def _find_principal(actor: Actor, grant: dtos.Grant, named: Mapping[UUID, dtos.SharePrincipal]) -> dtos.SharePrincipal:
    """Find who is to have a share; of an address that is nobody's here the one who is to be invited."""
    one = grant.principal
    if one.type == "everyone":
        return queries.EVERYONE
    found = named.get(one.id) if one.id is not None else None
    if one.type == "email" and one.email is not None:
        member = identity.find_member_by_address(tenant=actor.tenant, email=one.email)
        found = queries.to_invited(one.email.strip().lower()) if member is None else queries.to_principal(member)
    if found is None or one.type not in ("email", found.type):
        raise errors.UnknownPrincipal(type=one.type, id=one.id)
    if found.is_guest:
        identity.require_guest_allowed(actor=actor, email=found.email or "", expires_at=grant.expires_at)
    return found


def _name_key(principal: dtos.SharePrincipal) -> PrincipalKey | None:
    """Name a principal as the table knows it; an address that is to be invited has no id yet."""
    if principal.type == "everyone":
        return PrincipalKey(PrincipalKind.EVERYONE, EVERYONE_ID)
    return None if principal.id is None else PrincipalKey(PrincipalKind(principal.type), principal.id)


def _require_own(own: int, mask: int, role: str) -> None:
    """Refuse to give, or to take away, what the actor does not have.

    :raises MoreThanOwn: the mask has more.
    """
    if mask & ~own:
        raise errors.MoreThanOwn(role=role)


def _require_future(expires_at: datetime | None) -> None:
    """Refuse an end that has passed.

    :raises ExpiryPast: it has.
    """
    if expires_at is not None and expires_at <= clock.now():
        raise errors.ExpiryPast


# --- writing ---------------------------------------------------------------------------------------------------------------


def _changing(node_id: UUID) -> AbstractContextManager[db.Transaction]:
    """Change the shares of one node; nobody else does meanwhile."""
    return db.write_transaction(lock=f"sharing:{node_id.hex}")


def _read_present(node_id: UUID) -> dict[PrincipalKey, Permission]:
    """Read what stands on a node, ended shares too: their principal gets another one in their place."""
    rows = Permission.objects.select_for_update().filter(node_id=node_id).exclude(principal_kind=PrincipalKind.LINK)
    return {PrincipalKey(PrincipalKind(row.principal_kind), row.principal_id): row for row in rows}


def _require_room(present: Mapping[PrincipalKey, Permission], wanted: Mapping[PrincipalKey, Wanted]) -> None:
    """Refuse one share too many.

    :raises TooManyShares: the node would have more than it can.
    """
    if len({*present, *wanted}) > SHARES_OF_NODE_LIMIT:
        raise errors.TooManyShares(limit=SHARES_OF_NODE_LIMIT)


def _write_all(
    actor: Actor,
    node: Node,
    present: Mapping[PrincipalKey, Permission],
    wanted: Mapping[PrincipalKey, Wanted],
) -> list[tuple[Permission, dtos.SharePrincipal]]:
    """Write what is wanted, with an event for each share that is not there so already."""
    now = clock.now()
    ended = [row for row in present.values() if row.expires_at is not None and row.expires_at <= now]
    Permission.objects.filter(id__in=[row.id for row in ended]).delete()
    for over in ended:
        expiring.tell(over)
    written, new = [], []
    for key, one in wanted.items():
        row = present.get(key)
        if row is None or row in ended:
            row = Permission(
                node_id=node.id,
                principal_kind=key.kind,
                principal_id=key.id,
                capabilities=one.mask,
                role=one.role,
                expires_at=one.expires_at,
                granted_by=actor.user_id,
                granted_at=now,
                message=one.message,
            )
            new.append(row)
        else:
            _change(actor, node, row, one)
        written.append((row, one.principal or queries.EVERYONE))
    Permission.objects.bulk_create(new)
    for row in new:
        _tell(ShareGranted, actor, row)
    expiring.plan(row for row, _ in written)
    return written


def _change(actor: Actor, node: Node, row: Permission, wanted: Wanted) -> None:
    """Write what a share is from now on; one that is so already is left as it is, without an event.

    :raises MoreThanOwn: the share gives more than the actor has.
    """
    if (row.role, row.capabilities, row.expires_at) == (wanted.role, wanted.mask, wanted.expires_at):
        return
    _require_own(mask_of(node.capabilities), row.capabilities, row.role)
    row.role, row.capabilities, row.expires_at = wanted.role, wanted.mask, wanted.expires_at
    row.save(update_fields=["role", "capabilities", "expires_at"])
    _tell(ShareChanged, actor, row)


def _tell(event: type[ShareGranted | ShareChanged], actor: Actor, row: Permission) -> None:
    publish(
        event(
            actor_id=actor.user_id,
            share_id=row.id,
            node_id=row.node_id,
            role=row.role,
            capabilities=names_of(row.capabilities),
            expires_at=row.expires_at,
            **telling.name_principal(row),
        )
    )


def _end(actor: Actor, row: Permission) -> None:
    publish(ShareRevoked(actor_id=actor.user_id, share_id=row.id, node_id=row.node_id, **telling.name_principal(row)))
    row.delete()
