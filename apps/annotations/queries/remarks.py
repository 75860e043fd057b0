"""Comments and descriptions together, as a derivation needs them: what is written on a node."""

from collections.abc import Collection, Mapping
from uuid import UUID

from apps.annotations import dtos
from apps.annotations.models import Comment, Description
from bitvault.events.api import get_head
from bitvault.kernel import db


def find_texts(remark_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Find the texts of comments by their ids, and of descriptions by their folders', by two statements; what is gone is left out."""
    if not remark_ids:
        return {}
    with db.read_transaction():
        comments = dict(Comment.objects.filter(pk__in=remark_ids).values_list("pk", "text"))
        described = Description.objects.filter(pk__in=remark_ids).exclude(text="")
        return {**comments, **dict(described.values_list("pk", "text"))}


def list_comment_rows(*, after: UUID | None, limit: int) -> dtos.Remarks:
    """Read a page of all comments in the order of their ids."""
    rows = Comment.objects.all() if after is None else Comment.objects.filter(pk__gt=after)
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        found = list(rows.order_by("pk").values_list("pk", "node_id", "thread_id", "text")[:limit])
    return dtos.Remarks([dtos.Remark(*row) for row in found], as_of_seq)


def list_description_rows(*, after: UUID | None, limit: int) -> dtos.Remarks:
    """Read a page of all descriptions in the order of their folders' ids."""
    rows = Description.objects.exclude(text="")
    rows = rows if after is None else rows.filter(pk__gt=after)
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        found = list(rows.order_by("pk").values_list("pk", "text")[:limit])
    return dtos.Remarks([dtos.Remark(node_id, node_id, None, text) for node_id, text in found], as_of_seq)
