"""A folder goes back to what it was by its dialog: a moment is chosen, the changes are shown, done, and taken back."""

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import faults, poor_contrasts
from tests.support.sending import Sender
from tests.support.shares import by_rest
from tests.support.world import ACME


@pytest.fixture(scope="module", autouse=True)
def worker(live):
    """Jobs are done beside the web."""
    worker = live.start_worker()
    yield
    live.kill(worker)


def contents(api, folder):
    return {node["name"]: node["content_hash"] for node in api.get(f"/nodes/{folder['id']}/children").json()["items"]}


def test_what_a_device_did_to_a_folder_is_shown_undone_and_done_again(vault, api, folder, mkdir):
    work = mkdir("Work")
    sender = Sender(api, work["id"])
    plan, notes = sender.bring("plan.txt", b"plan"), sender.bring("notes.txt", b"notes")
    before = contents(api, work)
    device = api.post("/sync/devices", {"name": "Old laptop", "platform": "linux"}).json()
    by_device = {"BitVault-Device": device["id"]}
    for node in (plan, notes):
        renamed = api.request(
            "PATCH", f"/nodes/{node['id']}", {"name": f"{node['name']}.locked"}, headers={"If-Match": "*", **by_device}
        )
        assert renamed.status_code == 200, renamed.content
    api.request("POST", "/folders", {"parent_id": work["id"], "name": "RANSOM"}, headers=by_device)
    changed = contents(api, work)

    vault.open(folder)
    vault.row("Work").focus()
    vault.press("ContextMenu")
    vault.page.get_by_role("menuitem", name="Rewind this folder…").click()
    dialog = vault.page.get_by_role("dialog", name="Rewind “Work”")
    dialog.get_by_label("What is undone").select_option(label="Only what “Old laptop” did, of Mia (3 changes)")
    dialog.get_by_role("button", name="Show what changes").click()
    expect(dialog).to_contain_text("2 items get their earlier name or place.")
    expect(dialog).to_contain_text("1 newer item goes to the trash.")
    assert contents(api, work) == changed

    dialog.get_by_role("button", name="Rewind", exact=True).click()
    expect(vault.toast).to_contain_text("“Work” is as it was")
    assert contents(api, work) == before
    vault.toast.get_by_role("button", name="Undo").click()
    expect(vault.toast).to_contain_text("The rewind of “Work” is undone.")
    assert contents(api, work) == changed


def test_a_day_and_a_moment_are_chosen_by_the_keyboard_and_others_can_be_undone(vault, live, api, folder, mkdir):
    work = mkdir("Work")
    Sender(api, work["id"]).bring("plan.txt", b"plan")
    shared = api.post(f"/nodes/{work['id']}/shares", by_rest(ACME.people["olga"].user_id, "editor"))
    assert shared.status_code == 201, shared.content
    olga = live.client("olga")
    Sender(olga, work["id"]).bring("theirs.txt", b"theirs")
    page = vault.page
    page.emulate_media(reduced_motion="reduce")
    vault.open(work)
    page.get_by_role("button", name="Rewind this folder…").click()
    dialog = page.get_by_role("dialog", name="Rewind “Work”")
    days = dialog.get_by_role("listbox", name="Changes of the last 30 days")
    expect(days.get_by_role("option")).to_have_count(30)
    expect(dialog.locator("#rewind-graph-told")).to_have_text("2 changes")
    today = days.get_by_role("option").last
    today.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("status")).to_have_text("Nothing was changed on this day.")
    page.keyboard.press("End")
    expect(today).to_be_focused()
    page.keyboard.press("Space")
    moments = dialog.get_by_role("listbox", name="Moments of the day")
    expect(moments.get_by_role("option")).to_have_count(2)
    assert (faults(page), poor_contrasts(page)) == ([], [])
    moments.get_by_role("option").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(moments.get_by_role("option").last).to_have_attribute("aria-selected", "true")
    whose = dialog.get_by_label("What is undone")
    expect(dialog.get_by_label("Up to (optional)")).to_be_hidden()
    whose.select_option(label="Only what Olga did (1 change)")
    expect(dialog.get_by_label("Up to (optional)")).to_be_visible()
    for width in (1440, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    dialog.get_by_role("button", name="Show what changes").click()
    expect(dialog).to_contain_text("1 newer item goes to the trash.")
    expect(dialog.get_by_role("list", name="What changes")).to_contain_text("theirs.txt")
