"""Notices of the provider: kept once each, and followed by a question how things stand."""

from contextlib import nullcontext
from datetime import timedelta
from uuid import UUID

import msgspec

from apps.billing import models
from apps.billing.errors import NoticeRefused
from apps.billing.payment import settling
from apps.billing.payment.port import NoticeUnproved, ProviderFailed
from apps.billing.payment.providers import get_provider
from apps.identity import api as identity
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.errors import NotFound

REFRESH = "billing.refresh_payment"

MEMORY = timedelta(days=90)
"""How long notices are kept: a doubled one comes within days."""

REFRESHED_EACH = timedelta(days=1)
"""How often each subscription is asked for without a notice: one may have been lost."""

BATCH = 200

_ERROR_LENGTH = 500


class RefreshPayment(msgspec.Struct, frozen=True):
    """For the job: ask how the tenant's subscription stands, because of a notice or without one."""

    notice_id: str | None = None


def take(*, body: bytes, signature: str) -> None:
    """Take a notice; one that came before changes nothing.

    :raises PaymentOff: no provider collects payment.
    :raises NoticeRefused: it is not the provider's, or an old one.
    """
    try:
        notice = get_provider().read_notice(body, signature)
    except NoticeUnproved as error:
        raise NoticeRefused from error
    account = models.PaymentAccount.objects.filter(customer_id=notice.customer_id or None).first()
    tenant = identity.find_tenant(tenant_id=account.tenant_id) if account else None
    follows = notice.is_relevant and tenant is not None
    facts = {
        "kind": notice.kind,
        "customer_id": notice.customer_id,
        "object_id": notice.object_id,
        "tenant_id": account.tenant_id if account else None,
        "occurred_at": notice.occurred_at,
        "received_at": clock.now(),
        "state": models.NoticeState.WAITING if follows else models.NoticeState.IGNORED,
    }
    with tenancy.entered(tenant) if tenant else nullcontext(), db.public_transaction():
        row, is_new = models.PaymentNotice.objects.get_or_create(id=notice.id, defaults=facts)
        if not is_new:
            return
        if account is not None:
            models.PaymentAccount.objects.filter(pk=account.pk).update(noticed_at=row.received_at)
        if follows:
            _enqueue(row.id, key=row.id)


def run_refresh(payload: RefreshPayment, *, job_id: UUID) -> None:
    """Do the job: whatever becomes of it stands with the tenant and the notice; a failure is tried again.

    :raises ProviderFailed: the provider has not answered.
    """
    try:
        settling.refresh(claim_id=job_id)
    except NotFound:
        return
    except ProviderFailed as error:
        with db.public_transaction():
            models.PaymentAccount.objects.filter(tenant_id=tenancy.current().id).update(
                error=str(error)[:_ERROR_LENGTH], error_at=clock.now()
            )
            _settle(payload, models.NoticeState.FAILED, str(error))
        raise
    with db.public_transaction():
        _settle(payload, models.NoticeState.DONE, "")


def _settle(payload: RefreshPayment, state: models.NoticeState, error: str) -> None:
    if payload.notice_id is not None:
        models.PaymentNotice.objects.filter(id=payload.notice_id).update(
            state=state, error=error[:_ERROR_LENGTH], settled_at=clock.now()
        )


def request_refresh(*, key: str, notice_id: str | None = None) -> None:
    """Have the entered tenant's subscription asked for."""
    with db.public_transaction():
        _enqueue(notice_id, key=key)


def _enqueue(notice_id: str | None, *, key: str) -> None:
    jobs.enqueue(REFRESH, RefreshPayment(notice_id), key=key, by=jobs.SYSTEM)


def look_after() -> int:
    """Have those asked for that nobody has asked about for a day, or whose time of grace nears its end; forget old notices."""
    now = clock.now()
    with db.public_transaction():
        models.PaymentNotice.objects.filter(received_at__lt=now - MEMORY).delete()
    due = models.PaymentAccount.objects.filter(refreshed_at__lte=now - REFRESHED_EACH)
    unknown = models.PaymentAccount.objects.filter(refreshed_at__isnull=True)
    ending = models.PaymentAccount.objects.filter(grace_ends_at__lte=now + settling.REMINDER)
    count = 0
    for row in (due | unknown | ending).order_by("refreshed_at")[:BATCH]:
        tenant = identity.find_tenant(tenant_id=row.tenant_id)
        if tenant is not None:
            with tenancy.entered(tenant):
                request_refresh(key="look")
            count += 1
    return count
