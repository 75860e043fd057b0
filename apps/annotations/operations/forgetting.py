"""Forgetting what belonged to nodes that are gone and to people who have left, in the open transaction of the consumer."""

from collections.abc import Collection
from uuid import UUID

from apps.annotations.models import Comment, Description, Favourite, FieldValue, NodeTag, Recent


def forget_nodes(node_ids: Collection[UUID]) -> None:
    """Drop all annotations of nodes that are deleted permanently."""
    if not node_ids:
        return
    for model in (Favourite, Recent, NodeTag, Comment, Description, FieldValue):
        model.objects.filter(node_id__in=node_ids).delete()


def forget_people(user_ids: Collection[UUID]) -> None:
    """Drop what people had for themselves who are no members any more."""
    if not user_ids:
        return
    for model in (Favourite, Recent):
        model.objects.filter(user_id__in=user_ids).delete()
