"""Pictures in the browser: one that was removed comes back by Undo, a logo too, and administrators remove a member's."""

import pytest
from playwright.sync_api import expect

from tests.apps.previews.pictures import picture
from tests.journeys.browser.conftest import sign_in
from tests.support.world import ACME, PASSWORD


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "me.png"
    path.write_bytes(picture())
    return path


def test_a_picture_comes_back_by_undo_and_administrators_remove_it_for_good(visitor, live, vault, file):
    page = vault.visit("/settings/").page
    own = page.locator("[data-picture-of=own]")
    own.locator("input[type=file]").set_input_files(file)
    expect(vault.toast).to_contain_text("Your picture is set.")
    own.get_by_role("button", name="Remove").click()
    expect(vault.toast).to_contain_text("Your picture is removed.")
    expect(page.locator(".avatar-large img")).to_have_count(0)
    vault.toast.get_by_role("button", name="Undo").click()
    expect(page.locator(".avatar-large img")).to_be_visible()

    adam = visitor()
    sign_in(adam, live.tenant_url, ACME.people["adam"].email, PASSWORD)
    adam.wait_for_url(f"{live.tenant_url}/files/")
    adam.goto(f"{live.tenant_url}/members/")
    row = adam.locator(f'tr[data-user-id="{ACME.people["mia"].user_id}"]')
    expect(row.locator(".avatar img")).to_be_visible()
    row.get_by_role("button", name="Actions for Mia").press("Enter")
    adam.get_by_role("menuitem", name="Remove picture…").press("Enter")
    adam.get_by_role("dialog").get_by_role("button", name="Remove", exact=True).click()
    expect(row.locator(".avatar img")).to_have_count(0)

    adam.goto(f"{live.tenant_url}/settings/team/")
    logo = adam.locator("[data-picture-of=logo]")
    logo.locator("input[type=file]").set_input_files(file)
    expect(adam.locator(".side-brand .brand-logo")).to_be_visible()
    logo.get_by_role("button", name="Remove").click()
    expect(adam.locator(".brand-logo")).to_have_count(0)
    adam.locator(".toast").last.get_by_role("button", name="Undo").click()
    expect(adam.locator(".side-brand .brand-logo")).to_be_visible()
