"""With whom the nodes of a list are shared, in short: the same few statements however many nodes and shares there are."""

from collections.abc import Collection
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg, BoolOr
from django.db.models import Count, F, Q

from apps.files import api as files
from apps.sharing import dtos, queries
from apps.sharing.models import PrincipalKind
from bitvault.kernel import db
from bitvault.kernel.actor import Actor

NAMED = 3
"""Names of one badge: what a tooltip shows before "and 4 others"."""


def list_badges(actor: Actor, node_ids: Collection[UUID]) -> list[dtos.Badge]:
    """Tell with whom nodes are shared that the actor may know of; those that stand on folders above are not told for each."""
    known = [node.id for node in files.list_nodes(actor=actor, node_ids=node_ids)]
    if not known:
        return []
    with db.read_transaction():
        rows = list(
            queries.holding()
            .filter(node_id__in=known)
            .exclude(principal_kind=PrincipalKind.LINK)
            .values("node_id")
            .annotate(
                count=Count("id"),
                first=ArrayAgg(
                    F("principal_id"), order_by="granted_at", filter=~Q(principal_kind=PrincipalKind.EVERYONE)
                ),
                everyone=BoolOr(Q(principal_kind=PrincipalKind.EVERYONE)),
            )
        )
    wanted = {one for row in rows for one in (row["first"] or [])[:NAMED]}
    named = queries.name_principals(actor.tenant, wanted) if wanted else {}
    return [
        dtos.Badge(
            node_id=row["node_id"],
            count=row["count"],
            names=[named[one] for one in (row["first"] or [])[:NAMED] if one in named],
            with_everyone=bool(row["everyone"]),
        )
        for row in rows
    ]
