"""A folder goes back to what it was by its dialog: a moment is chosen, the changes are shown, done, and taken back."""

import pytest
from playwright.sync_api import expect

from tests.support.sending import Sender


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
    dialog.get_by_label("What is undone").select_option(label="Only what “Old laptop” did")
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
