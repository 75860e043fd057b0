"""Planning a rewind: what would change is written down, item by item, before anything does."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from apps.files import access, errors
from apps.files.dtos.history import RewindBy
from apps.files.models import Node, Rewind, RewindItem
from apps.files.past import Moment, find_standings, require_folder_then
from apps.files.past_models import RewindOutcome
from apps.files.placements import CONSUMER
from apps.files.rewinding import sql
from apps.files.rows import execute, fetch_all, fetch_one, find_way
from apps.files.tree import require_folder
from bitvault.events.api import get_head, get_position, wait_for
from bitvault.kernel import clock, db, ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.permissions import Permission

PLAN_SECONDS = 60
"""How long the statement may take that plans a rewind: it is one for 50,000 changes, and half a plan would be a wrong one."""

WAIT_MS = 2000
"""How long the record of what was is waited for."""


def wait_for_history() -> None:
    """Wait until the record has come to the head of the stream, outside of any transaction.

    :raises HistoryBehind: it does not in some seconds.
    """
    head = get_head()
    if wait_for(CONSUMER, head, wait_ms=WAIT_MS) < head:
        raise errors.HistoryBehind(retry_after_seconds=WAIT_MS // 1000)


def require_manager(actor: Actor, folder_id: UUID | None) -> None:
    """Refuse who may not rewind a folder, or, without one, all that they manage; inside the open transaction.

    :raises NotFound, Forbidden: the actor does not manage the folder.
    :raises PermissionMissing: without a folder, the actor does not manage the team folders.
    """
    if folder_id is not None:
        require_folder(access.require(actor, find_way(folder_id, actor), Capability.MANAGE))
    else:
        actor.require_permission(Permission.MANAGE_TEAM_FOLDERS)


def plan(
    actor: Actor,
    folder_id: UUID | None,
    *,
    since: Moment,
    until: Moment | None,
    by_kind: RewindBy,
    by_id: UUID | None,
    undoes_id: UUID | None = None,
) -> Rewind:
    """Write down what a rewind would do, inside the open write transaction; nothing is changed."""
    require_manager(actor, folder_id)
    if folder_id is not None and not by_kind:
        require_folder_then(folder_id, since)
    db.set_statement_timeout(seconds=PLAN_SECONDS)
    now, position = clock.now(), get_position(CONSUMER)
    rewind = Rewind.objects.create(
        id=ids.new_id(),
        folder_id=folder_id,
        undoes_id=undoes_id,
        since_seq=since.seq,
        since_at=since.at,
        until_seq=position if until is None else until.seq,
        until_at=now if until is None else until.at,
        by_kind=by_kind,
        by_id=by_id,
        requested_by=actor.user_id,
        planned_seq=position,
        created_at=now,
    )
    values = {
        "rewind_id": rewind.id,
        "tops": list(_list_tops(actor, folder_id)),
        "since": since.seq,
        "until": rewind.until_seq,
        "by_id": by_id,
    }
    found = execute(sql.plan_sql(by_kind), values)
    if folder_id is None:
        rewind.hidden_count = max(0, int(fetch_one(sql.count_sql(by_kind), values)[0]) - found)
    judge(actor, rewind.id)
    rewind.size_bytes = _pending(rewind.id).aggregate(size=Sum("size_bytes"))["size"] or 0
    rewind.save(update_fields=["hidden_count", "size_bytes"])
    return rewind


def _pending(rewind_id: UUID) -> QuerySet[RewindItem]:
    return RewindItem.objects.filter(rewind_id=rewind_id, outcome=RewindOutcome.PENDING)


def judge(actor: Actor, rewind_id: UUID) -> None:
    """Keep what the actor may not touch where it is now, or may not put where it was; inside the open write transaction."""
    parents = fetch_all(sql.PARENTS, {"rewind_id": rewind_id})
    trashed = fetch_all(sql.TRASHED, {"rewind_id": rewind_id})
    standings = find_standings(actor, {row[0] for row in (*parents, *trashed)})
    masks = {node_id: standing.mask for node_id, standing in standings.items()}

    def lacking(node_ids: Iterable[UUID], capability: Capability) -> list[UUID]:
        return [node_id for node_id in node_ids if not masks.get(node_id, 0) & capability]

    present = lacking((node_id for node_id, is_target in parents if not is_target), Capability.EDIT)
    tops = set(lacking((node_id for node_id, _ in trashed), Capability.EDIT))
    node_ids = [node_id for top_id, group in trashed if top_id in tops for node_id in group]
    _pending(rewind_id).filter(Q(parent_id__in=present) | Q(node_id__in=node_ids)).update(
        outcome=RewindOutcome.KEPT, reason="forbidden", path="", name="", to_name=""
    )
    targets = lacking((node_id for node_id, is_target in parents if is_target), Capability.ADD)
    gone = [node_id for node_id in targets if node_id not in masks]
    for reason, parent_ids in (("parent_gone", gone), ("forbidden", list(set(targets) - set(gone)))):
        _pending(rewind_id).filter(to_parent_id__in=parent_ids).update(outcome=RewindOutcome.KEPT, reason=reason)


def _list_tops(actor: Actor, folder_id: UUID | None) -> Iterable[UUID]:
    if folder_id is not None:
        return [folder_id]
    own = Node.objects.filter(owner_user_id=actor.user_id)
    teams = Node.objects.filter(is_team_folder=True, trashed_at__isnull=True)
    return [*own.values_list("id", flat=True), *teams.values_list("id", flat=True)]
