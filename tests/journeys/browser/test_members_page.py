"""A company moves in: the owner invites two people, one new and one known, makes one an administrator, and puts one out with a successor."""

import email
import email.policy
import re

from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.vault import Vault
from tests.support.sending import Sender
from tests.support.world import ACME, BETA, PASSWORD

NEW = "nina@elsewhere.test"
OUTSIDER = "gwen@partner.test"
KNOWN = BETA.people["mona"].email
OWN = "a sentence that nobody else has"


def read_link(live, address):
    """Read where the last mail to an address leads."""
    found = []

    def look():
        for file in sorted((live.directory / "mailbox").glob("*.eml"), reverse=True):
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            link = re.search(r"http\S+/invitation/\?code=\S+", mail.get_body(("plain",)).get_content())
            if mail["To"] == address and link:
                found.append(link[0])
                return True
        return False

    live.await_that(look)
    return found[0]


def row_of(page, name):
    return page.locator("tr", has_text=name)


def choose(page, name, item):
    row_of(page, name).get_by_role("button", name=f"Actions for {name}").click()
    page.locator("#member-menu").get_by_text(item, exact=True).click()


def test_an_owner_invites_two_people_makes_one_an_administrator_and_puts_one_out_with_a_successor(live, visitor):
    worker = live.start_worker()
    owner = visitor()
    sign_in(owner, live.tenant_url, ACME.people["olga"].email, PASSWORD)
    owner.wait_for_url(f"{live.tenant_url}/files/")
    owner.get_by_role("link", name="Members", exact=True).click()
    expect(owner.get_by_role("heading", name="Members", exact=True)).to_be_visible()
    expect(row_of(owner, "Mia")).to_contain_text("mia@acme.test")

    owner.get_by_role("button", name="Invite people").click()
    owner.get_by_label("E-mail addresses").fill(f"{NEW}, {KNOWN}, nonsense")
    owner.get_by_role("textbox", name="Message (optional)").fill("Come in!")
    owner.get_by_role("button", name="Send invitation").click()
    # What could not be sent stays, and says why.
    expect(owner.get_by_label("E-mail addresses")).to_have_value("nonsense")
    expect(owner.locator("#invite-error")).to_contain_text("nonsense")
    owner.get_by_role("button", name="Cancel").click()
    expect(owner.locator("#invitations")).to_contain_text(NEW)
    expect(owner.locator("#invitations")).to_contain_text(KNOWN)

    nina = visitor()
    nina.goto(read_link(live, NEW))
    expect(nina).to_have_url(re.compile(r"/invitation/$"))
    expect(nina.get_by_text("Come in!")).to_be_visible()
    nina.get_by_label("Your name").fill("Nina")
    nina.get_by_label("Choose a password").fill(OWN)
    nina.get_by_role("button", name="Accept invitation").click()
    nina.wait_for_url(f"{live.tenant_url}/files/")

    mona = visitor()
    mona.goto(read_link(live, KNOWN))
    mona.get_by_label("Your password").fill(PASSWORD)
    mona.get_by_role("button", name="Accept invitation").click()
    mona.wait_for_url(f"{live.tenant_url}/files/")

    owner.reload()
    expect(owner.locator("#invitations")).to_be_hidden()
    choose(owner, "Mona", "Administrator")
    expect(row_of(owner, "Mona")).to_contain_text("Administrator")

    mia = live.client("mia")
    Sender(mia, mia.get("/me").json()["root_id"]).bring("plan of mia.txt", b"what must not be lost")
    choose(owner, "Mia", "Remove from vault…")
    owner.get_by_label("Their files go to").select_option(label="Mona (mona@beta.test)")
    owner.get_by_role("button", name="Remove", exact=True).click()
    expect(row_of(owner, "mia@acme.test")).to_have_count(0)
    assert mia.get("/me").status_code == 401

    def handed_over():
        mona.reload()
        return mona.get_by_text("Files of Mia").count() > 0

    live.await_that(handed_over)
    mona.get_by_text("Files of Mia").first.dblclick()
    expect(mona.get_by_text("plan of mia.txt").first).to_be_visible()
    live.kill(worker)


def test_an_outsider_comes_by_a_share_sees_that_alone_and_is_put_out(live, visitor):
    started = [live.start_worker(), live.applications.group.launch(live.applications._beat())]
    olga = live.client("olga")
    root_id = olga.get("/me").json()["root_id"]
    tender = olga.post("/folders", {"parent_id": root_id, "name": "Tender"}).json()
    Sender(olga, tender["id"]).bring("offer.txt", b"what the outsider is to read")
    owner = visitor()
    sign_in(owner, live.tenant_url, ACME.people["olga"].email, PASSWORD)
    owner.wait_for_url(f"{live.tenant_url}/files/")
    vault = Vault(owner, live.tenant_url)
    vault.row("Tender").get_by_role("button", name="More actions").click()
    owner.get_by_role("menuitem", name="Share").click()
    dialog = owner.get_by_role("dialog", name="Share")
    dialog.get_by_role("combobox", name="Add people and groups").fill(OUTSIDER)
    dialog.get_by_role("option", name="Invite as a guest").click()
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(dialog.get_by_role("status")).to_contain_text(f"Shared with {OUTSIDER}")
    expect(dialog.locator("#share-people")).to_contain_text("invited as a guest")

    guest = visitor()
    guest.goto(read_link(live, OUTSIDER))
    expect(guest.get_by_role("heading", name="Open “Tender”")).to_be_visible()
    guest.get_by_label("Your name").fill("Gwen")
    guest.get_by_label("Choose a password").fill(OWN)
    guest.get_by_role("button", name="Accept invitation").click()
    guest.wait_for_url(f"{live.tenant_url}/shared/")

    def has_come():
        guest.reload()
        return guest.get_by_role("link", name="Tender").count() > 0

    live.await_that(has_come)
    rail = guest.get_by_role("navigation", name="Main").get_by_role("link")
    assert [one.strip() for one in rail.all_inner_texts()] == ["Shared with me", "Favourites", "Settings"]
    guest.get_by_role("link", name="Tender").click()
    expect(Vault(guest, live.tenant_url).row("offer.txt")).to_be_visible()
    expect(guest.get_by_role("button", name="Share")).to_have_count(0)
    guest.goto(f"{live.tenant_url}/members/")
    expect(guest.get_by_text("This is for members of the vault")).to_be_visible()

    owner.goto(f"{live.tenant_url}/members/")
    expect(owner.locator("#guests")).to_contain_text("Gwen")
    choose(owner, "Gwen", "Remove from vault…")
    expect(owner.get_by_text("what was shared with them ends")).to_be_visible()
    owner.get_by_role("button", name="Remove", exact=True).click()
    expect(owner.locator("#guests")).to_be_hidden()
    guest.goto(f"{live.tenant_url}/shared/")
    guest.wait_for_url(re.compile(r"/sign-in/"))
    for child in started:
        live.kill(child)


def test_a_role_of_the_vaults_own_is_made_given_and_deleted_with_a_successor(live, visitor):
    owner = visitor()
    sign_in(owner, live.tenant_url, ACME.people["olga"].email, PASSWORD)
    owner.wait_for_url(f"{live.tenant_url}/files/")
    owner.get_by_role("link", name="Roles", exact=True).click()
    owner.get_by_role("button", name="New role").click()
    owner.get_by_role("button", name="Create role").click()
    expect(owner.locator("#role-error")).to_be_visible()
    owner.get_by_label("Name", exact=True).fill("Bookkeeping")
    owner.get_by_role("checkbox", name="Manage storage and plan").check()
    owner.get_by_role("button", name="Create role").click()
    expect(owner.locator(".toast")).to_contain_text("The role “Bookkeeping” was created.")
    expect(row_of(owner, "Bookkeeping").first).to_contain_text("Nobody")

    owner.get_by_role("link", name="Members", exact=True).click()
    choose(owner, "Adam", "Bookkeeping")
    expect(row_of(owner, "adam@acme.test")).to_contain_text("Bookkeeping")
    assert live.client("adam").get("/statements").status_code == 200
    assert live.client("adam").get("/audit").status_code == 403

    owner.get_by_role("link", name="Roles", exact=True).click()
    row_of(owner, "Bookkeeping").first.get_by_role("button", name="Delete Bookkeeping").click()
    owner.get_by_label("They get").select_option(label="Administrator")
    owner.get_by_role("button", name="Delete role").click()
    expect(row_of(owner, "Bookkeeping")).to_have_count(0)
    owner.get_by_role("link", name="Members", exact=True).click()
    expect(row_of(owner, "adam@acme.test")).to_contain_text("Administrator")


def test_the_deletion_of_a_vault_is_told_on_every_page_and_taken_back(live, visitor):
    owner = visitor()
    sign_in(owner, live.tenant_url, ACME.people["olga"].email, PASSWORD)
    owner.wait_for_url(f"{live.tenant_url}/files/")
    owner.goto(f"{live.tenant_url}/settings/team/")
    owner.get_by_label("Type “Acme” to confirm").fill("Beta")
    owner.get_by_role("button", name="Delete the vault").click()
    expect(owner.locator("#vault-deletion-error")).to_be_visible()
    owner.get_by_label("Type “Acme” to confirm").fill("Acme")
    owner.get_by_role("button", name="Delete the vault").click()
    banner = owner.get_by_role("complementary", name="Deletion of the vault")
    expect(banner).to_contain_text("This vault is to be deleted with everything in it")
    owner.goto(f"{live.tenant_url}/files/")
    banner.get_by_role("button", name="Keep the vault").click()
    expect(banner).to_have_count(0)
    assert live.client("olga").get("/tenant").json().get("deletion") is None
