"""What the tenant's policies leave of the right to share."""

from uuid import UUID

from apps.files import api as files
from apps.files.dtos import Ancestry
from apps.identity import api as identity
from apps.identity.errors import PolicyForbids
from bitvault.kernel.actor import Actor


def may_share_on(actor: Actor, ancestry: Ancestry) -> bool:
    """Tell whether the policies let an actor share a node that they have the capability for."""
    return identity.find_policies(tenant=actor.tenant).share_on == "managers" or ancestry.is_kept_by(actor)


def require_share_on(actor: Actor, node_id: UUID) -> None:
    """Refuse whoever has only been given a node, where the tenant lets nobody share on.

    :raises PolicyForbids: it does not.
    """
    if identity.find_policies(tenant=actor.tenant).share_on == "managers":
        return
    if not files.get_ancestry(actor=actor, node_id=node_id).is_kept_by(actor):
        raise PolicyForbids("In this vault only the owner decides who else has access.", policy="share_on")
