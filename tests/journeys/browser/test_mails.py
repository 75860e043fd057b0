"""What goes by mail, in a browser: an address proved by its code, a forgotten password replaced, and the mailbox that shows both."""

import re

import pytest
from playwright.sync_api import expect

from bitvault.mail import mailbox
from tests.journeys.browser.conftest import sign_in
from tests.support.world import PASSWORD

CODE = re.compile(r"^\s*([0-9A-Z][0-9A-Z-]{6,})\s*$", re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def _worker(live):
    """Mails are sent by a job."""
    worker = live.start_worker()
    yield
    live.kill(worker)


@pytest.fixture
def await_mail(live, visitor):
    """Wait for a mail to somebody in the mailbox's page, and give its text."""
    page = visitor()

    def wait(address: str, subject: str) -> str:
        mail = page.locator("article", has_text=address).filter(has=page.get_by_role("heading", name=subject)).first
        for _ in range(60):
            page.goto(f"{live.bare_url}{mailbox.page_path()}")
            if mail.count():
                return mail.locator(".mail-text").inner_text()
            page.wait_for_timeout(500)
        raise AssertionError(f"no mail came: {page.locator('main').inner_text()}")

    return wait


def sign_up(page, live, *, team: str, email: str, password: str) -> None:
    page.goto(f"{live.bare_url}/sign-up/")
    page.get_by_label("Name of the team").press_sequentially(team)
    page.get_by_label("Your name").fill("Nora Licht")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Create vault").click()
    page.wait_for_url(re.compile(r"/files/$"))


def test_an_address_is_proved_by_the_code_that_was_sent_to_it(visitor, live, await_mail):
    page = visitor()
    sign_up(page, live, team="Polarlicht", email="nora@polarlicht.test", password="lantern over cold water")
    page.get_by_role("link", name="Confirm your e-mail").first.click()
    expect(page.get_by_text("We have sent a mail to nora@polarlicht.test.")).to_be_visible()
    page.get_by_label("Code").fill("AAAA-BBBB")
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    expect(page.get_by_label("Code")).to_be_focused()

    first = CODE.search(await_mail("nora@polarlicht.test", "Confirm"))[1]
    page.get_by_label("Code").fill(first.lower())
    page.get_by_role("button", name="Confirm", exact=True).click()
    expect(page.get_by_role("heading", name="Your address is confirmed")).to_be_visible()
    page.get_by_role("link", name="Continue").click()
    expect(page.get_by_role("link", name="Confirm your e-mail")).to_have_count(0)


def test_a_forgotten_password_is_replaced_by_the_code_and_signs_everybody_out(visitor, live, await_mail):
    inside, page = visitor(), visitor()
    sign_in(inside, live.tenant_url, "vera@acme.test", PASSWORD)
    inside.wait_for_url(f"{live.tenant_url}/files/")

    page.goto(f"{live.tenant_url}/sign-in/")
    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill("vera@acme.test")
    page.get_by_role("button", name="Send the code").click()
    # The same is said of an address that nobody has.
    expect(page.get_by_role("status")).to_contain_text("If an account has this address, a code is on its way.")
    page.get_by_role("link", name="Enter the code").click()
    code = CODE.search(await_mail("vera@acme.test", "password"))[1]
    page.get_by_label("Code").fill(code)
    page.get_by_label("New password").fill("short")
    page.get_by_label("New password").evaluate("field => field.removeAttribute('minlength')")
    page.get_by_role("button", name="Change password").click()
    expect(page.locator("#password-error")).to_be_visible()
    expect(page.get_by_label("Code")).to_have_value(code)
    page.get_by_label("New password").fill("winter lights at noon")
    page.get_by_role("button", name="Change password").click()
    page.wait_for_url(re.compile(r"/sign-in/\?reset=1"))

    inside.goto(f"{live.tenant_url}/files/")
    inside.wait_for_url(f"{live.tenant_url}/sign-in/")
    sign_in(page, live.tenant_url, "vera@acme.test", "winter lights at noon")
    page.wait_for_url(f"{live.tenant_url}/files/")
    assert "password" in await_mail("vera@acme.test", "changed").lower()

    # A code is good once.
    page.goto(f"{live.bare_url}/reset-password/?code={code}")
    page.get_by_label("New password").fill("another one by a thief")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_role("alert")).to_contain_text("Ask for a new code")


def test_the_mailbox_opens_to_its_key_alone_and_can_be_read(visitor, live, await_mail):
    page = visitor(viewport={"width": 390, "height": 844})
    page.goto(f"{live.bare_url}/forgot-password/")
    page.get_by_label("E-mail").fill("adam@acme.test")
    page.get_by_role("button", name="Send the code").click()
    await_mail("adam@acme.test", "password")
    page.goto(f"{live.bare_url}{mailbox.page_path()}")
    expect(page.get_by_role("heading", name="Mailbox")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    mails = page.request.get(f"{live.bare_url}{mailbox.list_path()}").json()
    assert any(mail["to"] == ["adam@acme.test"] for mail in mails)
    assert page.request.get(f"{live.bare_url}/mailbox/guess/").status == 404
