"""What administrators do about payment: choose a plan, and go where the payment method and invoices are.

The provider is asked outside of transactions. What it then does is told by its notices and asked for; nothing is concluded from having sent
somebody there.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import structlog
from django.utils.translation import get_language

from apps.billing import dtos, models, queries
from apps.billing.errors import NoPaymentYet, PaymentClaimed, PaymentUnavailable, PlanNotForSale, PlanUnknown
from apps.billing.payment import settling
from apps.billing.payment.port import Price, Provider, ProviderFailed
from apps.billing.payment.providers import get_provider, is_on
from apps.identity import api as identity
from bitvault.events.api import publish
from bitvault.events.catalog.billing import PlanChosen
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor
from bitvault.web import throttle

PLAN_PRICE = "plan"
"""The metric of the price of a month."""

CALLS_LIMIT = 60
"""How often one tenant may have the provider asked in an hour: each holds a thread for seconds at worst."""

_HOUR = 3600
_ERROR_LENGTH = 500

T = TypeVar("T")

logger = structlog.get_logger(__name__)


def get_payment() -> dtos.Payment:
    """Tell how the entered tenant pays."""
    if not is_on():
        return dtos.Payment(is_on=False)
    row = find_account()
    for_sale = models.PlanPrice.objects.filter(metric=PLAN_PRICE).order_by("plan__limit_bytes", "plan__slug")
    slugs = list(for_sale.values_list("plan__slug", flat=True))
    if row is None:
        return dtos.Payment(is_on=True, plans_for_sale=slugs)
    return dtos.Payment(
        is_on=True,
        plans_for_sale=slugs,
        has_account=True,
        state=settling.state_of(row),
        paid_plan=row.paid_plan or None,
        period_ends_at=row.period_ends_at,
        cancels_at=row.cancels_at,
        grace_ends_at=row.grace_ends_at,
    )


def choose_plan(*, actor: Actor, plan: str) -> dtos.PlanChoice:
    """Give the address where the plan is paid for; with a subscription already, let that have the plan.

    :raises PaymentOff: no provider collects payment.
    :raises PlanUnknown: there is no such plan.
    :raises PlanNotForSale: it has no price at the provider.
    :raises PaymentUnavailable: the provider does not answer.
    """
    provider = get_provider()
    prices = _list_prices(plan)
    _take_turn()
    customer_id = _ensure_customer(provider)
    _remember_choice(actor, plan)
    present = _ask(lambda: provider.find_subscription(customer_id))
    if present is not None and present.is_live:
        subscription_id = present.id
        _ask(
            lambda: provider.change_plan(subscription_id=subscription_id, prices=prices, key=f"plan:{ids.new_id().hex}")
        )
        _note_choice(actor, plan, is_new=False)
        _look_again()
        return dtos.PlanChoice(plan=plan, url=None)
    url = _ask(
        lambda: provider.start_checkout(
            customer_id=customer_id,
            prices=prices,
            back_url=_find_back_url(),
            language=get_language() or "auto",
            key=f"checkout:{ids.new_id().hex}",
        )
    )
    _note_choice(actor, plan, is_new=True)
    return dtos.PlanChoice(plan=plan, url=url)


def open_portal() -> dtos.PaymentPortal:
    """Give the address of the payment method and the invoices.

    :raises PaymentOff: no provider collects payment.
    :raises NoPaymentYet: the tenant has never gone to pay.
    :raises PaymentUnavailable: the provider does not answer.
    """
    provider = get_provider()
    row = find_account()
    if row is None:
        raise NoPaymentYet
    _take_turn()
    customer_id = row.customer_id
    url = _ask(
        lambda: provider.open_portal(
            customer_id=customer_id, back_url=_find_back_url(), language=get_language() or "auto"
        )
    )
    return dtos.PaymentPortal(url=url)


def find_account() -> models.PaymentAccount | None:
    """Find what is known of the entered tenant."""
    return models.PaymentAccount.objects.filter(tenant_id=tenancy.current().id).first()


def note_error(text: str) -> None:
    """Note for operators what went wrong for the entered tenant."""
    with db.public_transaction():
        models.PaymentAccount.objects.filter(tenant_id=tenancy.current().id).update(
            error=text[:_ERROR_LENGTH], error_at=clock.now()
        )


def _ask(question: Callable[[], T]) -> T:
    """Ask the provider in a request."""
    try:
        return question()
    except ProviderFailed as error:
        logger.warning("payment_provider_failed", error=str(error))
        note_error(str(error))
        raise PaymentUnavailable from error


def _remember_choice(actor: Actor, plan: str) -> None:
    """Keep who wants which plan, for the history: the provider says that it is paid for, and not by whom."""
    with db.public_transaction():
        account = models.PaymentAccount.objects.filter(tenant_id=tenancy.current().id)
        account.update(chosen_plan=plan, chosen_by=actor.user_id)


def _note_choice(actor: Actor, plan: str, *, is_new: bool) -> None:
    with db.public_transaction():
        publish(PlanChosen(actor_id=actor.user_id, plan=plan, is_new=is_new))


def _look_again() -> None:
    """Let a change show at once; where somebody else is asking, or nobody answers, the provider's notice does it."""
    with suppress(PaymentClaimed, ProviderFailed):
        settling.refresh()


def _take_turn() -> None:
    throttle.take("payment", [], limit=CALLS_LIMIT, per_seconds=_HOUR, guards_secret=False)


def _list_prices(plan: str) -> list[Price]:
    rows = list(models.PlanPrice.objects.filter(plan__slug=plan).order_by("metric"))
    if not rows and all(one.slug != plan for one in queries.list_all_plans()):
        raise PlanUnknown
    if all(row.metric != PLAN_PRICE for row in rows):
        raise PlanNotForSale
    return [Price(row.price_id, is_metered=row.metric != PLAN_PRICE) for row in rows]


def _ensure_customer(provider: Provider) -> str:
    """Find the tenant's customer, or make it: two at once make one, by their key there and by the row's here."""
    row = find_account()
    if row is not None:
        return row.customer_id
    tenant = tenancy.current()
    made = _ask(
        lambda: provider.create_customer(tenant_id=str(tenant.id), name=tenant.name, key=f"customer:{tenant.id.hex}")
    )
    with db.public_transaction():
        models.PaymentAccount.objects.bulk_create(
            [models.PaymentAccount(tenant_id=tenant.id, customer_id=made, created_at=clock.now())],
            ignore_conflicts=True,
        )
    return models.PaymentAccount.objects.values_list("customer_id", flat=True).get(tenant_id=tenant.id)


def _find_back_url() -> str:
    return f"{identity.get_tenant_url(tenant=tenancy.current())}/usage/"
