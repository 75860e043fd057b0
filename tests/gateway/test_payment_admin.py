"""The operators' page of payment, and what the doctor says of how it is set up."""

import pytest
from django.test import Client

from apps.billing import models
from bitvault.gateway import doctor
from bitvault.kernel import clock, tenancy
from tests.apps.billing.conftest import stripe
from tests.jobs.conftest import desk

__all__ = ["desk", "stripe"]

pytestmark = pytest.mark.committed


@pytest.fixture
def operator():
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    return client


@pytest.fixture
def account(acme, stripe):
    return models.PaymentAccount.objects.create(tenant_id=acme.id, customer_id="cus_1", created_at=clock.now())


def add_notice(number, **facts):
    now = clock.now()
    return models.PaymentNotice.objects.create(
        id=f"evt_{number}", kind="invoice.paid", occurred_at=now, received_at=now, **facts
    )


def test_operators_see_accounts_and_ask_now(operator, acme, account, stripe, desk):
    account.error, account.error_at = "APIError 500", clock.now()
    account.save()
    page = operator.get("/admin/payment/").content.decode()
    assert "cus_1" in page
    assert "APIError 500" in page
    assert page.count("has never gone to pay") == 1
    stripe.subscribe("cus_1", "price_team")
    answer = operator.post("/admin/payment/act", {"tenant_id": acme.id, "act": "refresh"}, follow=True)
    assert "It is being asked for." in answer.content.decode()
    assert desk.run("outbound") == 1
    page = operator.get("/admin/payment/").content.decode()
    assert "active" in page
    assert "APIError" not in page


def test_operators_see_notices_and_try_one_again(operator, acme, account, stripe, desk):
    add_notice(1, state="failed", error="APIError 500", customer_id="cus_1")
    add_notice(2, state="ignored", customer_id="cus_of_nobody")
    assert operator.get("/admin/payment/notices/").content.decode().count("evt_") == 4
    failed = operator.get("/admin/payment/notices/?state=failed").content.decode()
    assert "evt_1" in failed
    assert "evt_2" not in failed
    operator.post("/admin/payment/notices/retry", {"notice_id": "evt_1"})
    assert desk.run("outbound") == 1
    assert models.PaymentNotice.objects.get(id="evt_1").state == "done"
    for unknown in ("evt_2", "evt_3", "\x00"):
        said = operator.post("/admin/payment/notices/retry", {"notice_id": unknown}, follow=True)
        assert "about nobody who is here" in said.content.decode()


def test_operators_settle_a_report_that_is_in_doubt(operator, acme, account):
    with tenancy.entered(acme):
        from bitvault.kernel import db

        with db.write_transaction():
            models.UsageReport.objects.create(
                month="2026-10-01",
                metric="downloaded_bytes",
                pending=7,
                number=1,
                tried_at=clock.now(),
                is_in_doubt=True,
            )
    assert "7 of downloaded_bytes in 2026-10" in operator.get("/admin/payment/").content.decode()
    form = {"tenant_id": acme.id, "act": "arrived", "month": "2026-10", "metric": "downloaded_bytes"}
    assert "The report is settled." in operator.post("/admin/payment/act", form, follow=True).content.decode()
    for wrong in ({"month": "x"}, {"metric": "x"}, {"month": "2026-11"}):
        assert operator.post("/admin/payment/act", {**form, **wrong}, follow=True).status_code in (200, 400)


def test_a_plan_gets_its_prices(operator, stripe):
    plan = models.Plan.objects.get(slug="team")
    (price,) = plan.provider_prices.all()
    url = f"/admin/billing/plan/{plan.pk}/change/"
    page = operator.get(url).content.decode()
    assert "price_team" in page
    prefix = "provider_prices"
    form = {
        "name": plan.name, "limit_bytes": plan.limit_bytes, "trash_days": 30, "currency": "EUR", "month_price": "5", "prices": "[]",
        "grace_days": 20, f"{prefix}-TOTAL_FORMS": 2, f"{prefix}-INITIAL_FORMS": 1, f"{prefix}-0-id": price.pk, f"{prefix}-0-plan": plan.pk,
        f"{prefix}-0-metric": "plan", f"{prefix}-0-price_id": "price_new", f"{prefix}-1-plan": plan.pk, f"{prefix}-1-metric": "live_bytes",
        f"{prefix}-1-price_id": "price_traffic", "versions-TOTAL_FORMS": 0, "versions-INITIAL_FORMS": 0,
    }  # fmt: skip
    assert "has the event of its meter" in operator.post(url, form).content.decode()
    assert operator.post(url, {**form, f"{prefix}-1-event_name": "stored"}).status_code == 302
    assert set(plan.provider_prices.values_list("metric", "price_id")) == {
        ("plan", "price_new"),
        ("live_bytes", "price_traffic"),
    }
    plan.refresh_from_db()
    assert plan.grace_days == 20


def test_the_doctor_says_what_is_missing(stripe, settings, account):
    def ask():
        return " ".join(f"{one.level} {one.fact}" for one in doctor.examine(only=["payment"]))

    assert ask() == "good Stripe answers, and has the prices of all plans."
    stripe.prices["price_large"] = False
    assert "bad Stripe does not have these prices, or not any more: price_large." in ask()
    account.error = "x"
    account.save()
    assert "warning The payment of 1 tenants has an error." in ask()
    settings.BITVAULT_STRIPE = {**settings.BITVAULT_STRIPE, "key": "sk_of_another", "webhook_secret": ""}
    assert "AuthenticationError 401" in ask()
    assert "bad There is no signing secret" in ask()
    settings.BITVAULT_STRIPE = {**settings.BITVAULT_STRIPE, "key": ""}
    assert ask().startswith("bad Stripe is to collect payment, and there is no key")
    settings.BITVAULT_PAYMENT = ""
    assert ask().startswith("good No payment service")
