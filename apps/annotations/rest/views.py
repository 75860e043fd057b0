"""Annotations' REST views: parse → door → render."""

from functools import partial
from uuid import UUID

from rest_framework.response import Response

from apps.annotations import api, errors
from apps.annotations.dtos import Comment, Favourite, MarksList, NodeLabel, NotedNode, Recent
from apps.annotations.rest import schemas
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import Invalid
from bitvault.kernel.pages import BadCursor, Page
from bitvault.kernel.permissions import Permission
from bitvault.web.operations import operation
from bitvault.web.pagination import PageQuery
from bitvault.web.permissions import HasPermission
from bitvault.web.requests import ActorRequest
from bitvault.web.views import View


class NodeFavourite(View):
    """Whether a node is a favourite of the caller."""

    publishes = False

    @operation(status=204, problems=(errors.TooManyFavourites,))
    def put(self, request: ActorRequest, node_id: UUID) -> Response:
        """Make it one; one that is stays so."""
        api.mark_favourite(actor=request.actor, node_id=node_id)
        return Response(status=204)

    @operation(status=204)
    def delete(self, request: ActorRequest, node_id: UUID) -> Response:
        """Let it be none any more, also where the caller does not see it any more."""
        api.unmark_favourite(actor=request.actor, node_id=node_id)
        return Response(status=204)


class Favourites(View):
    """What the caller wants at hand."""

    @operation(query=PageQuery, answer=Page[Favourite], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List what of it the caller sees now, latest first. A page may hold fewer than `limit` although more follow."""
        return self.paginate(partial(api.list_favourites, actor=request.actor))


class Recents(View):
    """What the caller worked with."""

    @operation(query=PageQuery, answer=Page[Recent], problems=(BadCursor,))
    def get(self, request: ActorRequest) -> Response:
        """List the files that the caller added, changed, renamed or downloaded and sees now, last first; pages as of favourites."""
        return self.paginate(partial(api.list_recents, actor=request.actor))


class Tags(View):
    """The tags of the tenant."""

    @operation(answer=Page[NodeLabel])
    def get(self, request: ActorRequest) -> Response:
        """List all of them by name, in one page."""
        return Response(Page(api.list_tags(actor=request.actor), None))

    @operation(
        body=schemas.CreateTag,
        answer=NodeLabel,
        status=201,
        problems=(errors.TagUnfit, errors.TagNameTaken, errors.TooManyTags, errors.TagsAreKept),
        repeatable=True,
    )
    def post(self, request: ActorRequest) -> Response:
        """Make one; every member may whose role is not viewer."""
        body = request.body_as(schemas.CreateTag)
        return self.repeatable(request, lambda: api.create_tag(actor=request.actor, name=body.name, colour=body.colour))


class TagDetail(View):
    """One tag."""

    permission_classes = [HasPermission.to(Permission.MANAGE_TAGS, read=Scope.FILES_READ, scope=Scope.FILES_WRITE)]

    @operation(
        body=schemas.ChangeTag,
        answer=NodeLabel,
        problems=(errors.TagUnfit, errors.TagNameTaken),
    )
    def patch(self, request: ActorRequest, tag_id: UUID) -> Response:
        """Give it another name or colour, on every node that has it."""
        body = request.body_as(schemas.ChangeTag)
        return Response(api.update_tag(actor=request.actor, tag_id=tag_id, name=body.name, colour=body.colour))

    @operation(status=204)
    def delete(self, request: ActorRequest, tag_id: UUID) -> Response:
        """Delete it, and take it from every node."""
        api.delete_tag(actor=request.actor, tag_id=tag_id)
        return Response(status=204)


class TaggedNodes(View):
    """The nodes with a tag."""

    @operation(query=PageQuery, answer=Page[NotedNode], problems=(BadCursor,))
    def get(self, request: ActorRequest, tag_id: UUID) -> Response:
        """List those that the caller sees now, latest tagged first; pages as of favourites."""
        return self.paginate(partial(api.list_tagged, actor=request.actor, tag_id=tag_id))


class NodeTagDetail(View):
    """A tag of a node."""

    @operation(status=204, problems=(errors.TooManyTags,))
    def put(self, request: ActorRequest, node_id: UUID, tag_id: UUID) -> Response:
        """Put the tag on the node; one that it has stays."""
        api.tag_node(actor=request.actor, node_id=node_id, tag_id=tag_id)
        return Response(status=204)

    @operation(status=204)
    def delete(self, request: ActorRequest, node_id: UUID, tag_id: UUID) -> Response:
        """Take the tag from the node; one that it has not changes nothing."""
        api.untag_node(actor=request.actor, node_id=node_id, tag_id=tag_id)
        return Response(status=204)


class NodeComments(View):
    """Comments on a node."""

    @operation(query=PageQuery, answer=Page[Comment], problems=(BadCursor,))
    def get(self, request: ActorRequest, node_id: UUID) -> Response:
        """List the threads with their replies, latest thread first."""
        return self.paginate(partial(api.list_comments, actor=request.actor, node_id=node_id))

    @operation(
        body=schemas.AddComment,
        answer=Comment,
        status=201,
        problems=(errors.CommentUnfit, errors.UnknownPerson, errors.TooManyComments),
        repeatable=True,
    )
    def post(self, request: ActorRequest, node_id: UUID) -> Response:
        """Write a comment, or a reply. Needs the capability `comment`.

        Who is mentioned, who wrote in the thread before and the owner of the node are told.
        """
        body = request.body_as(schemas.AddComment)
        return self.repeatable(
            request,
            lambda: api.add_comment(
                actor=request.actor,
                node_id=node_id,
                text=body.text,
                reply_to_id=body.reply_to_id,
                mentions=body.mentions,
            ),
        )


class CommentDetail(View):
    """One comment."""

    @operation(
        body=schemas.ChangeComment,
        answer=Comment,
        problems=(errors.CommentUnfit, errors.UnknownPerson, errors.CommentOfAnother, errors.NotAThread),
    )
    def patch(self, request: ActorRequest, comment_id: UUID) -> Response:
        """Change the text of one's own, resolve a thread (`resolved`), or open it again. Replies stay out of the answer."""
        body = request.body_as(schemas.ChangeComment)
        return Response(
            api.update_comment(
                actor=request.actor,
                comment_id=comment_id,
                text=body.text,
                mentions=body.mentions,
                resolved=body.resolved,
            )
        )

    @operation(status=204)
    def delete(self, request: ActorRequest, comment_id: UUID) -> Response:
        """Delete one's own, or anybody's where one manages the node; a thread goes with its replies."""
        api.delete_comment(actor=request.actor, comment_id=comment_id)
        return Response(status=204)


class MarksOfNodes(View):
    """What a list shows on nodes."""

    @operation(query=schemas.WhichNodes, answer=MarksList, problems=(errors.TooManyNodes, Invalid))
    def get(self, request: ActorRequest) -> Response:
        """Tell it of up to a hundred nodes; those that the caller may not see, and those without a mark, are left out."""
        ids = read_ids(request.query_as(schemas.WhichNodes).node_ids)
        return Response(MarksList(api.list_marks(actor=request.actor, node_ids=ids)))


def read_ids(text: str) -> list[UUID]:
    """Read ids that are parted by commas.

    :raises Invalid: one of them is none.
    """
    try:
        return list(dict.fromkeys(UUID(each) for each in text.split(",") if each))
    except ValueError:
        raise Invalid("`node_ids` takes ids, parted by commas.") from None
