"""The quota of a tenant: opened with the default plan, and given another plan or figures of its own."""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from apps.billing import history, models, noting, queries
from apps.billing.errors import LimitAbovePlan, PlanUnknown
from bitvault.events.api import publish
from bitvault.events.catalog.billing import QuotaChanged
from bitvault.kernel import clock, db, policies
from bitvault.kernel.actor import Actor

_OPEN_QUOTA = """
INSERT INTO billing_quota (scope, plan_id, used_bytes, reserved_bytes)
SELECT 'tenant', id, 0, 0 FROM public.billing_plan WHERE slug = %(plan)s
ON CONFLICT (scope) DO NOTHING
RETURNING scope
"""


def open_quota() -> None:
    """Make sure that the entered tenant has its row, which the first upload or the first change makes."""
    db.write_alone(_OPEN_QUOTA, {"plan": models.DEFAULT_PLAN})


def set_quota(
    *,
    plan: str | None,
    limit_bytes: int | None,
    by_id: UUID | None,
    figures: Mapping[str, int | Literal["unchanged"] | None],
) -> None:
    """Give the tenant another plan, or figures of its own (``None``: the plan's); of ``figures`` those that are ``unchanged`` stay."""
    given = {name: figure for name, figure in figures.items() if figure != "unchanged"}
    open_quota()
    with db.write_transaction():
        quota = models.Quota.objects.select_for_update().get(scope=models.TENANT_SCOPE)
        before = history.read_figures()
        if plan is not None:
            _change_plan(quota, _require_plan(plan))
        for name, figure in {"limit_bytes": limit_bytes, **given}.items():
            setattr(quota, name, figure)
        quota.save(update_fields=["plan_id", "limit_bytes", *given])
        history.record(before, by="command" if by_id is None else "operator", actor_id=by_id)
        _publish_change(quota, by_id)
    policies.forget()
    noting.note_room()


def change_plan(plan: str, *, paid_by: UUID | None) -> None:
    """Give the tenant another plan because of payment; figures of its own stay. Done again it changes nothing.

    :param paid_by: who had gone to pay for it, where that is known.

    :raises PlanUnknown: there is no plan of this name.
    """
    open_quota()
    with db.write_transaction():
        quota = models.Quota.objects.select_for_update().get(scope=models.TENANT_SCOPE)
        plan_id = _require_plan(plan)
        if quota.plan_id == plan_id:
            return
        before = history.read_figures()
        _change_plan(quota, plan_id)
        quota.save(update_fields=["plan_id"])
        history.record(before, by="payment", actor_id=paid_by)
        _publish_change(quota, paid_by)
    policies.forget()
    noting.note_room()


def set_own_limit(*, limit_bytes: int | None, by: Actor) -> None:
    """Lower the room of the entered tenant below what its plan gives, or take that back (``None``)."""
    open_quota()
    with db.write_transaction():
        quota = models.Quota.objects.select_for_update().get(scope=models.TENANT_SCOPE)
        given_bytes = queries.read_quota().given_bytes
        if limit_bytes is not None and limit_bytes > given_bytes:
            raise LimitAbovePlan(given_bytes=given_bytes)
        if quota.own_limit_bytes == limit_bytes:
            return
        before = history.read_figures()
        quota.own_limit_bytes = limit_bytes
        quota.save(update_fields=["own_limit_bytes"])
        history.record(before, by="person", actor_id=by.user_id)
        _publish_change(quota, by.user_id)
    noting.note_room()


def _publish_change(quota: models.Quota, by_id: UUID | None) -> None:
    publish(
        QuotaChanged(
            actor_id=by_id,
            scope=quota.scope,
            plan_id=quota.plan_id,
            limit_bytes=quota.limit_bytes,
            own_limit_bytes=quota.own_limit_bytes,
            file_limit_bytes=quota.file_limit_bytes,
            trash_days=quota.trash_days,
            member_limit=quota.member_limit,
            guest_limit=quota.guest_limit,
            link_limit=quota.link_limit,
        )
    )


def _change_plan(quota: models.Quota, plan_id: UUID) -> None:
    """Note from when on the tenant has the plan, and which it had before, for statements."""
    if quota.plan_id == plan_id:
        return
    now = clock.now()
    if not models.PlanPeriod.objects.exists():
        models.PlanPeriod.objects.create(begun_at=models.EPOCH, plan_id=quota.plan_id)
    models.PlanPeriod.objects.create(begun_at=now, plan_id=plan_id)
    quota.plan_id = plan_id


def _require_plan(slug: str) -> UUID:
    found: UUID | None = models.Plan.objects.filter(slug=slug).values_list("id", flat=True).first()
    if found is None:
        raise PlanUnknown
    return found
