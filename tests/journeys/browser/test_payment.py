"""Paying for a plan in the page: to Stripe and back, an overdue payment, another plan, the portal, and Stripe that does not answer."""

import os

import httpx
import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.support.stripe_server import KEY, SECRET, notice, sign, start_stripe
from tests.support.world import PASSWORD


@pytest.fixture(scope="module")
def stripe(live):
    it, server = start_stripe()
    it.prices = {"price_team": True, "price_large": True}
    live.kill_web()
    live.change(
        BITVAULT_PAYMENT="stripe",
        BITVAULT_STRIPE_KEY=KEY,
        BITVAULT_STRIPE_WEBHOOK_SECRET=SECRET,
        BITVAULT_STRIPE_URL=it.url,
    )
    live.start_web()
    started = [live.start_worker(), live.applications.group.launch(live.applications._beat())]
    with live.database() as database:
        for slug, room in (("team", 100 * 1024**3), ("large", 1024**4)):
            database.execute(
                "INSERT INTO billing_plan (id, slug, name, limit_bytes, prices) VALUES (gen_random_uuid(), %s, %s, %s, '[]')",
                [slug, slug.title(), room],
            )
            database.execute(
                "INSERT INTO billing_plan_price (id, plan_id, metric, price_id, event_name)"
                " SELECT gen_random_uuid(), id, 'plan', %s, '' FROM billing_plan WHERE slug = %s",
                [f"price_{slug}", slug],
            )
    yield it
    for process in started:
        live.kill(process)
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_page(visitor, live, stripe):
    """Open a page as Adam, who administers the vault."""

    def open_page(path, **options):
        page = visitor(reduced_motion="reduce", **options)
        sign_in(page, live.tenant_url, "adam@acme.test", PASSWORD)
        page.wait_for_url(f"{live.tenant_url}/files/")
        page.goto(f"{live.tenant_url}{path}")
        return page

    return open_page


def tell(live, number):
    body = notice("customer.subscription.updated", {"object": "subscription", "customer": "cus_1"}, number=number)
    answer = httpx.post(f"{live.bare_url}/payment/stripe", content=body, headers={"Stripe-Signature": sign(body)})
    assert answer.status_code == 200, answer.text


def await_state(live, state):
    api = live.client("adam")
    live.await_that(lambda: api.get("/payment").json()["state"] == state)


def look(page, name):
    if folder := os.environ.get("BITVAULT_SHOTS"):
        page.screenshot(path=f"{folder}/payment-{name}.png", full_page=True)


def test_a_plan_is_chosen_paid_for_changed_and_overdue(open_page, live, stripe):
    page = open_page("/usage/")
    expect(page.get_by_text("There is no subscription.")).to_be_visible()
    expect(page.get_by_role("button", name="Payment method and invoices")).to_have_count(0)
    look(page, "none")
    page.get_by_role("button", name="Choose plan Team").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("You are led to Stripe")
    dialog.get_by_role("button", name="Choose plan").click()
    page.wait_for_url(f"{stripe.url}/pay/**")
    page.get_by_role("link", name="Back").click()
    page.wait_for_url("**/usage/?payment=done")
    expect(page.get_by_text("Thank you.")).to_be_visible()
    look(page, "back")
    tell(live, 1)
    await_state(live, "paid")
    page.goto(f"{live.tenant_url}/usage/")
    expect(page.locator("tr[aria-current]")).to_contain_text("Team")
    expect(page.get_by_text("The plan is paid for by a subscription")).to_be_visible()
    page.get_by_role("button", name="Choose plan Large").click()
    expect(page.get_by_role("dialog")).to_contain_text("settled with the next invoice")
    page.get_by_role("dialog").get_by_role("button", name="Choose plan").click()
    expect(page.locator(".toast").last).to_contain_text("The plan is “Large” now.")
    expect(page.locator("tr[aria-current]")).to_contain_text("Large")
    (made,) = stripe.subscriptions.values()
    made["status"] = "past_due"
    tell(live, 2)
    await_state(live, "overdue")
    page.reload()
    expect(page.get_by_text("A payment has failed.")).to_be_visible()
    assert faults(page) == []
    look(page, "overdue")
    stripe.says = [500] * 4
    page.get_by_role("button", name="Payment method and invoices").click()
    expect(page.locator(".toast").last).to_contain_text("does not answer")
    stripe.says = []
    page.get_by_role("button", name="Change the payment method").click()
    page.wait_for_url(f"{stripe.url}/portal/cus_1")


@pytest.mark.parametrize("width", [390, 768])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_good_to_read_on_small_screens(open_page, width, scheme):
    page = open_page("/usage/", viewport={"width": width, "height": 844}, color_scheme=scheme)
    expect(page.get_by_text("A payment has failed.")).to_be_visible()
    if width < 760:  # between, headings of the rail are lines
        assert poor_contrasts(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    look(page, f"{width}-{scheme}")


def test_the_notice_is_told_in_german(open_page):
    page = open_page("/notifications/")
    page.set_extra_http_headers({"Accept-Language": "de"})
    page.reload()
    expect(page.get_by_text("Eine Zahlung für den Tarif „Large“ ist fehlgeschlagen")).to_be_visible()
    expect(page.get_by_text("Der Tresor hat jetzt den Tarif „Team“")).to_be_visible()
    look(page, "german")
    page.goto(page.url.replace("/notifications/", "/usage/"))
    expect(page.get_by_text("Zahlungsmittel und Rechnungen")).to_be_visible()
    look(page, "german-usage")
