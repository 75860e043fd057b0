"""Who changed what a tenant's plan gives it, when, and what held before: written in the transaction of the change, and read back.

A tenant is concerned by what it was given itself, and by what operators changed of the plan that it had at that moment.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.db.models import F, Q, Window
from django.db.models.functions import Lag

from apps.billing import currencies, dtos, models, queries
from bitvault.kernel import clock, db, ids, pages

_PURPOSE = "billing.plan_changes"

FACTS = (
    *("name", "limit_bytes", "file_limit_bytes", "trash_days", "member_limit", "guest_limit", "link_limit"),
    *("currency", "month_price", "prices"),
)
"""What a plan's version says."""

PERIODS_LIMIT = 50
"""The last times of plans that are looked through: who had more plans is told of the earlier ones by their changes alone."""


def read_figures() -> dict[str, Any]:
    """Read what holds for the entered tenant, and which figures are its own instead of the plan's, inside the open transaction."""
    quota = models.Quota.objects.filter(scope=models.TENANT_SCOPE).first()
    given = {name: getattr(quota, name) for name in dtos.OWN_FIGURES} if quota else {}
    return {
        **queries.read_figures(),
        "own_figures": [name for name in dtos.OWN_FIGURES if given.get(name) is not None],
    }


def record(before: Mapping[str, Any], *, by: dtos.ChangedBy, actor_id: UUID | None) -> None:
    """Note a change that the open transaction has made; what holds as before is none."""
    after = read_figures()
    if after != before:
        models.PlanChange.objects.create(
            id=ids.new_id(), changed_at=clock.now(), changed_by=by, actor_id=actor_id, before=before, after=after
        )


def list_changes(*, cursor: str | None, limit: int) -> pages.Page[dtos.PlanChange]:
    """Read a page of what concerns the entered tenant, the latest first."""
    position = pages.decode_cursor(_PURPOSE, cursor) if cursor is not None else None
    with db.read_transaction():
        own = _list_own(position, limit + 1)
        of_plans = _list_of_plans(position, limit + 1)
    found = sorted((*own, *of_plans), key=lambda one: (one.changed_at, one.id), reverse=True)
    items = found[:limit]
    last = [items[-1].changed_at.isoformat(), items[-1].id.hex] if items else []
    return pages.Page(items, pages.encode_cursor(_PURPOSE, last) if len(found) > limit else None)


def _list_own(position: Sequence[Any] | None, limit: int) -> list[dtos.PlanChange]:
    rows = models.PlanChange.objects.filter(_before(position, "changed_at")).order_by("-changed_at", "-id")[:limit]
    return [
        dtos.PlanChange(
            id=row.id,
            changed_at=row.changed_at,
            changed_by=cast("dtos.ChangedBy", row.changed_by),
            actor_id=row.actor_id,
            is_of_plan=False,
            plan=row.after["plan"],
            changes=_compare(row.before, row.after),
        )
        for row in rows
    ]


def _list_of_plans(position: Sequence[Any] | None, limit: int) -> list[dtos.PlanChange]:
    """List versions of the plan that the tenant had when they began, each beside the one before it."""
    periods = list(models.PlanPeriod.objects.order_by("-begun_at").values_list("begun_at", "plan_id")[:PERIODS_LIMIT])
    if not periods:
        quota = models.Quota.objects.filter(scope=models.TENANT_SCOPE).values_list("plan_id", flat=True).first()
        plan_id = quota or models.Plan.objects.values_list("id", flat=True).get(slug=models.DEFAULT_PLAN)
        periods = [(models.EPOCH, plan_id)]
    concerned, end = Q(pk__in=[]), None
    for begun_at, plan_id in periods:
        within = Q(plan_id=plan_id, begun_at__gte=begun_at)
        concerned |= within if end is None else within & Q(begun_at__lt=end)
        end = begun_at
    versions = models.PlanVersion.objects.filter(plan_id__in={plan_id for _, plan_id in periods})
    # The version before may have begun before the tenant had the plan: windows are looked through before rows are chosen.
    with_former = with_former_facts(versions).values("pk", *(f"former_{name}" for name in FACTS))
    former = {row["pk"]: row for row in with_former}
    chosen = (
        versions.filter(concerned, _before(position, "begun_at"), version__gt=1)
        .select_related("plan")
        .order_by("-begun_at", "-id")[:limit]
    )
    return [_to_change(row, {name: former[row.pk][f"former_{name}"] for name in FACTS}) for row in chosen]


def with_former_facts(versions: Any) -> Any:
    """Give versions of plans, each with the facts of the one before it (``former_…``)."""
    return versions.annotate(
        **{
            f"former_{name}": Window(Lag(name), partition_by=F("plan_id"), order_by=F("version").asc())
            for name in FACTS
        }
    )


def _to_change(row: models.PlanVersion, former: Mapping[str, Any]) -> dtos.PlanChange:
    return dtos.PlanChange(
        id=row.pk,
        changed_at=row.begun_at,
        changed_by="operator" if row.changed_by is not None else "command",
        actor_id=row.changed_by,
        is_of_plan=True,
        plan=row.plan.slug,
        changes=compare_versions(former, {name: getattr(row, name) for name in FACTS}),
    )


def compare_versions(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dtos.FigureChange]:
    """List what differs between two versions of a plan."""
    return _compare(_write_facts(before), _write_facts(after))


def _write_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Give a version's facts as changes name and write them; prices of what is used are told without their figures."""
    plain = {_NAMES_OF_FACTS.get(name, name): facts[name] for name in FACTS}
    plain["month_price"] = currencies.write_price(facts["month_price"], facts["currency"])
    plain["prices"] = str(facts["prices"] or "")
    return plain


_NAMES_OF_FACTS = {"name": "plan_name", "limit_bytes": "given_bytes"}


def _compare(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dtos.FigureChange]:
    return [
        dtos.FigureChange(
            name, None if name == "prices" else _plain(before.get(name)), None if name == "prices" else _plain(value)
        )
        for name, value in after.items()
        if before.get(name) != value
    ]


def _plain(value: Any) -> str | int | None:
    return ", ".join(value) if isinstance(value, list) else value


def _before(position: Sequence[Any] | None, moment: str) -> Q:
    """Choose rows that come after a position of the list, the latest first."""
    if position is None:
        return Q()
    at, key = datetime.fromisoformat(position[0]), UUID(position[1])
    return Q(**{f"{moment}__lt": at}) | Q(**{moment: at, "pk__lt": key})
