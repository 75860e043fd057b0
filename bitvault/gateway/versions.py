"""Bringing an older version back: room is reserved, Files makes the new version, the room is charged. No bytes move.

A request that dies between the last two leaves a reservation that lapses, and the nightly recount charges what the version takes.
"""

from uuid import UUID

from django.http import HttpResponse

from apps.billing.errors import QuotaExceeded
from apps.files import api as files
from apps.files.dtos import Node
from apps.files.errors import NodeLocked, NotAFile, NothingToRestore
from bitvault.gateway import room
from bitvault.gateway.uploads import name_sender
from bitvault.kernel import ids
from bitvault.kernel.actor import Actor
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


def restore(actor: Actor, node_id: UUID, version_id: UUID) -> Node:
    """Make the content of an older version the current one, as a new version."""
    version = files.get_version(actor=actor, node_id=node_id, version_id=version_id)
    restore_id = ids.new_id()

    def make() -> tuple[Node, int]:
        made_on = name_sender(actor)
        node = files.restore_version(
            actor=actor, node_id=node_id, version_id=version_id, restore_id=restore_id, made_on=made_on
        )
        return node, version.size_bytes

    root_id = room.find_root(node_id)
    return room.charged(make, actor=actor, cause_id=restore_id, size_bytes=version.size_bytes, root_id=root_id)


class VersionRestore(View):
    """The way back to an older version."""

    @operation(
        answer=Node, status=201, problems=(NotAFile, NodeLocked, NothingToRestore, QuotaExceeded), repeatable=True
    )
    def post(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> HttpResponse:
        """Make a new version with this one's content; what is current now stays in the history."""
        return self.repeatable(request, lambda: restore(request.actor, node_id, version_id))
