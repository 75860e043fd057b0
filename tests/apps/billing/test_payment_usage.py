"""Usage above what a plan includes is reported to the provider as it comes up, each thousandth once."""

from datetime import UTC, date, datetime, timedelta

import pytest

from apps.billing import models
from apps.billing.payment import reporting
from bitvault.kernel import clock, db, policies, tenancy
from tests.jobs.conftest import desk

__all__ = ["desk"]

pytestmark = pytest.mark.committed

GIB = 1024**3
AT = datetime(2026, 4, 11, 7, tzinfo=UTC)
"""Ten days of April are over."""


@pytest.fixture
def paying(acme, stripe, desk):
    """Acme has the plan "team" since March: 10 GiB of downloads a month are included."""
    plan = models.Plan.objects.get(slug="team")
    plan.prices = [{"metric": "downloaded_bytes", "price": "0.1", "included": "10"}]
    plan.save()
    models.PlanPrice.objects.create(
        plan=plan, metric="downloaded_bytes", price_id="price_traffic", event_name="traffic"
    )
    models.PaymentAccount.objects.create(
        tenant_id=acme.id,
        customer_id="cus_1",
        status="active",
        paid_plan="team",
        applied_plan="team",
        usage_since=datetime(2026, 3, 5, tzinfo=UTC),
        created_at=AT,
    )
    with tenancy.entered(acme), db.write_transaction():
        models.PlanPeriod.objects.create(begun_at=models.EPOCH, plan_id=plan.id)
    policies.forget()

    class Paying:
        def use(self, day, gib, month=4):
            with tenancy.entered(acme), db.write_transaction():
                models.UsageDay.objects.create(
                    day=date(2026, month, day), metric="downloaded_bytes", amount=int(gib * GIB)
                )

        def report(self, at=AT):
            with clock.fixed_at(at):
                with tenancy.entered(acme):
                    reporting.request_report()
                desk.run("outbound")

        @property
        def reported(self):
            return [amount for _, amount in stripe.usage.values()]

        @property
        def rows(self):
            with tenancy.entered(acme), db.read_transaction():
                return {row.month: row for row in models.UsageReport.objects.all()}

    yield Paying()
    policies.forget()


def test_what_is_above_the_month_is_reported_once_and_grows(paying, stripe):
    paying.use(2, 8)
    paying.report()
    assert paying.reported == []
    paying.use(3, 4.5)
    for _ in range(3):
        paying.report()
    assert stripe.usage.popitem()[1] == ("traffic", 2500)
    paying.use(10, 1)
    paying.report()
    assert paying.reported == [1000]


def test_today_waits_until_it_is_over_and_days_before_the_subscription_are_not_charged(paying):
    paying.use(1, 100, month=3)
    paying.use(11, 100)
    paying.report()
    assert paying.reported == []
    paying.report(AT + timedelta(days=1))
    assert paying.reported == [90_000]


def test_an_answer_that_is_lost_is_no_second_report(paying, stripe):
    paying.use(2, 12)
    stripe.says = ["lost"] * 2
    paying.report()
    assert paying.rows[date(2026, 4, 1)].reported == 0
    paying.use(3, 1)
    with_the_next = AT + timedelta(minutes=5)
    paying.report(with_the_next)
    paying.report(with_the_next)
    assert paying.reported == [2000, 1000]
    assert paying.rows[date(2026, 4, 1)].reported == 3000


def test_what_is_unknown_for_a_day_is_left_to_operators(paying, stripe, acme):
    paying.use(2, 12)
    stripe.says = ["lost"] * 2
    paying.report()
    paying.report(AT + timedelta(days=1))
    assert paying.rows[date(2026, 4, 1)].is_in_doubt
    assert models.PaymentAccount.objects.get().error == reporting.IN_DOUBT
    asked = len(stripe.asked)
    paying.report(AT + timedelta(days=2))
    assert len(stripe.asked) == asked
    with tenancy.entered(acme):
        (doubtful,) = reporting.list_doubtful()
        assert (doubtful.month, doubtful.amount) == ("2026-04", 2000)
        reporting.settle_doubtful(month=date(2026, 4, 1), metric="downloaded_bytes", has_arrived=True)
    paying.report(AT + timedelta(days=2))
    assert paying.reported == [2000]


def test_a_refused_report_is_told_and_begun_anew(paying, stripe):
    paying.use(2, 12)
    stripe.says = [400]
    paying.report()
    assert models.PaymentAccount.objects.get().error.startswith("InvalidRequestError 400")
    paying.report(AT + timedelta(hours=1))
    assert paying.reported == [2000]


def test_what_was_reported_is_what_the_statement_says(paying, stripe, acme, monkeypatch):
    from apps.billing import stated, statements

    monkeypatch.setattr(statements, "get_head", lambda: 0)
    for day in range(1, 31, 3):
        paying.use(day, 3.3)
    for day in range(1, 32, 4):
        paying.report(datetime(2026, 4, day, 12, tzinfo=UTC) if day < 31 else datetime(2026, 5, 1, 12, tzinfo=UTC))
    paying.report(datetime(2026, 5, 1, 12, tzinfo=UTC))
    with tenancy.entered(acme), clock.fixed_at(datetime(2026, 5, 1, 12, tzinfo=UTC)):
        statements.make_due()
        (line,) = [one for one in stated.get_statement("2026-04").lines if one.metric == "downloaded_bytes"]
    assert sum(paying.reported) == int((float(line.units) - float(line.included)) * 1000)
    assert len(paying.reported) > 3
