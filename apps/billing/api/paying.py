"""Doors of payment by a provider: for administrators, for the provider's notices, and for operators."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from apps.billing import dtos
from apps.billing.payment import accounts, arriving, operating, providers, reporting
from bitvault.kernel import ids
from bitvault.kernel.actor import Actor
from bitvault.kernel.boundary import exposed
from bitvault.kernel.permissions import Permission


@exposed
def get_payment(*, actor: Actor) -> dtos.Payment:
    """Tell how the vault pays for its plan; nobody is asked for it.

    :raises PermissionMissing: the actor does not manage billing.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    return accounts.get_payment()


@exposed
def choose_plan(*, actor: Actor, plan: str) -> dtos.PlanChoice:
    """Give the address where a plan is paid for; with a subscription already, let that have the plan. Can be repeated.

    :raises PermissionMissing: the actor does not manage billing.
    :raises PaymentOff: no provider collects payment.
    :raises PlanUnknown: there is no such plan.
    :raises PlanNotForSale: it has no price at the provider.
    :raises PaymentUnavailable: the provider does not answer.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    return accounts.choose_plan(actor=actor, plan=plan)


@exposed
def open_payment_portal(*, actor: Actor) -> dtos.PaymentPortal:
    """Give the address of the payment method and the invoices.

    :raises PermissionMissing: the actor does not manage billing.
    :raises PaymentOff: no provider collects payment.
    :raises NoPaymentYet: the vault has never gone to pay.
    :raises PaymentUnavailable: the provider does not answer.
    """
    actor.require_permission(Permission.MANAGE_BILLING)
    return accounts.open_portal()


@exposed
def take_payment_notice(*, body: bytes, signature: str) -> None:
    """Take what the provider says has happened; a second time changes nothing.

    :raises PaymentOff: no provider collects payment.
    :raises NoticeRefused: it is not the provider's, or an old one.
    """
    arriving.take(body=body, signature=signature)


# --- for operators -------------------------------------------------------------------------------------------------------------


@exposed
def is_payment_on() -> bool:
    """Tell whether a provider collects payment."""
    return providers.is_on()


@exposed
def list_payment_accounts(*, tenant_ids: Collection[UUID]) -> dict[UUID, dtos.PaymentAccount]:
    """Read what is known of these tenants' payment; one query."""
    return operating.list_accounts(tenant_ids)


@exposed
def list_payment_notices(*, state: str = "", limit: int) -> list[dtos.PaymentNotice]:
    """List the provider's last notices, of one state or of all."""
    return operating.list_notices(state=state, limit=limit)


@exposed
def retry_payment_notice(*, notice_id: str) -> None:
    """Have it asked again what a notice was about.

    :raises NotFound: there is none, or it is about nobody who is here.
    """
    operating.retry_notice(notice_id)


@exposed
def refresh_payment() -> None:
    """Have asked how the entered tenant's subscription stands."""
    arriving.request_refresh(key=f"operator:{ids.new_id().hex}")


@exposed
def list_doubtful_reports() -> list[dtos.DoubtfulReport]:
    """List the entered tenant's reports of usage of which nobody knows whether they arrived."""
    return reporting.list_doubtful()


@exposed
def settle_doubtful_report(*, month: date, metric: str, has_arrived: bool) -> None:
    """Count such a report, or have it sent again.

    :raises NotFound: there is none.
    """
    reporting.settle_doubtful(month=month, metric=metric, has_arrived=has_arrived)


@exposed
def forget_payment(*, tenant_id: UUID) -> None:
    """Forget a deleted tenant's payment, and have its subscription ended; done again it changes nothing."""
    operating.forget_tenant(tenant_id)


@exposed
def check_payment() -> dtos.PaymentCheck:
    """Look at how payment is set up, and ask the provider."""
    return operating.check()
