"""Sharing listens to files and identity: what is gone takes its permissions along, and who comes by an invitation has theirs."""

from collections.abc import Sequence
from uuid import UUID

from apps.sharing import inviting, operations, queries, shortcuts
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.events.catalog.files import NodePurged
from bitvault.events.catalog.identity import GroupDeleted, InvitationAccepted, InvitationWithdrawn
from bitvault.kernel import db

CONSUMER = "sharing"

cannot_be_rebuilt(
    consumer=CONSUMER, because="Permissions are given by people: they are kept here and derived from nothing."
)


@consumes_batch(CONSUMER, NodePurged, GroupDeleted)
def drop_permissions(events: Sequence[Published], tx: db.Transaction) -> None:
    """Drop what was given on nodes, and to groups, that are gone, and shortcuts that lay in them; applying it again changes nothing."""
    operations.forget_groups([one.event.group_id for one in events if isinstance(one.event, GroupDeleted)])
    gone = [one.event.purged_node_ids for one in events if isinstance(one.event, NodePurged)]
    node_ids = [node_id for some in gone for node_id in some]
    operations.forget_nodes(node_ids)
    shortcuts.forget_folders(node_ids)


@consumes_batch(CONSUMER, InvitationAccepted, InvitationWithdrawn)
def settle_invitations(events: Sequence[Published], tx: db.Transaction) -> None:
    """Give what was shared with an invited address to who has come by it, or end it; applying it again changes nothing."""
    come: dict[UUID, UUID | None] = {}
    for one in events:
        if isinstance(one.event, InvitationAccepted):
            come[one.event.invitation_id] = one.event.user_id
        elif isinstance(one.event, InvitationWithdrawn):
            come[one.event.invitation_id] = None
    if come:
        inviting.settle(come)
        tx.after_commit(queries.forget_remembered)
