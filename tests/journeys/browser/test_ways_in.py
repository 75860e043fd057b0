"""Signing in, signing up, signing out, and one's own account."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.vault import PATIENCE_SECONDS
from tests.support.world import ACME, PASSWORD


def test_a_wrong_password_is_told_beside_the_form_and_the_right_one_opens_the_vault(visitor, live):
    page = visitor()
    sign_in(page, live.tenant_url, live.email, "not the password")
    expect(page.get_by_role("alert")).to_contain_text("E-mail or password is wrong")
    expect(page.get_by_label("E-mail")).to_have_value(live.email)
    page.get_by_label("Password", exact=True).fill(live.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{live.tenant_url}/files/")
    expect(page.get_by_role("heading", name="My files")).to_be_visible()


def test_a_password_is_shown_and_hidden_again(visitor, live):
    page = visitor()
    page.goto(f"{live.tenant_url}/sign-in/")
    page.get_by_label("Password", exact=True).fill("what I typed")
    reveal = page.get_by_role("button", name="Show password")
    for kind, picture in (("text", "#eye-off"), ("password", "#eye")):
        reveal.click()
        expect(page.locator("#password")).to_have_attribute("type", kind)
        expect(reveal.locator("use")).to_have_attribute("href", re.compile(f"{picture}$"))


def test_whoever_is_signed_out_comes_back_to_where_they_were_going(visitor, live, folder):
    page = visitor()
    page.goto(f"{live.tenant_url}/files/{folder['id']}/?sort=size_bytes&order=desc")
    assert page.url.startswith(f"{live.tenant_url}/sign-in/?next=")
    page.get_by_label("E-mail").fill(live.email)
    page.get_by_label("Password", exact=True).fill(live.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{live.tenant_url}/files/{folder['id']}/?sort=size_bytes&order=desc")


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example/", "javascript:0"])
def test_a_sign_in_leads_to_no_other_place_whatever_the_link_says(visitor, live, elsewhere):
    page = visitor()
    page.goto(f"{live.tenant_url}/sign-in/?next={elsewhere}")
    page.get_by_label("E-mail").fill(live.email)
    page.get_by_label("Password", exact=True).fill(live.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{live.tenant_url}/files/")


def test_the_bare_host_leads_a_person_of_one_vault_straight_into_it(visitor, live):
    page = visitor()
    page.goto(f"{live.bare_url}/")
    page.wait_for_url(f"{live.bare_url}/sign-in/")
    page.get_by_label("E-mail").fill(live.email)
    page.get_by_label("Password", exact=True).fill(live.password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{live.tenant_url}/files/")
    expect(page.get_by_role("heading", name="My files")).to_be_visible()


def test_a_ticket_between_hosts_is_good_once(visitor, live):
    page = visitor()
    tickets = []
    page.on("request", lambda request: tickets.append(request.url) if "/enter/?ticket=" in request.url else None)
    sign_in(page, live.bare_url, live.email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    other = visitor()
    other.goto(tickets[0], referer=f"{live.bare_url}/")
    expect(other.get_by_role("alert")).to_contain_text("used or is too old")


def test_a_ticket_on_a_strangers_page_signs_nobody_in(visitor, live):
    """A fresh ticket, carried by a link from elsewhere: it would make the visitor work in the sender's account."""
    page = visitor()
    sign_in(page, live.bare_url, live.email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    answer = page.request.get(f"{live.bare_url}/vaults/{ACME.id}/open", max_redirects=0)
    link = answer.headers["location"]
    other = visitor()
    other.set_content(f'<a href="{link}">A lovely picture</a>')
    other.get_by_role("link").click()
    expect(other.get_by_role("alert")).to_contain_text("used or is too old")
    other.goto(f"{live.tenant_url}/files/")
    other.wait_for_url(f"{live.tenant_url}/sign-in/")


def test_a_new_vault_is_made_in_the_browser_and_is_ready_at_once(visitor, live):
    page = visitor()
    page.goto(f"{live.bare_url}/sign-up/")
    page.get_by_label("Name of the team").press_sequentially("Nordlicht Studio")
    expect(page.get_by_label("Address")).to_have_value("nordlicht-studio")
    page.get_by_label("Your name").fill("Nora Licht")
    page.get_by_label("E-mail").fill("nora@nordlicht.test")
    page.get_by_label("Password", exact=True).fill("password12")
    page.get_by_role("button", name="Create vault").click()
    expect(page.locator("#password-error")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Nora Licht")
    page.get_by_label("Password", exact=True).fill("lantern over cold water")
    page.get_by_role("button", name="Create vault").click()
    page.wait_for_url(re.compile(r"http://nordlicht-studio\.localhost:\d+/files/"))
    expect(page.get_by_role("heading", name="Your vault is ready")).to_be_visible()


def test_signing_out_ends_the_session_everywhere_in_this_browser(visitor, live):
    page = visitor()
    sign_in(page, live.tenant_url, live.email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url(f"{live.tenant_url}/sign-in/?left=1")
    page.goto(f"{live.tenant_url}/files/")
    page.wait_for_url(f"{live.tenant_url}/sign-in/")


def test_a_session_that_was_ended_elsewhere_asks_to_sign_in_and_keeps_the_place(visitor, live, vault, folder):
    page = visitor()
    sign_in(page, live.tenant_url, live.email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.goto(f"{live.tenant_url}/files/{folder['id']}/")

    vault.visit("/settings/security/")
    sessions = vault.page.locator("#sessions li")
    before = sessions.count()
    sessions.filter(has=vault.page.get_by_role("button", name="Sign out")).first.get_by_role("button").click()
    vault.page.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(sessions).to_have_count(before - 1)

    page.get_by_role("button", name="New folder").first.click()
    page.get_by_label("Name", exact=True).fill("Never")
    page.get_by_role("button", name="Create").click()
    dialog = page.get_by_role("dialog", name="You are signed out")
    expect(dialog).to_be_visible()
    dialog.get_by_role("link", name="Sign in").click()
    page.wait_for_url(f"{live.tenant_url}/sign-in/?next=*")
    assert parse_qs(urlsplit(page.url).query) == {"next": [f"/files/{folder['id']}/"]}


def test_a_token_is_shown_once_works_and_is_revoked(vault, live):
    vault.visit("/settings/tokens/")
    page = vault.page
    page.get_by_role("button", name="New token").click()
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("#token-error")).to_contain_text("Give it a name")
    page.get_by_label("Name", exact=True).fill("Nightly backup")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator("#secret")).to_contain_text("bv_")
    secret = page.locator("#secret").inner_text()
    assert live.client_of(secret).get("/me").json()["user"]["email"] == live.email
    page.get_by_role("button", name="Done").click()
    line = page.locator("#tokens li", has_text="Nightly backup")
    expect(line).to_contain_text("files:write")
    assert secret not in page.content()

    line.get_by_role("button", name="Revoke").click()
    page.get_by_role("dialog").get_by_role("button", name="Revoke").click()
    expect(line).to_have_count(0)
    live.await_that(lambda: live.client_of(secret).get("/me").status_code == 401, seconds=PATIENCE_SECONDS)


def test_a_password_is_changed_and_a_wrong_one_is_told_beside_its_field(visitor, live):
    page = visitor()
    sign_in(page, live.tenant_url, "adam@acme.test", PASSWORD)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.get_by_role("link", name="Settings").click()
    page.get_by_role("link", name="Security").click()
    page.get_by_role("button", name="Change password").click()
    page.get_by_label("Current password").fill("wrong one")
    page.get_by_label("New password").fill("a much better one")
    page.get_by_role("dialog").get_by_role("button", name="Change password").click()
    expect(page.locator("#current-error")).to_be_visible()
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("dialog").get_by_role("button", name="Change password").click()
    expect(page.locator(".toast")).to_contain_text("Password changed")

    other = visitor()
    sign_in(other, live.tenant_url, "adam@acme.test", "a much better one")
    other.wait_for_url(f"{live.tenant_url}/files/")


def test_a_viewer_is_offered_nothing_that_they_may_not_do(visitor, live):
    page = visitor()
    sign_in(page, live.tenant_url, "vera@acme.test", PASSWORD)
    page.wait_for_url(f"{live.tenant_url}/files/")
    expect(page.get_by_role("heading", name="Your vault is ready")).to_be_visible()
    for offer in ("Upload", "Upload files", "New folder"):
        expect(page.get_by_role("button", name=offer)).to_have_count(0)


def test_a_page_that_is_not_there_says_so_in_plain_words(vault):
    vault.visit("/files/01900000-0000-7000-8000-00000000dead/")
    expect(vault.page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    vault.page.get_by_role("link", name="To your files").click()
    expect(vault.page.get_by_role("heading", name="My files")).to_be_visible()


def test_a_person_chooses_language_and_rows_in_the_settings(visitor, live):
    page = visitor()
    sign_in(page, live.tenant_url, "vera@acme.test", PASSWORD)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.goto(f"{live.tenant_url}/settings/")
    page.get_by_role("radio", name="Comfortable").click()
    expect(page.locator("html")).to_have_attribute("data-density", "comfortable")
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Einstellungen")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-density", "comfortable")
    page.get_by_role("link", name="Meine Dateien").click()
    expect(page.get_by_role("heading", name="Meine Dateien")).to_be_visible()
    page.goto(f"{live.tenant_url}/settings/")
    page.get_by_label("Sprache").select_option("en")
    page.get_by_role("button", name="Speichern").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()


def test_from_a_vault_one_reaches_the_list_of_ones_vaults_without_a_password(visitor, live):
    page = visitor()
    sign_in(page, live.tenant_url, live.email, live.password)
    page.wait_for_url(f"{live.tenant_url}/files/")
    page.get_by_role("button", name="Account menu").click()
    page.get_by_role("menuitem", name="Other vaults").click()
    expect(page.get_by_role("heading", name="Your vaults")).to_be_visible()
