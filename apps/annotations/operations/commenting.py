"""Comments: writing, replying, changing, resolving and deleting them. The node is judged first, by Files; then one transaction writes."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db.models import Q

from apps.annotations import dtos, errors
from apps.annotations.models import Comment
from apps.annotations.operations.writing import read_text
from apps.annotations.queries import comments as queries
from apps.files import api as files
from apps.files.dtos import Node
from bitvault.events.api import publish
from bitvault.events.catalog.annotations import (
    CommentAdded,
    CommentAnswered,
    CommentChanged,
    CommentDeleted,
    PersonMentioned,
)
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import CapabilityName
from bitvault.kernel.errors import Forbidden, NotFound

TEXT_LIMIT = 4_000
"""Characters of a comment: longer ones are documents."""

MENTIONS_LIMIT = 20
"""People whom one comment names: each is told."""

NODE_LIMIT = 5_000
"""Comments on one node."""

THREAD_LIMIT = 200
"""Replies of one thread: a page of threads reads all of them."""


def require(actor: Actor, node_id: UUID, capability: CapabilityName) -> Node:
    """Judge what an actor may do with a live node.

    :raises NotFound: there is none that the actor may know of.
    :raises Forbidden: the actor lacks the capability there.
    """
    node = files.get_node(actor=actor, node_id=node_id)
    if capability not in node.capabilities:
        raise Forbidden("This needs the capability %(capability)s.", capability=capability)
    return node


def add(
    *, actor: Actor, node_id: UUID, text: str, reply_to_id: UUID | None, mentions: Collection[UUID]
) -> dtos.Comment:
    """Write a comment on a node, or a reply in a thread of it; a reply to a reply stands in the same thread.

    :raises NotFound: the actor knows of no such node, or it has no such comment.
    :raises Forbidden: the actor may not comment there.
    :raises CommentUnfit, UnknownPerson, TooManyComments: it is refused.
    """
    node = require(actor, node_id, "comment")
    text = _parse(text)
    mentioned = _require_people(actor, mentions)
    people = queries.name_people(actor, [actor.user_id, *mentioned])
    with db.write_transaction() as tx:
        thread = None if reply_to_id is None else _hold_thread(node.id, reply_to_id)
        rows = Comment.objects.filter(node_id=node.id) if thread is None else Comment.objects.filter(thread=thread)
        limit = NODE_LIMIT if thread is None else THREAD_LIMIT
        if rows.count() >= limit:
            raise errors.TooManyComments(limit=limit)
        row = Comment.objects.create(
            id=ids.new_id(),
            node_id=node.id,
            thread=thread,
            author_id=actor.user_id,
            text=text,
            mentioned_ids=mentioned,
            created_at=clock.now(),
        )
        told = {actor.user_id, *mentioned}
        _tell_mentioned(actor, row, mentioned)
        if thread is not None:
            told |= _tell_thread(actor, row, thread, told)
        publish(CommentAdded(**_named(actor, row), owner_id=None if node.created_by in told else node.created_by))
        return tx.answer(queries.to_comment(row, people))


def change(
    *,
    actor: Actor,
    comment_id: UUID,
    text: str | None,
    mentions: Collection[UUID] | None,
    resolved: bool | None,
) -> dtos.Comment:
    """Give a comment of one's own another text, resolve a thread, or open it again. What holds already changes nothing.

    :raises NotFound: the actor knows of no such comment.
    :raises Forbidden: the actor may not comment there, or the text is somebody else's.
    :raises CommentUnfit, UnknownPerson, NotAThread: it is refused.
    """
    found = _get(actor, comment_id)
    require(actor, found.node_id, "comment")
    if (text is not None or mentions is not None) and found.author_id != actor.user_id:
        raise errors.CommentOfAnother
    if resolved is not None and found.thread_id is not None:
        raise errors.NotAThread
    wanted = None if text is None else _parse(text)
    mentioned = None if mentions is None else _require_people(actor, mentions)
    people = queries.name_people(actor, [actor.user_id, *queries.people_of(found), *(mentioned or ())])
    with db.write_transaction() as tx:
        row = _hold(comment_id)
        before = row.text, list(row.mentioned_ids), row.resolved_at is not None
        new = [one for one in mentioned or () if one not in row.mentioned_ids]
        row.mentioned_ids = row.mentioned_ids if mentioned is None else mentioned
        if wanted is not None and wanted != row.text:
            row.text, row.edited_at = wanted, clock.now()
        if resolved is not None and resolved is not before[2]:
            row.resolved_at = clock.now() if resolved else None
            row.resolved_by = actor.user_id if resolved else None
        if before != (row.text, list(row.mentioned_ids), row.resolved_at is not None):
            row.save()
            publish(CommentChanged(**_named(actor, row), is_resolved=row.resolved_at is not None))
            _tell_mentioned(actor, row, new)
        return tx.answer(queries.to_comment(row, people))


def delete(*, actor: Actor, comment_id: UUID) -> None:
    """Delete a comment of one's own while one views the node, or anybody's where one manages it; a thread goes with its replies.

    :raises NotFound: the actor knows of no such comment.
    :raises Forbidden: it is somebody else's, and the actor does not manage the node.
    """
    found = _get(actor, comment_id)
    if found.author_id != actor.user_id:
        require(actor, found.node_id, "manage")
    with db.write_transaction():
        count, _ = Comment.objects.filter(pk=comment_id).delete()
        if count:
            publish(CommentDeleted(**_named(actor, found)))


def _named(actor: Actor, row: Comment) -> dict[str, Any]:
    """Give what every event of a comment tells."""
    return {
        "actor_id": actor.user_id,
        "comment_id": row.id,
        "node_id": row.node_id,
        "thread_id": row.thread_id,
    }


def _tell_mentioned(actor: Actor, row: Comment, user_ids: Collection[UUID]) -> None:
    for user_id in user_ids:
        if user_id != actor.user_id:
            publish(PersonMentioned(**_named(actor, row), user_id=user_id))


def _tell_thread(actor: Actor, row: Comment, thread: Comment, told: Collection[UUID]) -> set[UUID]:
    """Tell those who wrote in a thread before and hear of the reply by nothing else; returns who that is."""
    rows = Comment.objects.filter(Q(pk=thread.pk) | Q(thread=thread))
    authors = set(rows.values_list("author_id", flat=True).distinct()) - set(told)
    for user_id in sorted(authors):
        publish(CommentAnswered(**_named(actor, row), user_id=user_id, is_starter=user_id == thread.author_id))
    return authors


def _get(actor: Actor, comment_id: UUID) -> Comment:
    """Read a comment on a node that the actor may view."""
    with db.read_transaction():
        row = Comment.objects.filter(pk=comment_id).first()
    if row is None:
        raise NotFound
    node = files.get_node(actor=actor, node_id=row.node_id)
    if "view" not in node.capabilities:
        raise NotFound
    return row


def _hold_thread(node_id: UUID, comment_id: UUID) -> Comment:
    """Find and hold the top of the thread that a comment of a node stands in, inside the open transaction."""
    row = Comment.objects.filter(node_id=node_id, pk=comment_id).first()
    if row is None:
        raise NotFound
    return _hold(row.thread_id or row.id)


def _hold(comment_id: UUID) -> Comment:
    """Hold a comment's row, inside the open transaction.

    :raises NotFound: it is gone.
    """
    row = Comment.objects.select_for_update().filter(pk=comment_id).first()
    if row is None:
        raise NotFound
    return row


def _parse(text: str) -> str:
    """Read the text of a comment.

    :raises CommentUnfit: it is empty, too long, or holds control characters.
    """
    read = read_text(text, limit=TEXT_LIMIT)
    if read is None:
        raise errors.CommentUnfit(limit=TEXT_LIMIT)
    return read


def _require_people(actor: Actor, user_ids: Collection[UUID]) -> list[UUID]:
    """Refuse to name somebody who is no member; each is named once.

    :raises UnknownPerson: one of them is none, or they are too many.
    """
    wanted = list(dict.fromkeys(user_ids))
    if len(wanted) > MENTIONS_LIMIT:
        raise errors.UnknownPerson(limit=MENTIONS_LIMIT)
    known = queries.name_people(actor, wanted)
    if any(one not in known for one in wanted):
        raise errors.UnknownPerson(limit=MENTIONS_LIMIT)
    return wanted
