"""Rules for earlier versions in the browser: set on the vault's page, asked about before they delete, and told where versions are listed."""

from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.test_retention import shoot
from tests.journeys.browser.test_versions import open_history
from tests.journeys.browser.vault import Vault
from tests.support.world import ACME


def test_rules_are_set_by_keyboard_asked_about_and_told_in_the_history(visitor, live, vault, folder, sender):
    adam = Vault(visitor(), live.tenant_url)
    page = adam.page
    sign_in(page, live.tenant_url, ACME.people["adam"].email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    client = live.client("adam")
    page.goto(f"{live.tenant_url}/settings/team/")
    form = page.locator("#versions-form")
    count = form.get_by_label("Earlier versions of each file at most (optional)")
    days = form.get_by_label("Keep earlier versions for at most (days, optional)")
    save = form.get_by_role("button", name="Save")
    sure = page.get_by_role("dialog", name="Delete earlier versions by these rules?")
    form.scroll_into_view_if_needed()
    shoot(page, "version-rules")

    # What cannot be is said at its field, and nothing is kept of it.
    for field, value, said in (
        (count, "1.5", "Type a whole number, or nothing."),
        (days, "4000", "Earlier versions are kept for 1 to 3650 days."),
    ):
        field.fill(value)
        field.press("Enter")
        if value == "4000":
            sure.get_by_role("button", name="Save the rules").click()
        expect(form.get_by_role("alert")).to_contain_text(said)
        expect(field).to_be_focused()
        field.fill("")
    assert client.get("/tenant").json()["policies"]["versions_keep_days"] is None

    # Stricter rules are asked about; who thinks again has changed nothing.
    count.fill("20")
    count.press("Enter")
    expect(sure).to_be_visible()
    expect(sure).to_contain_text("Today they would delete nothing. In all files of the vault")
    shoot(page, "version-rules-sure")
    page.keyboard.press("Escape")
    assert client.get("/tenant").json()["policies"]["versions_keep_count"] is None
    form.get_by_label("Keep fewer versions the older they are").check()
    save.click()
    sure.get_by_role("button", name="Save the rules").click()
    expect(adam.toast).to_contain_text("The rules are saved.")
    policies = client.get("/tenant").json()["policies"]
    assert (policies["versions_keep_count"], policies["versions_thinning"]) == (20, True)

    # Looser ones are not.
    count.fill("")
    save.click()
    expect(save).to_be_enabled()
    expect(sure).to_be_hidden()
    assert client.get("/tenant").json()["policies"]["versions_keep_count"] is None
    count.fill("20")
    save.click()
    sure.get_by_role("button", name="Save the rules").click()
    expect(sure).to_be_hidden()
    expect(save).to_be_enabled()
    assert client.get("/tenant").json()["policies"]["versions_keep_count"] == 20

    # Whoever looks at the history of a file is told.
    sender.bring("plan.txt", b"first")
    for number in range(3):
        sender.bring("plan.txt", f"{number}. plan".encode(), mode="overwrite")
    count.fill("1")
    save.click()
    expect(sure).to_contain_text("About 2 earlier versions, 12 bytes, would be deleted.")
    shoot(page, "version-rules-foretold")
    page.keyboard.press("Escape")
    vault.open(folder)
    dialog = open_history(vault, "plan.txt")
    expect(dialog).to_contain_text("At most 20 earlier versions are kept.")
    expect(dialog).to_contain_text("Versions with a name or a pin stay.")
    shoot(vault.page, "version-rules-history")
    vault.press("Escape")
    vault.page.emulate_media(color_scheme="dark")
    page.emulate_media(color_scheme="dark")
    shoot(page, "version-rules-dark")

    client.patch("/tenant", {"policies": {"versions_keep_count": None, "versions_thinning": False}})


def test_a_form_whose_answer_has_not_come_is_not_sent_again(visitor, live):
    adam = Vault(visitor(), live.tenant_url)
    page = adam.page
    sign_in(page, live.tenant_url, ACME.people["adam"].email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.goto(f"{live.tenant_url}/settings/team/")
    form = page.locator("#versions-form")
    save = form.get_by_role("button", name="Save")
    held = []

    def hold(route):
        held.append(route)

    page.route("**/api/v1/tenant", hold)

    save.click()
    expect(save).to_have_attribute("data-busy", "")
    form.get_by_label("Keep earlier versions for at most (days, optional)").press("Enter")
    save.click(force=True)
    page.wait_for_timeout(300)
    assert len(held) == 1

    held[0].continue_()
    expect(adam.toast).to_contain_text("The rules are saved.")
    expect(save).to_be_enabled()
    save.click()
    expect(save).to_have_attribute("data-busy", "")
    assert len(held) == 2
    held[1].continue_()
    expect(save).to_be_enabled()


def test_a_long_page_says_at_its_side_what_stands_on_it(visitor, live):
    page = visitor(viewport={"width": 1440, "height": 800})
    sign_in(page, live.tenant_url, ACME.people["adam"].email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.goto(f"{live.tenant_url}/settings/team/")
    outline = page.get_by_role("navigation", name="On this page")
    assert outline.get_by_role("link").all_inner_texts() == page.locator(".settings .panel-head h2").all_inner_texts()
    link = outline.get_by_role("link", name="Earlier versions of files")
    link.click()
    expect(page.get_by_role("heading", name="Earlier versions of files")).to_be_in_viewport()
    expect(link).to_have_attribute("aria-current", "true")
    expect(outline.locator("[aria-current]")).to_have_count(1)
    shoot(page, "outline")
    page.set_viewport_size({"width": 1024, "height": 800})
    expect(outline).to_be_hidden()
    page.goto(f"{live.tenant_url}/settings/domains/")
    expect(page.locator(".outline")).to_have_count(0)
