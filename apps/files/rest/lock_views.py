"""Views of locks: parse → door → render."""

from uuid import UUID

from rest_framework.response import Response

from apps.files import api, errors
from apps.files.dtos import Node
from apps.files.rest import schemas
from apps.files.rest.marking import mark
from bitvault.events.api import answer_with_head
from bitvault.kernel import db
from bitvault.kernel.request import current_origin
from bitvault.web import etags
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class NodeLock(View):
    """The lock of a file: until it ends, its holder alone changes the file."""

    @operation(
        body=schemas.LockNode,
        answer=Node,
        problems=(errors.NotAFile, errors.NodeLocked, errors.BadLockEnd, errors.TooManyLocks),
    )
    def put(self, request: ActorRequest, node_id: UUID) -> Response:
        """Lock a file, or prolong one's lock. Others get `423` wherever they would change it or take a folder around it away."""
        body = request.body_as(schemas.LockNode)
        node = api.lock_node(
            actor=request.actor,
            node_id=node_id,
            reason=body.reason,
            expires_at=body.expires_at,
            device=current_origin().device_name or ("web" if request.actor.session_id else "API"),
        )
        if db.latest_seq.get() is None:
            answer_with_head()  # it was locked so before, and that has its number too
        return Response(mark(request.actor, node), headers={"ETag": etags.etag_of(node.revision)})

    @operation(query=schemas.UnlockNode, status=204, problems=(errors.NodeLocked,))
    def delete(self, request: ActorRequest, node_id: UUID) -> Response:
        """End one's lock, or with `force` anybody's, for who manages the file. A file that is not locked stays so."""
        query = request.query_as(schemas.UnlockNode)
        if api.unlock_node(actor=request.actor, node_id=node_id, force=query.force) is None:
            answer_with_head()
        return Response(status=204)
