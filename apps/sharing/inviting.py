"""Shares with addresses that are no member's: a guest is invited, and has them as a user once they have come.

Until then such a share names the invitation. Inviting comes before the share is written and withdrawing after it has ended, each in a
commit of its own: what is left by a crash between is an invitation without a share, which lets in to nothing and ends by itself.
"""

from collections.abc import Iterable, Mapping
from uuid import UUID

from apps.files.dtos import Node
from apps.identity import api as identity
from apps.identity.dtos import InvitedGuest
from apps.sharing import dtos, queries, telling
from apps.sharing.handing_over import unite
from apps.sharing.models import Permission, PrincipalKind
from bitvault.events.api import publish
from bitvault.events.catalog.sharing import ShareGranted, ShareRevoked
from bitvault.kernel import db
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import names_of


def invite(actor: Actor, node: Node, guest: dtos.SharePrincipal, *, message: str) -> InvitedGuest:
    """Invite an address to what is to be shared with it; returns the invitation, which may be there already."""
    return identity.invite_guest(actor=actor, email=guest.email or "", about=node.name, message=message)


def withdraw_unused(actor: Actor, ended: Iterable[Permission]) -> None:
    """Withdraw the invitations of guests with whom nothing is shared any more, after their shares have ended."""
    invitation_ids = {row.principal_id for row in ended if row.principal_kind == PrincipalKind.EMAIL}
    if not invitation_ids:
        return
    with db.read_transaction():
        rows = Permission.objects.filter(principal_kind=PrincipalKind.EMAIL, principal_id__in=invitation_ids)
        still = set(rows.values_list("principal_id", flat=True))
    for invitation_id in invitation_ids - still:
        identity.withdraw_guest(actor=actor, invitation_id=invitation_id)


def settle_late(actor: Actor, written: Iterable[tuple[Permission, dtos.SharePrincipal]]) -> None:
    """Give shares to who has come while they were written; those of an invitation that was withdrawn meanwhile end."""
    emails = {row.principal_id: who.email or "" for row, who in written if row.principal_kind == PrincipalKind.EMAIL}
    if not emails:
        return
    still = identity.find_invited(tenant=actor.tenant, invitation_ids=emails)
    come: dict[UUID, UUID | None] = {}
    for invitation_id in emails.keys() - still.keys():
        member = identity.find_member_by_address(tenant=actor.tenant, email=emails[invitation_id])
        come[invitation_id] = None if member is None else member.user.id
    if come:
        with db.write_transaction() as tx:
            settle(come)
            tx.after_commit(queries.forget_remembered)


def settle(come: Mapping[UUID, UUID | None]) -> None:
    """Give the shares of invitations to who has come by them, or end those of whom nobody came by, inside the open transaction.

    Done again, it changes nothing.
    """
    invited = Permission.objects.filter(principal_kind=PrincipalKind.EMAIL, principal_id__in=list(come))
    rows = list(invited.select_for_update().order_by("id"))
    own = Permission.objects.filter(
        principal_kind=PrincipalKind.USER,
        principal_id__in=[user_id for user_id in come.values() if user_id],
        node_id__in=[row.node_id for row in rows],
    )
    present = {(row.node_id, row.principal_id): row for row in own.select_for_update()} if rows else {}
    for row in rows:
        user_id = come[row.principal_id]
        publish(ShareRevoked(actor_id=user_id, share_id=row.id, node_id=row.node_id, **telling.name_principal(row)))
        if user_id is None:
            row.delete()
        elif (held := present.get((row.node_id, user_id))) is not None:
            row.delete()
            unite(held, row, user_id)
        else:
            row.principal_kind, row.principal_id = PrincipalKind.USER, user_id
            row.save(update_fields=["principal_kind", "principal_id"])
            publish(
                ShareGranted(
                    actor_id=row.granted_by,
                    share_id=row.id,
                    node_id=row.node_id,
                    role=row.role,
                    capabilities=names_of(row.capabilities),
                    expires_at=row.expires_at,
                    **telling.name_principal(row),
                )
            )
