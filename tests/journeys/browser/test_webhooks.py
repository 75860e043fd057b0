"""A webhook in the page: made with a secret that is shown once, tested, looked up, and sent again."""

import pytest
from playwright.sync_api import expect
from standardwebhooks import Webhook as Verifier

from tests.apps.webhooks.conftest import receiver
from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.support.world import PASSWORD

__all__ = ["receiver"]


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """A worker sends, and operators let webhooks reach this machine."""
    live.kill_web()
    live.change(BITVAULT_WEBHOOK_NETWORKS="127.0.0.0/8")
    live.start_web()
    worker = live.start_worker()
    yield
    live.kill(worker)


@pytest.fixture
def open_webhooks(visitor, live):
    """Open the page of webhooks as Adam, who administers the vault."""

    def open_page(**options):
        page = visitor(reduced_motion="reduce", **options)
        sign_in(page, live.tenant_url, "adam@acme.test", PASSWORD)
        page.wait_for_url(f"{live.tenant_url}/files/")
        page.goto(f"{live.tenant_url}/settings/webhooks/")
        return page

    return open_page


def make_webhook(page, url):
    """Make a webhook for what Mia does, by the form; returns its secret."""
    page.get_by_role("button", name="New webhook").click()
    dialog = page.get_by_role("dialog", name="New webhook")
    accept = dialog.get_by_role("button", name="Create webhook")
    accept.click()
    expect(dialog.locator("#webhook-error")).to_contain_text("Type the address of the receiver.")
    dialog.get_by_label("Address of the receiver").fill(url)
    person = dialog.get_by_label("Only by a person (optional)")
    person.fill("Nobody of this name")
    accept.click()
    expect(dialog.locator("#webhook-person-error")).to_contain_text("Choose a person from the list.")
    person.fill("mia@")
    expect(page.locator("#webhook-people option")).to_have_attribute("value", "Mia (mia@acme.test)")
    person.fill("Mia (mia@acme.test)")
    accept.click()
    shown = page.get_by_role("dialog", name="The webhook's secret")
    secret = shown.locator("code").inner_text()
    assert secret.startswith("whsec_")
    return secret


def test_a_webhook_is_made_tested_looked_up_and_sent_again(open_webhooks, receiver):
    page = open_webhooks()
    secret = make_webhook(page, receiver.url)
    page.get_by_role("button", name="Done").click()
    line = page.locator("#webhooks li", has_text=receiver.url)
    expect(line).to_contain_text(receiver.url)
    expect(line).to_contain_text("only by a person: Mia")
    assert secret not in page.content()

    line.get_by_role("link", name="Deliveries").click()
    expect(page.get_by_text("Nothing was sent yet.")).to_be_visible()
    page.get_by_role("button", name="Send a test").click()
    expect(page.locator(".toast").last).to_contain_text("The receiver has accepted it.")
    (got,) = receiver.got
    assert Verifier(secret).verify(got.body, got.headers)["type"] == "webhooks.test"

    log = page.locator(".webhook-delivery")
    expect(log).to_have_count(1)
    expect(log.locator("summary")).to_contain_text("Delivered")
    log.locator("summary").click()
    expect(log).to_contain_text(got.id)
    log.get_by_role("button", name="Send again").click()
    expect(log).to_have_count(2)
    expect(log.first.locator("summary")).to_contain_text("Delivered")
    first, second = receiver.got
    assert (first.id, first.body) == (second.id, second.body)


def test_a_webhook_is_edited_and_the_undo_takes_it_back(open_webhooks, receiver):
    page = open_webhooks()
    make_webhook(page, receiver.url)
    page.get_by_role("button", name="Done").click()
    page.locator("#webhooks li", has_text=receiver.url).last.get_by_role("link", name="Deliveries").click()
    page.get_by_role("button", name="Edit…").click()
    dialog = page.get_by_role("dialog", name="Edit webhook")
    expect(dialog.get_by_label("Only by a person (optional)")).to_have_value("Mia")
    dialog.get_by_label("Description (optional)").fill("For the archive")
    dialog.get_by_label("Shares").check()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#webhook-title")).to_have_text("For the archive")
    facts = page.locator(".webhook-facts")
    expect(facts).to_contain_text("sharing.*")
    expect(facts).to_contain_text("Mia")

    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator("#webhook-title")).to_have_text("Webhook")
    expect(facts).not_to_contain_text("sharing.*")
    expect(facts).to_contain_text("Mia")


@pytest.mark.parametrize(("width", "look"), [(390, "dark"), (1440, "light")])
def test_pages_and_dialogs_have_no_fault(open_webhooks, receiver, width, look):
    page = open_webhooks(viewport={"width": width, "height": 900}, color_scheme=look)

    def judge():
        assert faults(page) == []
        assert poor_contrasts(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")

    make_webhook(page, receiver.url)
    judge()
    page.get_by_role("button", name="Done").click()
    judge()
    page.get_by_role("button", name="New webhook").click()
    judge()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("link", name="Deliveries").last.click()
    judge()
    page.get_by_role("button", name="Edit…").click()
    judge()
