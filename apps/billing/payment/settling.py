"""What follows for a tenant from its subscription: the plan, a time of grace, and who is told.

The provider is asked how things stand, whatever its notice said, by one at a time for each tenant: so it does not matter in which order
notices come, or how often. What is taken away is announced first, and never concluded from silence.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from apps.billing import dtos, models, quotas
from apps.billing.errors import PaymentClaimed
from apps.billing.payment.port import Subscription
from apps.billing.payment.providers import get_provider
from bitvault.events.api import publish
from bitvault.events.catalog.billing import (
    PaymentFailed,
    PaymentReminded,
    PaymentSettled,
    SubscriptionEnded,
    SubscriptionStarted,
)
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.errors import NotFound

REMINDER = timedelta(days=3)
"""How long before the end of grace administrators are reminded; with a short grace, in the middle of it."""

NOTICE = timedelta(days=1)
"""How long after the reminder a plan ends at the earliest, whenever that came."""

CLAIM = timedelta(minutes=3)
"""How long one who asks has the tenant's turn: three times as long as a job may take."""

UNMAPPED = "the subscription's price belongs to no plan"
SEVERAL = "the customer has several subscriptions"


def refresh(*, claim_id: UUID | None = None) -> None:
    """Ask how the entered tenant's subscription stands, and let follow what follows.

    :param claim_id: who asks: a job that was begun anew has its turn still.
    :raises NotFound: the tenant has never gone to pay.
    :raises PaymentClaimed: somebody else is at it.
    :raises ProviderFailed: the provider has not answered.
    """
    provider = get_provider()
    claim_id = claim_id or ids.new_id()
    row = _claim(claim_id)
    try:
        found = provider.find_subscription(row.customer_id)
        paid_plan = _find_plan(found.price_ids) if found is not None else None
        wanted = _find_wanted(row, found, paid_plan)
        if wanted != row.applied_plan:
            # The plan first: who dies after it is followed by somebody who finds it done, and tells of it.
            quotas.change_plan(wanted, paid_by=row.chosen_by if row.chosen_plan == wanted else None)
        with db.public_transaction():
            row = models.PaymentAccount.objects.select_for_update().get(tenant_id=row.tenant_id)
            if row.claim_id != claim_id:
                raise PaymentClaimed
            row.refreshed_at = clock.now()
            _note(row, found, paid_plan)
            _tell(row, found, wanted)
            row.save()
    finally:
        _release(claim_id)


def state_of(row: models.PaymentAccount) -> dtos.PaymentState:
    """Tell how it stands, in one word."""
    if row.overdue_since is not None:
        return "overdue"
    return "paid" if row.status in ("active", "trialing") else "none"


def _claim(claim_id: UUID) -> models.PaymentAccount:
    """Take the tenant's turn: of two who ask at once, the slower one would write down what was so before."""
    now = clock.now()
    with db.public_transaction():
        row = models.PaymentAccount.objects.select_for_update().filter(tenant_id=tenancy.current().id).first()
        if row is None:
            raise NotFound
        if row.claimed_until is not None and row.claimed_until > now and row.claim_id != claim_id:
            raise PaymentClaimed
        row.claim_id, row.claimed_until = claim_id, now + CLAIM
        row.save(update_fields=["claim_id", "claimed_until"])
    return row


def _release(claim_id: UUID) -> None:
    with db.public_transaction():
        models.PaymentAccount.objects.filter(tenant_id=tenancy.current().id, claim_id=claim_id).update(
            claim_id=None, claimed_until=None
        )


def _find_wanted(row: models.PaymentAccount, found: Subscription | None, paid_plan: str | None) -> str:
    """Tell which plan the tenant is to have because of payment; the one that was applied last: nothing changes."""
    status = found.status if found is not None else "ended"
    if status == "active":
        return paid_plan or row.applied_plan
    if status == "ended" or (status == "overdue" and _is_over(row)):
        return models.DEFAULT_PLAN if row.applied_plan else ""
    return row.applied_plan


def _is_over(row: models.PaymentAccount) -> bool:
    """Tell whether the time of grace is over, and administrators were reminded well before."""
    now = clock.now()
    if row.grace_ends_at is None or row.reminded_at is None:
        return False
    return row.grace_ends_at <= now and row.reminded_at + NOTICE <= now


def _note(row: models.PaymentAccount, found: Subscription | None, paid_plan: str | None) -> None:
    """Keep what the provider said."""
    row.subscription_id = found.id if found else ""
    row.status = found.word[:20] if found else ""
    row.period_ends_at = found.period_ends_at if found else None
    row.cancels_at = found.cancels_at if found and found.is_live else None
    row.paid_plan = (paid_plan or "") if found and found.is_live else ""
    error = ""
    if found is not None and found.is_live and paid_plan is None:
        error = UNMAPPED
    elif found is not None and found.others_count:
        error = SEVERAL
    row.error, row.error_at = error, clock.now() if error else None


def _tell(row: models.PaymentAccount, found: Subscription | None, wanted: str) -> None:
    """Begin or end the time of grace, and publish what administrators are to know."""
    status = found.status if found is not None else "ended"
    before, row.applied_plan = row.applied_plan, wanted
    if status == "overdue":
        _carry_grace_on(row, before=before, wanted=wanted)
        return
    was_overdue = row.overdue_since is not None
    row.overdue_since = row.grace_ends_at = row.reminded_at = None
    if status == "active":
        row.usage_since = row.usage_since or clock.now()
        if wanted != before:
            publish(SubscriptionStarted(actor_id=None, **_name(wanted)))
        elif was_overdue:
            publish(PaymentSettled(actor_id=None, **_name(wanted)))
    elif status == "ended":
        row.usage_since = None
        if wanted != before:
            _publish_end(before, wanted, "canceled")


def _carry_grace_on(row: models.PaymentAccount, *, before: str, wanted: str) -> None:
    now = clock.now()
    if row.overdue_since is None:
        row.overdue_since, row.reminded_at = now, None
        row.grace_ends_at = now + _find_grace(wanted)
        publish(PaymentFailed(actor_id=None, **_name(before), grace_ends_at=row.grace_ends_at))
    elif wanted != before:
        row.grace_ends_at = None
        _publish_end(before, wanted, "unpaid")
    elif row.reminded_at is None and row.grace_ends_at is not None and _is_to_be_reminded(row, now):
        row.reminded_at = now
        row.grace_ends_at = max(row.grace_ends_at, now + NOTICE)
        publish(PaymentReminded(actor_id=None, **_name(before), grace_ends_at=row.grace_ends_at))


def _publish_end(before: str, wanted: str, cause: str) -> None:
    new_name = _name(wanted)["plan_name"]
    publish(SubscriptionEnded(actor_id=None, **_name(before), new_plan=wanted, new_plan_name=new_name, cause=cause))


def _is_to_be_reminded(row: models.PaymentAccount, now: datetime) -> bool:
    begun, ends = cast("datetime", row.overdue_since), cast("datetime", row.grace_ends_at)
    return now >= ends - min(REMINDER, (ends - begun) / 2)


def _name(plan: str) -> dict[str, str]:
    """Give a plan as events have it: its slug, and what it is called now."""
    name = models.Plan.objects.filter(slug=plan).values_list("name", flat=True).first()
    return {"plan": plan, "plan_name": name or plan}


def _find_grace(plan: str) -> timedelta:
    days = models.Plan.objects.filter(slug=plan or models.DEFAULT_PLAN).values_list("grace_days", flat=True).first()
    return timedelta(days=days or 0)


def _find_plan(price_ids: Sequence[str]) -> str | None:
    prices = models.PlanPrice.objects.filter(price_id__in=list(price_ids), metric="plan")
    return prices.values_list("plan__slug", flat=True).first()
