"""Legal holds and rules in the browser: made from a folder's menu, and by the page of them."""

import os
from pathlib import Path

from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_locks import menu
from tests.journeys.browser.vault import Vault
from tests.support.world import ACME

SHOTS = os.environ.get("BITVAULT_SHOTS")


def shoot(page, name):
    """Keep a picture of the page in three widths for whoever asks for them."""
    if SHOTS:
        before = page.viewport_size
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=Path(SHOTS) / f"{name}-{width}.png")
        page.set_viewport_size(before)


def test_a_folder_is_put_on_hold_from_its_menu_and_a_rule_is_made(visitor, live):
    adam = Vault(visitor(), live.tenant_url)
    sign_in(adam.page, live.tenant_url, ACME.people["adam"].email, live.password)
    adam.page.wait_for_url(f"{live.tenant_url}/files/")
    client = live.client("adam")
    root_id = client.get("/me").json()["root_id"]
    client.post("/folders", {"parent_id": root_id, "name": "Contracts"})
    adam.page.goto(f"{live.tenant_url}/files/")
    menu(adam, "Contracts", "Put on legal hold…")
    dialog = adam.page.get_by_role("dialog", name="New legal hold")
    expect(dialog.get_by_label("Folder", exact=True)).to_have_value("Contracts")
    dialog.get_by_label("Reason").fill("Letter of May 3")
    shoot(adam.page, "new-hold")
    dialog.get_by_role("button", name="Put on hold").click()
    expect(dialog.locator("#retention-error")).to_contain_text("Give it a name.")
    dialog.get_by_label("Name", exact=True).fill("Case 12")
    dialog.get_by_role("button", name="Put on hold").click()
    expect(adam.toast).to_contain_text("“Case 12” is on hold.")
    line = adam.page.locator("[data-policy]", has_text="Case 12")
    expect(line).to_contain_text("Letter of May 3")
    line.get_by_role("button", name="What Case 12 covers").click()
    expect(adam.page.locator("#retention-covered")).to_contain_text("Contracts")
    adam.page.get_by_role("button", name="Close").click()
    adam.page.get_by_role("button", name="New rule").click()
    rule = adam.page.get_by_role("dialog", name="New retention rule")
    rule.get_by_label("Name", exact=True).fill("Ten years")
    rule.get_by_label("Applies to").select_option("The whole vault")
    rule.get_by_label("Keep for").fill("3650")
    shoot(adam.page, "new-rule")
    rule.get_by_role("button", name="Create rule").click()
    expect(adam.page.locator("[data-policy]", has_text="Ten years")).to_contain_text("Kept for 3650 days")
    shoot(adam.page, "retention")
