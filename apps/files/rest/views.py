"""Views of nodes, folders and the trash: parse → door → render."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from uuid import UUID

import msgspec
from rest_framework.response import Response

from apps.files import api, errors
from apps.files.dtos import AppliedPage, Children, Node, NodeRef, Path, RestoredNode, RestoreOutcome, TrashedNode
from apps.files.rest import schemas
from apps.files.rest.marking import mark, mark_children, mark_path
from bitvault.events.api import answer_with_head
from bitvault.kernel import db
from bitvault.kernel.errors import NotFound, PreconditionRequired
from bitvault.kernel.pages import BadCursor, Page
from bitvault.web import etags
from bitvault.web.operations import operation
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View

_PLACE = (
    errors.NameTaken,
    errors.NotAFolder,
    errors.TooDeep,
    errors.PathTooLong,
    errors.TooManyChildren,
    errors.InvalidName,
)


class NodeDetail(View):
    """One node."""

    @operation(answer=Node)
    def get(self, request: ActorRequest, node_id: NodeRef) -> Response:
        """Read a node; `304` when `If-None-Match` names its present revision. `tags` and `favourite` do not change the revision."""
        node = api.get_node(actor=request.actor, node_id=node_id)
        if etags.is_fresh(request, node.revision):
            return Response(status=304, headers={"ETag": etags.etag_of(node.revision)})
        return Response(mark(request.actor, node), headers={"ETag": etags.etag_of(node.revision)})

    @operation(
        body=schemas.UpdateNode,
        answer=Node,
        problems=(
            *_PLACE,
            errors.MoveCycle,
            errors.RevisionMismatch,
            PreconditionRequired,
            errors.RootFixed,
            errors.NodeLocked,
            errors.NothingToChange,
            *errors.NOT_LET_IN,
        ),
    )
    def patch(self, request: ActorRequest, node_id: NodeRef) -> Response:
        """Rename a node, move it, or say when a device changed it; needs ``If-Match``."""
        body = request.body_as(schemas.UpdateNode)
        node = api.update_node(
            actor=request.actor,
            node_id=node_id,
            name=body.name,
            parent_id=body.parent_id,
            autorename=body.autorename,
            client_modified_at=body.client_modified_at,
            expected_revision=etags.read_if_match(request),
        )
        return Response(mark(request.actor, node), headers={"ETag": etags.etag_of(node.revision)})

    @operation(status=204, problems=(errors.RevisionMismatch, errors.RootFixed, errors.NodeLocked))
    def delete(self, request: ActorRequest, node_id: NodeRef) -> Response:
        """Put a node, with all below it, into the trash; ``If-Match`` is honoured: then no edit goes that was not seen."""
        expected = etags.read_if_match(request)
        api.trash_node(actor=request.actor, node_id=node_id, expected_revision="any" if expected is None else expected)
        return Response(status=204)


class NodeChildren(View):
    """What lies in a folder."""

    @operation(query=schemas.ListChildren, answer=Children, problems=(errors.NotAFolder, BadCursor))
    def get(self, request: ActorRequest, node_id: NodeRef) -> Response:
        """Read a page of a folder, folders first."""
        query = request.query_as(schemas.ListChildren)
        actor = request.actor
        read = partial(api.list_children, actor=actor, node_id=node_id, sort=query.sort, order=query.order)
        return self.paginate(lambda **page: mark_children(actor, read(**page)))


class NodeChildrenBatch(View):
    """One operation for what lies in a folder."""

    @operation(body=schemas.ApplyToChildren, answer=AppliedPage, problems=(errors.NotAFolder, BadCursor))
    def post(self, request: ActorRequest, node_id: NodeRef) -> Response:
        """Trash or move all children of a folder apart from some, page by page: send it again with ``next_cursor`` until there is none."""
        body = request.body_as(schemas.ApplyToChildren)
        return Response(
            api.apply_to_children(
                actor=request.actor,
                node_id=node_id,
                action=body.action,
                parent_id=body.parent_id,
                except_ids=body.except_ids,
                only_ids=body.only_ids,
                cursor=body.cursor,
            )
        )


class NodePath(View):
    """The way to a node."""

    @operation(answer=Path)
    def get(self, request: ActorRequest, node_id: NodeRef) -> Response:
        """Read the nodes from the root down to this one."""
        return Response(mark_path(request.actor, api.list_path(actor=request.actor, node_id=node_id)))


class NodeByPath(View):
    """A node by its path."""

    @operation(
        query=schemas.FindByPath,
        answer=Node,
        problems=(errors.InvalidPath, errors.InvalidName, errors.PathTooLong, errors.TooDeep),
    )
    def get(self, request: ActorRequest) -> Response:
        """Read the node at a path under a root: the caller's own, or the team folder `root_id`."""
        query = request.query_as(schemas.FindByPath)
        node = api.find_by_path(actor=request.actor, path=query.path, root_id=query.root_id or "root")
        return Response(mark(request.actor, node), headers={"ETag": etags.etag_of(node.revision)})


class Folders(View):
    """Making folders."""

    @operation(body=schemas.CreateFolder, answer=Node, status=201, problems=_PLACE, repeatable=True)
    def post(self, request: ActorRequest) -> Response:
        """Make a folder."""
        body = request.body_as(schemas.CreateFolder)
        return self.repeatable(
            request,
            lambda: api.create_folder(
                actor=request.actor, parent_id=body.parent_id, name=body.name, autorename=body.autorename
            ),
        )


class TrashList(View):
    """The trash of a root: the caller's own, or a team folder's."""

    @operation(query=schemas.ListTrash, answer=Page[TrashedNode], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """Read a page of the trash, latest first."""
        query = request.query_as(schemas.ListTrash)
        return self.paginate(partial(api.list_trash, actor=request.actor, root_id=query.root_id or "root"))

    @operation(query=schemas.EmptyTrash, status=204, problems=(errors.TrashKept,))
    def delete(self, request: ActorRequest) -> Response:
        """Delete all of it for ever, but for what a legal hold or a retention rule keeps: then 409 tells how much was deleted and kept."""
        query = request.query_as(schemas.EmptyTrash)
        api.empty_trash(actor=request.actor, root_id=query.root_id or "root")
        return Response(status=204)


class TrashDetail(View):
    """One thing in the trash."""

    @operation(status=204, problems=(errors.OnHold, errors.KeptByRule))
    def delete(self, request: ActorRequest, node_id: UUID) -> Response:
        """Delete it for ever, with all below it."""
        api.purge_node(actor=request.actor, node_id=node_id)
        return Response(status=204)


class TrashRestore(View):
    """The way back out of the trash."""

    @operation(
        body=schemas.RestoreNode,
        answer=RestoredNode,
        problems=(*_PLACE, errors.NodeLocked, NotFound, *errors.NOT_LET_IN),
        repeatable=True,
    )
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Take a node, with all below it, out of the trash; the answer says where to."""
        body = request.body_as(schemas.RestoreNode)
        return self.repeatable(
            request,
            lambda: api.restore_node(
                actor=request.actor,
                node_id=node_id,
                parent_id=body.parent_id,
                name=body.name,
                on_conflict=body.on_conflict,
            ),
            status=200,
        )


class Restored(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one node of a set: ``status`` and ``node``, or ``status`` and ``problem`` as a request of its own would have."""

    id: UUID
    status: int
    node: RestoredNode | None = None
    problem: Mapping[str, Any] | None = None


class RestoredSet(msgspec.Struct, frozen=True):
    """What became of each node of a set, in the order of the ids."""

    items: list[Restored]


class TrashRestoreMany(View):
    """The way back out of the trash for several at once."""

    @operation(body=schemas.RestoreNodes, answer=RestoredSet, problems=(errors.TooManyAtOnce,), idempotent=True)
    def post(self, request: ActorRequest) -> Response:
        """Take up to 1000 nodes out of the trash; their order changes nothing, and sent again it restores nothing twice."""
        body = request.body_as(schemas.RestoreNodes)
        outcomes = api.restore_nodes(actor=request.actor, node_ids=body.ids, on_conflict=body.on_conflict)
        if db.latest_seq.get() is None:
            answer_with_head()  # nothing was left to restore: it was done before, and that has its number too
        return Response(RestoredSet([_to_restored(outcome) for outcome in outcomes]))


def _to_restored(outcome: RestoreOutcome) -> Restored:
    return Restored(outcome.id, outcome.status, outcome.node, outcome.problem)
