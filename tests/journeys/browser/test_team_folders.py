"""Team folders in the browser: made, found, worked in, moved into, closed and brought back, by mouse, keyboard and thumb."""

import re

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.conftest import sign_in
from tests.journeys.browser.vault import Vault
from tests.support.shares import by_rest
from tests.support.world import ACME, PASSWORD

ADD_MAX = """
from apps.identity import api as identity
from bitvault.kernel.actor import Role
tenant = identity.find_tenant_by_host(host="acme.localhost")
identity.add_member(tenant=tenant, email="max@acme.test", role=Role.MEMBER, name="Max", password="{password}")
"""


@pytest.fixture(scope="module")
def max_(live):
    """A third person, who is on no list."""
    live.applications.finish(
        live.applications.command("inside", "shell", "--command", ADD_MAX.format(password=PASSWORD))
    )
    return "max@acme.test"


@pytest.fixture
def enter(visitor, live):
    """Sign somebody in, in a browser of their own."""

    def enter_as(email: str, **options) -> Vault:
        page = visitor(**options)
        sign_in(page, live.tenant_url, email, PASSWORD)
        page.wait_for_url(f"{live.tenant_url}/files/")
        return Vault(page, live.tenant_url)

    return enter_as


@pytest.fixture
def adam(enter):
    return enter(ACME.people["adam"].email)


@pytest.fixture(autouse=True)
def ended_after(live):
    """No test sees the team folders of the one before."""
    yield
    administrator = live.client("adam")
    for team in administrator.get("/team-folders").json()["items"]:
        administrator.request("DELETE", f"/team-folders/{team['id']}")
    for team in administrator.get("/team-folders", ended="true").json()["items"]:
        administrator.request("DELETE", f"/trash/{team['id']}")


@pytest.fixture
def team(live):
    """A team folder in which mia edits."""
    made = live.client("adam").post("/team-folders", {"name": "Design"}).json()
    live.client("adam").post(f"/nodes/{made['id']}/shares", by_rest(ACME.people["mia"].user_id, "editor"))
    return made


def dialog(vault):
    return vault.page.get_by_role("dialog")


def go_to_teams(vault):
    vault.page.get_by_role("link", name="Team folders", exact=True).click()
    expect(vault.page.get_by_role("heading", name="Team folders", exact=True)).to_be_visible()


def test_an_administrator_makes_one_for_two_who_find_it_and_work_in_it_while_a_third_sees_nothing(
    adam, enter, max_, tmp_path, live
):
    go_to_teams(adam)
    adam.page.get_by_role("button", name="New team folder").click()
    adam.page.get_by_role("textbox", name="Folder name").fill("Launch 2027")
    adam.page.get_by_role("button", name="Create").click()
    sharing = adam.page.get_by_role("dialog", name="Share “Launch 2027”")
    for person in ("Mia", "Vera"):
        sharing.get_by_role("combobox", name="Add people and groups").fill(person)
        sharing.get_by_role("option", name=person).click()
    sharing.get_by_label("What they may do").select_option(label="Can edit")
    sharing.get_by_role("button", name="Share", exact=True).click()
    expect(sharing.get_by_role("status")).to_contain_text("Shared with Mia and Vera: Can edit.")
    sharing.get_by_label("What Vera may do").select_option(label="Can view")
    expect(sharing.get_by_role("status")).to_contain_text("Vera: Can view.")
    sharing.get_by_role("button", name="Done").click()
    expect(adam.page.locator(".team", has_text="Launch 2027")).to_contain_text("Can manage")

    mia = enter(live.email)
    go_to_teams(mia)
    expect(mia.page.locator(".team")).to_contain_text("Can edit")
    mia.page.locator(".team").get_by_role("link").click()
    expect(mia.page.get_by_role("heading", name="Launch 2027")).to_be_visible()
    expect(mia.page.get_by_role("navigation", name="Folder path")).to_contain_text("Team folders")
    plan = tmp_path / "plan.txt"
    plan.write_text("what we do")
    with mia.page.expect_file_chooser() as chooser:
        mia.page.get_by_role("button", name="Upload files").first.click()
    chooser.value.set_files(plan)
    mia.expect_uploaded("plan.txt")
    mia.expect_names("plan.txt")

    vera = enter(ACME.people["vera"].email)
    vera.page.locator("#side-teams").get_by_role("link", name="Launch 2027").click()
    vera.expect_names("plan.txt")
    expect(vera.page.get_by_role("button", name="Upload")).to_have_count(0)

    third = enter(max_)
    go_to_teams(third)
    expect(third.page.get_by_role("heading", name="No team folders yet")).to_be_visible()
    expect(third.page.locator("#side-teams")).to_be_hidden()
    answer = third.page.goto(mia.page.url)
    assert answer.status == 404


def test_things_are_moved_into_a_team_folder_by_the_dialog_and_found_in_its_own_trash(vault, api, team, root_id):
    file = api.post("/folders", {"parent_id": root_id, "name": "For the team"}).json()
    vault.visit("/files/")
    vault.select("For the team")
    vault.command("Move")
    dialog(vault).get_by_role("button", name="All folders").click()
    dialog(vault).get_by_role("option", name="Design").click()
    dialog(vault).get_by_role("button", name="Move here").click()
    expect(vault.toast).to_contain_text("moved to Design")
    assert api.get(f"/nodes/{file['id']}").json()["parent_id"] == team["id"]
    vault.page.locator("#side-teams").get_by_role("link", name="Design").click()
    vault.expect_names("For the team")
    expect(vault.page.locator("#side-teams [aria-current]")).to_have_text("Design")
    vault.select("For the team")
    vault.command("Move to trash")
    vault.page.get_by_role("link", name="Trash", exact=True).click()
    vault.page.get_by_role("button", name="Trash of My files").click()
    vault.page.get_by_role("menuitemradio", name="Design").click()
    vault.expect_names("For the team")
    expect(vault.page.get_by_role("button", name="Delete permanently")).to_have_count(0)
    vault.select("For the team")
    vault.command("Restore")
    vault.expect_names()
    assert api.get(f"/nodes/{file['id']}").json()["parent_id"] == team["id"]


def test_rows_are_dragged_between_ones_own_files_and_a_team_folder(vault, api, team, root_id):
    node = api.post("/folders", {"parent_id": root_id, "name": "To and fro"}).json()
    vault.visit("/files/")
    link = vault.page.locator("#side-teams").get_by_role("link", name="Design")
    vault.row("To and fro").drag_to(link)
    expect(vault.toast).to_contain_text("moved to Design")
    link.click()
    vault.expect_names("To and fro")
    vault.row("To and fro").drag_to(vault.page.get_by_role("link", name="My files", exact=True))
    expect(vault.toast).to_contain_text("moved to My files")
    assert api.get(f"/nodes/{node['id']}").json()["parent_id"] == root_id


def test_one_is_renamed_closed_and_brought_back_where_it_is_managed(team, adam, live):
    adam.page.locator("#side-teams").get_by_role("link", name="Design").click()
    adam.page.get_by_role("button", name="Share this folder").click()
    sharing = adam.page.get_by_role("dialog")
    expect(sharing).to_contain_text("Owners and administrators")
    sharing.get_by_label("Folder name").fill("Art")
    sharing.get_by_role("button", name="Rename").click()
    expect(sharing.get_by_role("heading", name="Share “Art”")).to_be_visible()
    sharing.get_by_role("combobox", name="Add people and groups").fill("every")
    sharing.get_by_role("option", name="Everyone in Acme").click()
    sharing.get_by_role("button", name="Share", exact=True).click()
    expect(sharing.get_by_role("status")).to_contain_text("Shared with Everyone in Acme: Can view.")
    sharing.get_by_role("button", name="Remove Mia").click()
    expect(sharing.get_by_role("status")).to_contain_text("Mia has no access any more.")
    sharing.get_by_role("button", name="Done").click()
    expect(adam.page.get_by_role("heading", name="Art")).to_be_visible()
    expect(adam.page.locator("#side-teams")).to_contain_text("Art")
    assert live.client("adam").get(f"/team-folders/{team['id']}").json()["name"] == "Art"
    shares = live.client("adam").get(f"/nodes/{team['id']}/shares").json()["items"]
    assert [(share["principal"]["type"], share["role"]) for share in shares] == [("everyone", "viewer")]
    adam.page.get_by_role("button", name="Share this folder").click()
    sharing.get_by_role("button", name="End folder").click()
    adam.page.get_by_role("dialog", name="End “Art”?").get_by_role("button", name="End folder").click()
    expect(adam.page.get_by_role("heading", name="Ended")).to_be_visible()
    adam.page.get_by_role("button", name="Bring back Art").click()
    expect(adam.page.get_by_role("heading", name="Ended")).to_be_hidden()
    expect(adam.page.locator(".team")).to_contain_text("Art")


def test_a_name_that_is_taken_is_said_in_the_dialog(team, adam):
    go_to_teams(adam)
    adam.page.get_by_role("button", name="New team folder").click()
    adam.page.get_by_role("textbox", name="Folder name").fill("design")
    adam.press("Enter")
    expect(dialog(adam).get_by_role("alert")).to_contain_text("There is a team folder “Design” already.")
    adam.press("Escape")
    expect(dialog(adam)).to_have_count(0)


def test_on_a_phone_they_stand_in_the_bar_at_the_bottom(phone, team):
    phone.visit("/files/")
    phone.page.get_by_role("link", name="Team folders", exact=True).tap()
    phone.page.locator(".team").get_by_role("link").tap()
    expect(phone.page.get_by_role("heading", name="Design")).to_be_visible()
    phone.page.get_by_role("link", name="Back to Team folders").tap()
    expect(phone.page).to_have_url(re.compile("/teams/$"))
    assert phone.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
