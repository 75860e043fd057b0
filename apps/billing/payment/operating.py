"""What operators see and do about payment."""

from collections.abc import Collection
from uuid import UUID

import msgspec
from django.db.models import Max

from apps.billing import dtos, models
from apps.billing.config import PAYMENT, STRIPE_KEY, STRIPE_WEBHOOK_SECRET
from apps.billing.payment import arriving
from apps.billing.payment.port import ProviderFailed
from apps.billing.payment.providers import get_provider, is_on
from apps.identity import api as identity
from bitvault.jobs import api as jobs
from bitvault.kernel import db, ids, tenancy
from bitvault.kernel.errors import NotFound

END = "billing.end_subscriptions"


class EndSubscriptions(msgspec.Struct, frozen=True):
    """For the job of the installation: end what a customer has whose tenant is gone."""

    customer_id: str


def list_accounts(tenant_ids: Collection[UUID]) -> dict[UUID, dtos.PaymentAccount]:
    """Read what is known of these tenants; one query."""
    names = tuple(dtos.PaymentAccount.__dataclass_fields__)
    rows = models.PaymentAccount.objects.filter(tenant_id__in=list(tenant_ids)).values_list(*names)
    return {row[0]: dtos.PaymentAccount(*row) for row in rows}


def list_notices(*, state: str, limit: int) -> list[dtos.PaymentNotice]:
    """Read the last notices, of one state or (empty) of all."""
    names = tuple(dtos.PaymentNotice.__dataclass_fields__)
    rows = models.PaymentNotice.objects.order_by("-received_at")
    if state:
        rows = rows.filter(state=state)
    return [dtos.PaymentNotice(*row) for row in rows.values_list(*names)[:limit]]


def retry_notice(notice_id: str) -> None:
    """Have it asked again what a notice was about.

    :raises NotFound: there is none, or its tenant is gone, suspended or not known.
    """
    row = models.PaymentNotice.objects.filter(id=notice_id.replace("\x00", "")).first()
    if row is None:
        raise NotFound
    account = models.PaymentAccount.objects.filter(customer_id=row.customer_id or None).first()
    tenant = identity.find_tenant(tenant_id=account.tenant_id) if account else None
    if tenant is None:
        raise NotFound
    with db.public_transaction():
        models.PaymentNotice.objects.filter(id=row.id).update(
            state=models.NoticeState.WAITING, tenant_id=tenant.id, error=""
        )
    with tenancy.entered(tenant):
        arriving.request_refresh(key=f"again:{ids.new_id().hex}", notice_id=row.id)


def forget_tenant(tenant_id: UUID) -> None:
    """Forget a deleted tenant, and have its subscription ended; done again it changes nothing."""
    with db.public_transaction():
        row = models.PaymentAccount.objects.filter(tenant_id=tenant_id).first()
        if row is None:
            return
        jobs.enqueue(END, EndSubscriptions(row.customer_id), key=row.customer_id, by=jobs.SYSTEM, for_installation=True)
        row.delete()


def end_subscriptions(payload: EndSubscriptions) -> None:
    """Do the job. Where no provider is set any more, operators look after what they left there.

    :raises ProviderFailed: the provider has not answered.
    """
    if is_on():
        get_provider().end_subscriptions(payload.customer_id)
    with db.public_transaction():
        models.PaymentNotice.objects.filter(customer_id=payload.customer_id).delete()


def check() -> dtos.PaymentCheck:
    """Look at how payment is set up, and ask the provider."""
    if not PAYMENT.get():
        return dtos.PaymentCheck(is_chosen=False)
    prices = list(models.PlanPrice.objects.order_by("price_id").values_list("price_id", flat=True))
    failure, missing = "", list[str]()
    if is_on():
        try:
            missing = list(get_provider().check(prices))
        except ProviderFailed as error:
            failure = str(error)
    return dtos.PaymentCheck(
        is_chosen=True,
        has_key=bool(STRIPE_KEY.get()),
        has_webhook_secret=bool(STRIPE_WEBHOOK_SECRET.get()),
        failure=failure,
        missing_prices=missing,
        has_prices=models.PlanPrice.objects.filter(metric="plan").exists(),
        failing_count=models.PaymentAccount.objects.exclude(error="").count(),
        last_notice_at=models.PaymentNotice.objects.aggregate(last=Max("received_at"))["last"],
    )
