"""Bringing an older version back: room is reserved, Files makes the new version, the room is charged. No bytes move.

A request that dies between the last two leaves a reservation that lapses, and the nightly recount charges what the version takes.
"""

from datetime import timedelta
from uuid import UUID

from django.http import HttpResponse

from apps.billing import api as billing
from apps.billing.errors import QuotaExceeded
from apps.files import api as files
from apps.files.api import roots
from apps.files.dtos import Node
from apps.files.errors import NotAFile, NothingToRestore
from bitvault.gateway.uploads import name_sender
from bitvault.kernel import clock, ids
from bitvault.kernel.actor import Actor
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

RESERVED_FOR = timedelta(minutes=5)
"""How long the room is kept: a request takes seconds."""


def restore(actor: Actor, node_id: UUID, version_id: UUID) -> Node:
    """Make the content of an older version the current one, as a new version."""
    version = files.get_version(actor=actor, node_id=node_id, version_id=version_id)
    restore_id = ids.new_id()
    root_id = roots.find_root_id(node_id=node_id) if billing.has_limited_roots() else None
    billing.reserve(
        actor=actor,
        upload_id=restore_id,
        size_bytes=version.size_bytes,
        expires_at=clock.now() + RESERVED_FOR,
        root_id=root_id,
    )
    try:
        node = files.restore_version(
            actor=actor, node_id=node_id, version_id=version_id, restore_id=restore_id, made_on=name_sender(actor)
        )
    except Exception:
        billing.release(upload_id=restore_id)
        raise
    billing.settle(upload_id=restore_id, size_bytes=version.size_bytes)
    return node


class VersionRestore(View):
    """The way back to an older version."""

    @operation(answer=Node, status=201, problems=(NotAFile, NothingToRestore, QuotaExceeded), repeatable=True)
    def post(self, request: ActorRequest, node_id: UUID, version_id: UUID) -> HttpResponse:
        """Make a new version with this one's content; what is current now stays in the history."""
        return self.repeatable(request, lambda: restore(request.actor, node_id, version_id))
