"""Support looks at a vault as one of its members, in a browser: from the operators' host into the vault, and out again."""

import os

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import faults

EMAIL = "sue@operators.test"
PASSWORD = "a long enough password"
SHOTS = os.environ.get("BITVAULT_SHOTS")


@pytest.fixture
def admin(live, visitor):
    """A full operator's browser, signed in."""
    live.manage("createsuperuser", "--noinput", "--email", EMAIL, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    page = visitor()
    page.goto(f"http://admin.localhost:{live.port}/admin/impersonations/")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    return page


def shot(page, name):
    if SHOTS:
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{SHOTS}-{name}-{width}.png")
        page.set_viewport_size({"width": 1280, "height": 800})


def test_support_begins_enters_reads_the_banner_and_ends(admin, live, api, root_id):
    api.post("/folders", {"parent_id": root_id, "name": "Seen by support"})
    assert faults(admin) == []
    shot(admin, "form")
    admin.get_by_label("Tenant, by its address").fill("acme")
    admin.get_by_label("E-mail of the member").fill(live.email)
    admin.get_by_label("Why", exact=True).fill("Ticket 4711: a shared folder is missing")
    admin.get_by_role("button", name="Begin").click()
    shot(admin, "onward")
    with admin.expect_popup() as opened:
        admin.get_by_role("link", name="Open the vault").click()
    vault = opened.value
    vault.wait_for_url(f"{live.tenant_url}/files/")
    banner = vault.get_by_role("complementary", name="Support")
    expect(banner).to_contain_text(f"{EMAIL} of support looks at this vault as")
    expect(vault.get_by_text("Seen by support")).to_be_visible()
    assert faults(vault) == []
    shot(vault, "files")
    vault.emulate_media(color_scheme="dark")
    shot(vault, "dark")
    vault.emulate_media(color_scheme="light")
    vault.goto(f"{live.tenant_url}/settings/tokens/")
    expect(banner).to_be_visible()
    expect(vault.get_by_role("heading", name="This is not open to support")).to_be_visible()
    shot(vault, "closed")
    vault.goto(f"{live.tenant_url}/shared/")
    banner.get_by_role("button", name="End").click()
    expect(vault.get_by_role("heading", name="You have left this vault")).to_be_visible()
    shot(vault, "left")
    vault.goto(f"{live.tenant_url}/files/")
    vault.wait_for_url("**/sign-in/**")
    admin.goto(f"http://admin.localhost:{live.port}/admin/impersonations/")
    expect(admin.get_by_role("row", name="Ticket 4711")).to_contain_text("by the operator")
    shot(admin, "list")
