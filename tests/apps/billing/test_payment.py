"""Payment by Stripe: choosing a plan, what its notices lead to, and what happens while it does not answer."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.billing import models, queries
from apps.billing.payment import arriving, settling
from bitvault.events.api import list_published
from bitvault.kernel import clock, policies, tenancy
from tests.jobs.conftest import desk
from tests.support.stripe_server import notice, sign

__all__ = ["desk"]

pytestmark = pytest.mark.committed

WEBHOOK = "/payment/stripe"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def world(acme, stripe, desk, api):
    class World:
        def __init__(self):
            self.stripe, self.tenant, self.olga = stripe, acme, api("olga")

        def choose(self, plan="team", **more):
            return self.olga.put("/payment/plan", {"plan": plan}, **more)

        def send(self, kind="customer.subscription.updated", *, number=1, signature=None, body=None, **about):
            content = body or notice(kind, {"object": "subscription", "customer": "cus_1", **about}, number=number)
            return Client(headers={"host": "localhost"}).post(
                WEBHOOK,
                content,
                content_type="application/json",
                headers={"stripe-signature": sign(content) if signature is None else signature},
            )

        def run(self):
            return desk.run("outbound")

        def subscribed(self, **facts):
            self.choose()
            made = stripe.subscribe("cus_1", "price_team", **facts)
            self.send(number=100)
            self.run()
            return made

        @property
        def plan(self):
            with tenancy.entered(acme):
                return queries.get_quota().plan

        @property
        def account(self):
            return models.PaymentAccount.objects.get(tenant_id=acme.id)

        @property
        def told(self):
            with tenancy.entered(acme):
                types = [one.type for one in list_published(after=0, limit=1000)]
            return [
                one.removeprefix("billing.").removesuffix(".v1") for one in types if "payment" in one or "subs" in one
            ]

    return World()


def test_a_checkout_is_opened_once_and_the_plan_comes_with_the_notice(world):
    answer = world.choose()
    assert answer.json() == {"plan": "team", "url": f"{world.stripe.url}/pay/cs_1"}
    form = world.stripe.sessions["cs_1"]["form"]
    assert form["customer"] == "cus_1"
    assert form["line_items"]["0"] == {"price": "price_team", "quantity": "1"}
    assert form["success_url"].endswith("/usage/?payment=done")
    assert world.plan == "default"
    world.choose()
    assert [one["status"] for one in world.stripe.sessions.values()] == ["expired", "open"]
    assert len(world.stripe.customers) == 1
    world.stripe.subscribe("cus_1", "price_team")
    assert world.send("checkout.session.completed").status_code == 200
    assert world.run() == 1
    assert world.plan == "team"
    assert world.told == ["subscription.started"]
    state = world.olga.get("/payment").json()
    assert (state["state"], state["paid_plan"], state["plans_for_sale"]) == ("paid", "team", ["team", "large"])


def test_only_who_manages_billing_may_choose_and_only_what_is_for_sale(world, api, settings):
    assert api("mia").put("/payment/plan", {"plan": "team"}).status_code == 403
    assert api("mia").get("/payment").status_code == 403
    assert world.choose("default").json()["code"] == "billing.plan_not_for_sale"
    assert world.choose("gold").json()["code"] == "billing.plan_unknown"
    assert world.olga.post("/payment/portal").json()["code"] == "billing.no_payment_yet"
    assert world.stripe.asked == []
    settings.BITVAULT_PAYMENT = ""
    assert world.choose().json()["code"] == "billing.payment_off"
    assert world.olga.get("/payment").json()["is_on"] is False
    assert world.send().status_code == 404


def test_with_a_subscription_another_plan_is_a_change_of_it(world):
    world.subscribed()
    assert world.choose("large").json() == {"plan": "large", "url": None}
    assert world.plan == "large"
    (made,) = world.stripe.subscriptions.values()
    assert [item["price"]["id"] for item in made["items"]["data"]] == ["price_large"]
    assert world.olga.post("/payment/portal").json() == {"url": f"{world.stripe.url}/portal/cus_1"}


def test_an_operators_later_choice_stands(world):
    from apps.billing import api as billing

    world.subscribed()
    with tenancy.entered(world.tenant):
        billing.set_quota(plan="large")
    world.send(number=7)
    world.run()
    assert world.plan == "large"


GARBAGE = (
    b"{}",
    b"[" * 5000,
    b"\xff\xfe",
    b'{"id":1,"type":2,"created":"x","data":{"object":3}}',
    b'{"id":"e","type":"x"}',
)


@pytest.mark.parametrize("signature", ["", "t=1,v1=00", "nonsense\u00e9", "t=,v1="])
def test_what_is_not_signed_is_refused_and_not_kept(world, signature):
    answer = world.send(signature=signature)
    assert (answer.status_code, answer.json()["code"]) == (400, "billing.notice_refused")
    assert not models.PaymentNotice.objects.exists()


@pytest.mark.parametrize("body", GARBAGE)
def test_what_is_signed_and_not_readable_is_refused_and_not_kept(world, body):
    assert world.send(body=body).status_code == 400
    content = notice("customer.subscription.updated", {"customer": "cus_1"})
    assert world.send(body=content, signature=sign(content, secret="whsec_of_another")).status_code == 400
    assert not models.PaymentNotice.objects.exists()


def test_an_old_signature_is_refused_and_either_of_two_secrets_is_good(world, settings):
    content = notice("customer.subscription.updated", {"customer": "cus_1"})
    old = sign(content, at=clock.now().timestamp() - 301)
    assert world.send(body=content, signature=old).status_code == 400
    settings.BITVAULT_STRIPE = {**settings.BITVAULT_STRIPE, "webhook_secret": "whsec_new,whsec_of_a_test"}
    assert world.send(body=content).status_code == 200
    assert world.send(body=content, signature=sign(content, secret="whsec_new")).status_code == 200
    assert models.PaymentNotice.objects.count() == 1


def test_a_body_without_end_is_refused(world):
    content = notice("x", {"object": "y" * 600_000})
    assert world.send(body=content).status_code == 413


def test_unknown_notices_are_kept_and_nothing_follows(world):
    world.choose()
    assert world.send("customer.tax_id.created", number=1).status_code == 200
    assert world.send("invoice.paid", number=2, customer="cus_of_nobody").status_code == 200
    assert world.send("invoice.paid", number=3, customer=None).status_code == 200
    assert set(models.PaymentNotice.objects.values_list("state", flat=True)) == {"ignored"}
    assert world.run() == 0


def test_doubled_and_mixed_up_notices_lead_to_what_is_so(world):
    world.choose()
    made = world.stripe.subscribe("cus_1", "price_team")
    made["status"] = "canceled"
    # The end is told before the beginning, and each twice.
    for _ in range(2):
        assert world.send("customer.subscription.deleted", number=2).status_code == 200
        assert world.send("customer.subscription.created", number=1).status_code == 200
    assert world.run() == 2
    assert world.plan == "default"
    assert world.told == []
    assert set(models.PaymentNotice.objects.values_list("id", "state")) == {("evt_1", "done"), ("evt_2", "done")}


def test_an_overdue_payment_has_its_grace_and_nothing_ends_without_a_reminder(world):
    made = world.subscribed()
    made["status"] = "past_due"
    world.send("invoice.payment_failed", number=2)
    world.run()
    ends = world.account.grace_ends_at
    assert ends - clock.now() > timedelta(days=13)
    assert world.plan == "team"
    # Nobody looked for a month: the reminder comes first, and a day passes.
    late = clock.now() + timedelta(days=30)
    with clock.fixed_at(late):
        arriving.look_after()
        world.run()
        assert world.plan == "team"
        assert world.account.grace_ends_at == late + settling.NOTICE
    with clock.fixed_at(late + timedelta(days=1, minutes=1)):
        arriving.look_after()
        world.run()
        assert world.plan == "default"
        assert arriving.look_after() == 0
    assert world.told == ["subscription.started", "payment.failed", "payment.reminded", "subscription.ended"]
    made["status"] = "active"
    world.send("invoice.paid", number=3)
    world.run()
    assert world.plan == "team"
    assert world.told[-1] == "subscription.started"


def test_a_payment_within_the_grace_ends_it(world):
    made = world.subscribed()
    made["status"] = "past_due"
    world.send(number=2)
    world.run()
    made["status"] = "active"
    world.send(number=3)
    world.run()
    assert world.told == ["subscription.started", "payment.failed", "payment.settled"]
    assert world.account.grace_ends_at is None


def test_a_canceled_subscription_leaves_the_default_plan(world):
    world.subscribed()["status"] = "canceled"
    world.send("customer.subscription.deleted", number=2)
    world.run()
    assert world.plan == "default"
    assert world.told == ["subscription.started", "subscription.ended"]


def test_while_stripe_is_away_requests_end_soon_and_nothing_is_taken_away(world, monkeypatch):
    from apps.billing.payment import stripe_adapter

    monkeypatch.setattr(stripe_adapter, "ANSWER_SECONDS", 0.5)
    monkeypatch.setattr(stripe_adapter, "PATIENT_ANSWER_SECONDS", 0.5)
    stripe_adapter._client.cache_clear()
    made = world.subscribed()
    made["status"] = "canceled"
    world.stripe.says = ["slow", 500]
    world.send(number=2)
    world.run()
    assert world.plan == "team"
    row = models.PaymentNotice.objects.get(id="evt_2")
    assert row.state == "failed"
    assert world.account.error == row.error == "APIError 500 req_test"
    world.stripe.says = [500, 500]
    answer = world.choose("large")
    assert (answer.status_code, answer.json()["code"]) == (503, "billing.payment_unavailable")
    # The job is tried again by itself.
    with clock.fixed_at(clock.now() + timedelta(minutes=1)):
        world.run()
    assert world.plan == "default"
    assert models.PaymentNotice.objects.get(id="evt_2").state == "done"
    assert world.account.error == ""


def test_an_answer_that_is_lost_makes_no_second_customer_and_no_second_checkout(world):
    world.stripe.says = ["lost"]
    world.choose()
    assert len(world.stripe.customers) == 1
    world.stripe.says = [None, None, "lost"]
    world.choose()
    assert [one["status"] for one in world.stripe.sessions.values()] == ["expired", "open"]


def test_a_wrong_key_is_an_error_for_operators_that_names_nobody(world, settings):
    world.choose()
    settings.BITVAULT_STRIPE = {**settings.BITVAULT_STRIPE, "key": "sk_of_another"}
    assert world.choose().status_code == 503
    assert world.account.error == "AuthenticationError 401 req_test"


def test_of_two_who_ask_at_once_one_waits(world):
    world.choose()
    models.PaymentAccount.objects.update(claimed_until=clock.now() + timedelta(minutes=1))
    world.stripe.subscribe("cus_1", "price_team")
    world.send()
    assert world.run() == 1
    assert world.plan == "default"
    with clock.fixed_at(clock.now() + timedelta(minutes=2)):
        world.run()
    assert world.plan == "team"


def test_a_price_of_no_plan_is_told_to_operators(world):
    world.choose()
    world.stripe.subscribe("cus_1", "price_of_nothing")
    world.send()
    world.run()
    assert world.account.error == settling.UNMAPPED
    assert world.plan == "default"


def test_a_deleted_tenants_subscription_is_ended(world, acme):
    from apps.billing.api import paying

    made = world.subscribed()
    for _ in range(2):
        with tenancy.entered(acme):
            paying.forget_payment(tenant_id=acme.id)
    assert world.run() == 1
    assert made["status"] == "canceled"
    assert not models.PaymentNotice.objects.exists()
