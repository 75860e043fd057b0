"""The door of annotations: favourites, what somebody worked with last, tags, comments, and the marks of a list.

Rights on nodes are Files' to judge, with those that the actor carries: a node that they may not know of is not found.
"""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from apps.annotations import dtos
from apps.annotations.errors import TooManyNodes
from apps.annotations.operations import commenting, favourites, tagging
from apps.annotations.queries import comments, lists, tags
from bitvault.kernel.actor import Actor, Scope
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT, Page

__all__ = [
    "add_comment",
    "create_tag",
    "delete_comment",
    "delete_tag",
    "find_marks",
    "get_tag",
    "list_comments",
    "list_favourite_ids",
    "list_favourites",
    "list_marks",
    "list_recents",
    "list_tagged",
    "list_tagged_rows",
    "list_tags",
    "mark_favourite",
    "tag_node",
    "unmark_favourite",
    "untag_node",
    "update_comment",
    "update_tag",
]


@exposed
def mark_favourite(*, actor: Actor, node_id: UUID) -> None:
    """Make a node a favourite of the actor. Repeatable.

    :raises NotFound: there is no such node that the actor may know of.
    :raises TooManyFavourites: the actor has as many as one can have.
    """
    actor.require_scope(Scope.FILES_READ)
    favourites.mark(actor, node_id)


@exposed
def unmark_favourite(*, actor: Actor, node_id: UUID) -> None:
    """Let a node be no favourite of the actor any more, whether or not they still see it. Repeatable while they see it.

    :raises NotFound: it is none of theirs, and they may not know of it.
    """
    actor.require_scope(Scope.FILES_READ)
    favourites.unmark(actor, node_id)


@exposed
def list_favourite_ids(*, actor: Actor) -> frozenset[UUID]:
    """List the nodes that are favourites of the actor, seen or not: some thousands at most, for lists that are narrowed to them."""
    actor.require_scope(Scope.FILES_READ)
    return lists.list_favourite_ids(actor)


@exposed
def list_favourites(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[dtos.Favourite]:
    """List the actor's favourites that they see now, latest first.

    A page may hold fewer than ``limit``, or nothing, although ``next_cursor`` says that more follow.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return lists.list_favourites(actor, limit=limit, cursor=cursor)


@exposed
def list_recents(*, actor: Actor, limit: int = PAGE_DEFAULT, cursor: str | None = None) -> Page[dtos.Recent]:
    """List the files that the actor added, changed, renamed or downloaded and sees now, last first; pages as of ``list_favourites``.

    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return lists.list_recents(actor, limit=limit, cursor=cursor)


@exposed
def list_marks(*, actor: Actor, node_ids: Sequence[UUID]) -> list[dtos.Marks]:
    """Tell what a list shows on some nodes; those that the actor may not see, and those without any mark, are left out.

    :raises TooManyNodes: more than a hundred are named.
    """
    actor.require_scope(Scope.FILES_READ)
    if len(node_ids) > dtos.NODES_LIMIT:
        raise TooManyNodes(limit=dtos.NODES_LIMIT)
    return lists.list_marks(actor, node_ids)


@exposed
def find_marks(*, actor: Actor, node_ids: Collection[UUID]) -> Mapping[UUID, dtos.Marks]:
    """Tell favourites and tags of nodes that the caller has judged already; those without any are left out. One statement."""
    return lists.find_marks(actor, node_ids)


# --- tags ------------------------------------------------------------------------------------------------------------------


@exposed
def list_tags(*, actor: Actor) -> list[dtos.NodeLabel]:
    """List all tags of the tenant by name: a few hundred at most. Guests learn the tags of what they see alone, and so get none here."""
    actor.require_scope(Scope.FILES_READ)
    return [] if actor.is_guest else tags.list_all()


@exposed
def get_tag(*, actor: Actor, tag_id: UUID) -> dtos.NodeLabel:
    """Read one tag.

    :raises NotFound: there is none.
    """
    actor.require_scope(Scope.FILES_READ)
    return tags.get(tag_id)


@exposed
def create_tag(*, actor: Actor, name: str, colour: dtos.TagColour = "grey") -> dtos.NodeLabel:
    """Make a tag. Every member may, whose role is not viewer; guests may not.

    :raises TagUnfit: the name cannot be used.
    :raises TagNameTaken: there is one whose name differs in case or spelling at most.
    :raises TooManyTags: the tenant has as many as it can have.
    :raises TagsAreKept: the actor is a viewer or a guest.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return tagging.create(actor=actor, name=name, colour=colour)


@exposed
def update_tag(
    *, actor: Actor, tag_id: UUID, name: str | None = None, colour: dtos.TagColour | None = None
) -> dtos.NodeLabel:
    """Give a tag another name or colour, on every node that has it.

    :raises NotFound: there is none.
    :raises TagUnfit, TagNameTaken: as ``create_tag``.
    :raises PermissionMissing: the actor does not manage tags.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return tagging.change(actor=actor, tag_id=tag_id, name=name, colour=colour)


@exposed
def delete_tag(*, actor: Actor, tag_id: UUID) -> None:
    """Delete a tag, and take it from every node.

    :raises NotFound: there is none.
    :raises PermissionMissing: the actor does not manage tags.
    """
    actor.require_scope(Scope.FILES_WRITE)
    tagging.delete(actor=actor, tag_id=tag_id)


@exposed
def tag_node(*, actor: Actor, node_id: UUID, tag_id: UUID) -> None:
    """Put a tag on a node. Repeatable.

    :raises NotFound: there is no such node that the actor may know of, or no such tag.
    :raises Forbidden: the actor may not edit the node.
    :raises TooManyTags: the node has as many as one can have.
    """
    actor.require_scope(Scope.FILES_WRITE)
    tagging.put_on(actor=actor, node_id=node_id, tag_id=tag_id)


@exposed
def untag_node(*, actor: Actor, node_id: UUID, tag_id: UUID) -> None:
    """Take a tag from a node. Repeatable.

    :raises NotFound: there is no such node that the actor may know of, or no such tag.
    :raises Forbidden: the actor may not edit the node.
    """
    actor.require_scope(Scope.FILES_WRITE)
    tagging.take_from(actor=actor, node_id=node_id, tag_id=tag_id)


@exposed
def list_tagged(
    *, actor: Actor, tag_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[dtos.NotedNode]:
    """List the nodes with a tag that the actor sees now, latest tagged first; pages as of ``list_favourites``.

    :raises NotFound: there is no such tag.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    return tags.list_nodes(actor, tag_id, limit=limit, cursor=cursor)


@exposed
def list_tagged_rows(*, after: UUID | None = None, limit: int = PAGE_LIMIT) -> dtos.TaggedNodes:
    """Read which tags nodes of the entered tenant have, in the order of the nodes' ids, for a derivation that is made anew.

    Each page is exact at its own number, and pages are of different instants, as those of ``files.list_tree_rows``.
    """
    return tags.list_rows(after=after, limit=limit)


# --- comments --------------------------------------------------------------------------------------------------------------


@exposed
def list_comments(
    *, actor: Actor, node_id: UUID, limit: int = PAGE_DEFAULT, cursor: str | None = None
) -> Page[dtos.Comment]:
    """List the threads of a node with their replies, latest thread first.

    :raises NotFound: there is no such node that the actor may know of.
    :raises Forbidden: the actor may not view it.
    :raises LimitOutOfRange: ``limit`` is not between 1 and 1000.
    :raises BadCursor: the cursor belongs to another list.
    """
    actor.require_scope(Scope.FILES_READ)
    node = commenting.require(actor, node_id, "view")
    return comments.list_threads(actor, node.id, limit=limit, cursor=cursor)


@exposed
def add_comment(
    *, actor: Actor, node_id: UUID, text: str, reply_to_id: UUID | None = None, mentions: Collection[UUID] = ()
) -> dtos.Comment:
    """Write a comment on a node, or a reply. Who is mentioned, who wrote in the thread before and the owner of the node are told.

    :raises NotFound: there is no such node that the actor may know of, or it has no such comment.
    :raises Forbidden: the actor may not comment there.
    :raises CommentUnfit: the text cannot be kept.
    :raises UnknownPerson: somebody who is named is no member, or they are too many.
    :raises TooManyComments: the node or the thread has as many as it can have.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return commenting.add(actor=actor, node_id=node_id, text=text, reply_to_id=reply_to_id, mentions=mentions)


@exposed
def update_comment(
    *,
    actor: Actor,
    comment_id: UUID,
    text: str | None = None,
    mentions: Collection[UUID] | None = None,
    resolved: bool | None = None,
) -> dtos.Comment:
    """Give a comment of one's own another text; resolve a thread or open it again, which everybody may who may comment.

    :raises NotFound: there is no such comment that the actor may know of.
    :raises Forbidden: the actor may not comment there.
    :raises CommentOfAnother: the text is somebody else's.
    :raises CommentUnfit, UnknownPerson: as ``add_comment``.
    :raises NotAThread: a reply is to be resolved.
    """
    actor.require_scope(Scope.FILES_WRITE)
    return commenting.change(actor=actor, comment_id=comment_id, text=text, mentions=mentions, resolved=resolved)


@exposed
def delete_comment(*, actor: Actor, comment_id: UUID) -> None:
    """Delete a comment of one's own while one views the node, or anybody's where one manages it; a thread goes with its replies.

    :raises NotFound: there is no such comment that the actor may know of.
    :raises Forbidden: it is somebody else's, and the actor does not manage the node.
    """
    actor.require_scope(Scope.FILES_WRITE)
    commenting.delete(actor=actor, comment_id=comment_id)
