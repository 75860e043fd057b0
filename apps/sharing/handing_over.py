"""What somebody received and gave who has left the tenant goes to their successor: shares are rows, so nothing else is touched."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from apps.sharing import expiring, queries
from apps.sharing.models import Permission, PrincipalKind
from bitvault.events.api import publish
from bitvault.events.catalog.sharing import ShareChanged, ShareGranted, ShareRevoked
from bitvault.kernel import clock, db
from bitvault.kernel.capabilities import ROLES, names_of

BATCH = 500
"""Shares that change hands in one transaction: some ten milliseconds."""

CUSTOM_ROLE = "custom"
"""The role of a share whose capabilities are those of no named one."""


def hand_over(*, user_id: UUID, successor_id: UUID, by: UUID | None, report: Callable[[int], None]) -> int:
    """Give a successor what somebody was given by others, and put the successor down as the giver of what they gave.

    Where the successor has a share on a node already, they have both together, until the later end. Done again, it goes on where it was.

    :param report: told how many shares have changed hands; raises when it is to stop.
    """
    count = 0
    for give in (_give_received, _give_given):
        while moved := give(user_id, successor_id, by):
            count += moved
            report(count)
    return count


def _give_received(user_id: UUID, successor_id: UUID, by: UUID | None) -> int:
    with db.write_transaction() as tx:
        received = Permission.objects.filter(principal_kind=PrincipalKind.USER, principal_id=user_id)
        rows = list(received.select_for_update().order_by("id")[:BATCH])
        present = _read_present(successor_id, rows)
        now = clock.now()
        for row in rows:
            has_ended = row.expires_at is not None and row.expires_at <= now
            publish(ShareRevoked(actor_id=by, share_id=row.id, node_id=row.node_id, **_named(user_id)))
            # What the successor has given themselves is in their own tree, or they manage it.
            if has_ended or row.granted_by == successor_id:
                row.delete()
            elif (own := present.get(row.node_id)) is not None:
                row.delete()
                unite(own, row, by)
            else:
                _grant(row, successor_id, by)
        tx.after_commit(queries.forget_remembered)
        return len(rows)


def end_received(*, user_id: UUID, by: UUID | None) -> None:
    """End what was shared with a guest who has left: it was for them, and for nobody who stays."""
    while True:
        with db.write_transaction() as tx:
            received = Permission.objects.filter(principal_kind=PrincipalKind.USER, principal_id=user_id)
            rows = list(received.select_for_update().order_by("id")[:BATCH])
            for row in rows:
                publish(ShareRevoked(actor_id=by, share_id=row.id, node_id=row.node_id, **_named(user_id)))
            Permission.objects.filter(id__in=[row.id for row in rows]).delete()
            tx.after_commit(queries.forget_remembered)
        if len(rows) < BATCH:
            return


def _read_present(successor_id: UUID, rows: Iterable[Permission]) -> dict[UUID, Permission]:
    own = Permission.objects.filter(principal_kind=PrincipalKind.USER, principal_id=successor_id)
    return {row.node_id: row for row in own.filter(node_id__in=[row.node_id for row in rows]).select_for_update()}


def unite(own: Permission, row: Permission, by: UUID | None) -> None:
    """Add to a share what another one gives."""
    mask = own.capabilities | row.capabilities
    expires_at = find_later(own.expires_at, row.expires_at)
    if (mask, expires_at) == (own.capabilities, own.expires_at):
        return
    own.capabilities, own.role, own.expires_at = mask, name_role(mask), expires_at
    own.save(update_fields=["capabilities", "role", "expires_at"])
    expiring.plan([own])
    publish(ShareChanged(actor_id=by, **_facts(own)))


def find_later(one: datetime | None, other: datetime | None) -> datetime | None:
    """Give the later of two ends; what never ends is latest."""
    return None if one is None or other is None else max(one, other)


def _grant(row: Permission, successor_id: UUID, by: UUID | None) -> None:
    row.principal_id = successor_id
    row.save(update_fields=["principal_id"])
    publish(ShareGranted(actor_id=by, **_facts(row)))


def name_role(mask: int) -> str:
    """Name the role that has just these capabilities."""
    return next((name for name, own in ROLES.items() if own == mask), CUSTOM_ROLE)


def _facts(row: Permission) -> dict[str, Any]:
    return {
        "share_id": row.id,
        "node_id": row.node_id,
        "role": row.role,
        "capabilities": names_of(row.capabilities),
        "expires_at": row.expires_at,
        **_named(row.principal_id),
    }


def _named(user_id: UUID) -> dict[str, Any]:
    return {"principal_kind": "user", "principal_id": user_id}


def _give_given(user_id: UUID, successor_id: UUID, by: UUID | None) -> int:
    """Put the successor down as the giver; nobody reaches more or less by it, so nothing is published."""
    with db.write_transaction():
        rows = Permission.objects.filter(granted_by=user_id).order_by("id")[:BATCH]
        return Permission.objects.filter(id__in=[row.id for row in rows]).update(granted_by=successor_id)
