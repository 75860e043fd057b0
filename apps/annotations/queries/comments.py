"""Threads of comments on a node, each with its replies."""

from collections.abc import Collection, Mapping
from uuid import UUID

from django.db.models import Count

from apps.annotations import dtos
from apps.annotations.models import Comment
from apps.identity import api as identity
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.pages import Page


def list_threads(actor: Actor, node_id: UUID, *, limit: int, cursor: str | None) -> Page[dtos.Comment]:
    """Read a page of a node's threads, latest first, the replies of each from the oldest on. Whoever calls has judged the right."""
    pages.require_limit(limit)
    purpose = f"annotations.comments:{node_id.hex}"
    with db.read_transaction():
        rows = Comment.objects.filter(node_id=node_id, thread=None).order_by("-id")
        if cursor is not None:
            rows = rows.filter(id__lt=UUID(pages.decode_cursor(purpose, cursor)[0]))
        found = list(rows[: limit + 1])
        tops = found[:limit]
        replies = list(Comment.objects.filter(thread__in=tops).order_by("id")) if tops else []
    next_cursor = pages.encode_cursor(purpose, [tops[-1].id.hex]) if len(found) > limit else None
    return Page(_to_threads(actor, tops, replies), next_cursor)


def count_open(node_ids: Collection[UUID]) -> dict[UUID, int]:
    """Count the threads of nodes that are not resolved; a node without any is left out."""
    if not node_ids:
        return {}
    rows = Comment.objects.filter(node_id__in=node_ids, thread=None, resolved_at=None)
    with db.read_transaction():
        return dict(rows.values("node_id").annotate(count=Count("id")).values_list("node_id", "count"))


def _to_threads(actor: Actor, tops: Collection[Comment], replies: Collection[Comment]) -> list[dtos.Comment]:
    people = name_people(actor, [one for row in (*tops, *replies) for one in people_of(row)])
    below: dict[UUID | None, list[dtos.Comment]] = {}
    for row in replies:
        below.setdefault(row.thread_id, []).append(to_comment(row, people))
    return [to_comment(row, people, below.get(row.id, ())) for row in tops]


def people_of(row: Comment) -> list[UUID]:
    """Give whom a comment names: its author, who has resolved it, and who is mentioned."""
    return [one for one in (row.author_id, row.resolved_by, *row.mentioned_ids) if one is not None]


def name_people(actor: Actor, user_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Name those of some people who are members of the actor's tenant."""
    return identity.name_people(tenant=actor.tenant, user_ids=set(user_ids)) if user_ids else {}


def to_comment(row: Comment, people: Mapping[UUID, str], replies: Collection[dtos.Comment] = ()) -> dtos.Comment:
    """Give a comment as it passes through the door."""

    def person(user_id: UUID) -> dtos.CommentPerson:
        return dtos.CommentPerson(user_id, people.get(user_id, ""))

    return dtos.Comment(
        id=row.id,
        node_id=row.node_id,
        reply_to_id=row.thread_id,
        author=person(row.author_id),
        text=row.text,
        mentions=[person(one) for one in row.mentioned_ids],
        created_at=row.created_at,
        edited_at=row.edited_at,
        resolved_at=row.resolved_at,
        resolved_by=person(row.resolved_by) if row.resolved_by is not None else None,
        replies=list(replies),
    )
