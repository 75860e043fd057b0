"""What holds and rules there are, what they cover, and which cover a node."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count

from apps.files import access
from apps.files.dtos import retention as dtos
from apps.files.retention_models import Retained, RetentionPolicy, RetentionTarget
from apps.files.rows import NodeRow, Way, fetch_page, find_way, find_ways, require_row
from apps.files.sql.pages import FIRST_ID
from apps.files.sql.retention import HELD, OF_NODE
from apps.identity import api as identity
from bitvault.events.api import get_head
from bitvault.kernel import db, pages
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.pages import Page
from bitvault.kernel.permissions import Permission


def list_policies(actor: Actor, *, lifted: bool, limit: int, cursor: str | None) -> Page[dtos.RetentionPolicy]:
    """Read a page of the policies in force, or of those that have been lifted, newest first."""
    pages.require_limit(limit)
    purpose = f"files.retention:{lifted}"
    with db.read_transaction():
        found = RetentionPolicy.objects.filter(lifted_at__isnull=not lifted).order_by("-id")
        if cursor is not None:
            found = found.filter(id__lt=UUID(pages.decode_cursor(purpose, cursor)[0]))
        rows = list(found[: limit + 1])
    next_cursor = pages.encode_cursor(purpose, [str(rows[limit - 1].id)]) if len(rows) > limit else None
    return Page(describe(actor, rows[:limit]), next_cursor)


def get_policy(actor: Actor, policy_id: UUID) -> dtos.RetentionPolicy:
    """Read one.

    :raises NotFound: there is none.
    """
    with db.read_transaction():
        row = require_row(RetentionPolicy.objects.filter(id=policy_id).first())
    return describe(actor, [row])[0]


def describe(actor: Actor, rows: Sequence[RetentionPolicy]) -> list[dtos.RetentionPolicy]:
    """Make the DTOs of policies, with the names of what they are about; outside of any transaction."""
    policy_ids = [row.id for row in rows]
    with db.read_transaction():
        counted = Retained.objects.filter(policy_id__in=policy_ids).values("policy_id").annotate(count=Count("node_id"))
        counts = {one["policy_id"]: one["count"] for one in counted.order_by()}
        ways = find_ways(row.node_id for row in rows if row.target == RetentionTarget.FOLDER)
    people = _name_people(actor, rows)
    return [
        to_policy(row, people, show(actor, ways.get(row.node_id) if row.node_id else None)[1], counts.get(row.id, 0))
        for row in rows
    ]


def _name_people(actor: Actor, rows: Iterable[RetentionPolicy]) -> Mapping[UUID, str]:
    wanted = {one for row in rows for one in (row.user_id, row.made_by, row.lifted_by) if one is not None}
    return identity.name_people(tenant=actor.tenant, user_ids=wanted) if wanted else {}


def to_policy(row: RetentionPolicy, people: Mapping[UUID, str], path: str, named_count: int) -> dtos.RetentionPolicy:
    """Make the DTO of a policy; ``path`` is that of its folder, as far as the reader sees it."""
    target_name = {"person": people.get(row.user_id, "") if row.user_id else "", "folder": path, "tag": row.tag_name}
    return dtos.RetentionPolicy(
        id=row.id,
        kind=row.kind,  # type: ignore[arg-type] # no other is stored
        state="lifted" if row.lifted_at else "active" if row.covered_at else "applying",
        name=row.name,
        reason=row.reason,
        target=row.target,  # type: ignore[arg-type] # no other is stored
        target_name=target_name.get(row.target, ""),
        node_id=row.node_id if row.target == RetentionTarget.FOLDER else None,
        user_id=row.user_id,
        tag_id=row.tag_id,
        keep_days=row.keep_days,
        delete_after_days=row.delete_after_days,
        tells_owner=row.tells_owner,
        named_count=named_count,
        made_by=row.made_by,
        made_by_name=people.get(row.made_by, ""),
        made_at=row.made_at,
        lifted_by=row.lifted_by,
        lifted_by_name=people.get(row.lifted_by, "") if row.lifted_by else "",
        lifted_at=row.lifted_at,
    )


def list_nodes(actor: Actor, policy_id: UUID, *, limit: int, cursor: str | None) -> Page[dtos.RetainedNode]:
    """Read a page of the nodes that a policy names, by their ids.

    :raises NotFound: there is no such policy.
    """
    pages.require_limit(limit)
    purpose = f"files.retained:{policy_id}"
    with db.read_transaction():
        require_row(RetentionPolicy.objects.filter(id=policy_id).first())
        found = Retained.objects.filter(policy_id=policy_id).order_by("node_id")
        if cursor is not None:
            found = found.filter(node_id__gt=UUID(pages.decode_cursor(purpose, cursor)[0]))
        rows = list(found[: limit + 1])
        ways = find_ways(row.node_id for row in rows[:limit])
    items = []
    for row in rows[:limit]:
        name, path = show(actor, ways.get(row.node_id))
        items.append(
            dtos.RetainedNode(
                node_id=row.node_id,
                by=row.by,  # type: ignore[arg-type] # no other is stored
                since=row.since,
                left_at=row.left_at,
                name=name,
                path=path,
            )
        )
    next_cursor = pages.encode_cursor(purpose, [str(rows[limit - 1].node_id)]) if len(rows) > limit else None
    return Page(items, next_cursor)


def show(actor: Actor, way: Way | None) -> tuple[str, str]:
    """Name a live node that the actor may view and say where it lies; nothing of any other."""
    if way is None or not access.find_mask(actor, way) & Capability.VIEW:
        return "", ""
    names = [row.name for row, _ in access.list_visible(actor, way)]
    return way.node.name, "/".join(names)


def list_of_node(actor: Actor, node_id: UUID) -> list[dtos.Retention]:
    """List what covers a live node, holds first.

    :raises NotFound: the actor may not know of it.
    """
    with db.read_transaction():
        way = access.require(actor, find_way(node_id, actor), Capability.VIEW)
        rows = fetch_page(OF_NODE, {"ids": [row.id for row in way.rows]})
    return [_to_retention(actor, way.node, *row) for row in rows]


def _to_retention(
    actor: Actor,
    node: NodeRow,
    policy_id: UUID,
    kind: dtos.RetentionKind,
    name: str,
    keep_days: int | None,
    delete_after_days: int | None,
    deletes: bool,  # noqa: FBT001 - a column of the statement
) -> dtos.Retention:
    return dtos.Retention(
        policy_id=policy_id,
        kind=kind,
        name=name if kind == "rule" or actor.may(Permission.MANAGE_RETENTION) else "",
        keep_days=keep_days,
        delete_after_days=delete_after_days if deletes else None,
        kept_until=_later(node, keep_days),
        deleted_at=_later(node, delete_after_days if deletes else None),
    )


def _later(node: NodeRow, days: int | None) -> datetime | None:
    return None if days is None or node.is_folder else node.modified_at + timedelta(days=days)


def is_any_hold() -> bool:
    """Tell whether anything in the entered tenant is on legal hold."""
    with db.read_transaction():
        return RetentionPolicy.objects.filter(kind="hold", lifted_at=None).exists()


def list_hold_rows() -> dtos.HoldRows:
    """List the legal holds in force."""
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        rows = list(RetentionPolicy.objects.filter(kind="hold", lifted_at=None).order_by("id"))
    items = [
        dtos.HoldRow(policy_id=row.id, tag_id=row.tag_id, is_of_vault=row.target == RetentionTarget.VAULT)
        for row in rows
    ]
    return dtos.HoldRows(items=items, as_of_seq=as_of_seq)


def list_held_rows(*, after: UUID | None, limit: int) -> dtos.HeldRows:
    """Read the nodes that holds in force name, in the order of their ids."""
    with db.read_transaction(frozen=True):
        as_of_seq = get_head()
        rows = fetch_page(HELD, {"after": after or FIRST_ID, "limit": limit})
    items = [dtos.HeldRow(node_id=node_id, policy_ids=policy_ids) for node_id, policy_ids in rows]
    return dtos.HeldRows(items=items, as_of_seq=as_of_seq)
