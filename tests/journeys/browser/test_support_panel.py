"""What a vault's owner sets and sees of support, in a browser: the policy, who has looked, and putting somebody out."""

import os

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_looks import faults
from tests.journeys.browser.test_support import admin
from tests.support.world import ACME, PASSWORD

__all__ = ["admin"]

SHOTS = os.environ.get("BITVAULT_SHOTS")
OLGA = ACME.people["olga"]


@pytest.fixture
def owner(live, visitor):
    page = visitor()
    sign_in(page, live.tenant_url, OLGA.email, PASSWORD)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.goto(f"{live.tenant_url}/settings/team/")
    return page


def shot(page, name):
    if not SHOTS:
        return
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            panel(page).scroll_into_view_if_needed()
            panel(page).screenshot(path=f"{SHOTS}-{name}-{width}-{scheme}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def panel(page):
    return page.get_by_role("region", name="Support", exact=True)


def choose(page, label):
    panel(page).get_by_label("What support may do").select_option(label=label)
    with page.expect_response(lambda answer: answer.request.method == "PATCH") as saved:
        panel(page).get_by_role("button", name="Save").click()
    assert saved.value.ok


def begin(admin, live, reason):
    admin.goto(f"http://admin.localhost:{live.port}/admin/impersonations/")
    admin.get_by_label("Tenant, by its address").fill("acme")
    admin.get_by_label("E-mail of the member").fill(live.email)
    admin.get_by_label("Why", exact=True).fill(reason)
    admin.get_by_role("button", name="Begin").click()


def test_an_owner_sets_the_policy_sees_a_visit_and_ends_it(owner, admin, live):
    expect(panel(owner)).to_contain_text("Nobody of support has looked at this vault.")
    shot(owner, "none")
    choose(owner, "Nobody of support gets in")
    begin(admin, live, "Ticket 4711: a shared folder is missing")
    expect(admin.get_by_text("lets nobody of support in")).to_be_visible()
    choose(owner, "Support may look, without contents of files")
    owner.reload()
    expect(panel(owner).get_by_label("What support may do")).to_have_value("look")

    reason = "Ticket 4711: a shared folder is missing, and " + "its long path ".strip() * 12
    begin(admin, live, reason)
    with admin.expect_popup() as opened:
        admin.get_by_role("link", name="Open the vault").click()
    vault = opened.value
    vault.wait_for_url(f"{live.tenant_url}/files/")
    owner.reload()
    visit = panel(owner).get_by_role("listitem").first
    expect(visit).to_contain_text("sue@operators.test")
    expect(visit).to_contain_text(f"as {live.email}")
    expect(visit).to_contain_text("Ticket 4711")
    expect(visit).to_contain_text("Looking now")
    shot(owner, "now")
    assert faults(owner) == []
    for width in (390, 1440):
        owner.set_viewport_size({"width": width, "height": 900})
        assert owner.evaluate("document.documentElement.scrollWidth <= innerWidth")

    end = visit.get_by_role("button", name="End now")
    end.focus()
    owner.keyboard.press("Enter")
    question = owner.get_by_role("dialog", name="End this visit?")
    expect(question).to_be_visible()
    owner.keyboard.press("Escape")
    expect(question).to_be_hidden()
    expect(end).to_be_focused()
    end.click()
    question.get_by_role("button", name="End now").click()
    expect(panel(owner).get_by_role("listitem").first).to_contain_text("ended by an administrator")
    expect(panel(owner).get_by_role("button", name="End now")).to_have_count(0)
    shot(owner, "ended")
    vault.goto(f"{live.tenant_url}/files/")
    vault.wait_for_url("**/sign-in/**")
