"""Locks in the list: taken, changed and ended by the menu, told to others, and ended by who manages the file."""

import re

from playwright.sync_api import expect

from tests.support.world import ACME


def menu(vault, name, item):
    vault.row(name).focus()
    vault.press("ContextMenu")
    vault.page.get_by_role("menuitem", name=item, exact=True).click()


def offered(vault, name):
    """What the menu of a row offers about locks."""
    vault.row(name).focus()
    vault.press("ContextMenu")
    shown = vault.page.locator("#row-menu [data-command]:visible").all_inner_texts()
    vault.press("Escape")
    return [text.strip() for text in shown if "ock" in text]


def flag(vault, name):
    return vault.row(name).locator("[data-lock]")


def test_a_file_is_locked_changed_and_unlocked_by_the_menu(vault, api, folder, sender):
    file = sender.bring("plan.txt", b"1")
    sender.bring("other.txt", b"2")
    vault.open(folder)
    expect(flag(vault, "plan.txt")).to_be_hidden()
    assert offered(vault, "plan.txt") == ["Lock…"]
    menu(vault, "plan.txt", "Lock…")
    dialog = vault.page.get_by_role("dialog", name="Lock file")
    expect(dialog.get_by_label("Reason")).to_be_focused()
    dialog.get_by_label("Reason").fill("Numbers are not final")
    dialog.get_by_label("Ends").select_option("In 3 days")
    vault.press("Tab", "Tab", "Tab", "Enter")
    expect(vault.toast).to_contain_text("“plan.txt” is locked until")
    expect(flag(vault, "plan.txt")).to_be_visible()
    expect(flag(vault, "plan.txt")).to_have_attribute(
        "title", re.compile(r"^Locked by you until .+: Numbers are not final$")
    )
    assert api.get(f"/nodes/{file['id']}").json()["lock"]["device"] == "web"
    assert offered(vault, "plan.txt") == ["Change lock…", "Unlock"]
    assert offered(vault, "other.txt") == ["Lock…"]
    menu(vault, "plan.txt", "Change lock…")
    dialog = vault.page.get_by_role("dialog", name="Change lock")
    expect(dialog.get_by_label("Reason")).to_have_value("Numbers are not final")
    dialog.get_by_label("Reason").fill("Nearly done")
    dialog.get_by_role("button", name="Save").click()
    expect(flag(vault, "plan.txt")).to_have_attribute("title", re.compile("Nearly done$"))
    menu(vault, "plan.txt", "Unlock")
    expect(flag(vault, "plan.txt")).to_be_hidden()
    vault.toast.get_by_role("button", name="Undo").click()
    expect(flag(vault, "plan.txt")).to_have_attribute("title", re.compile("Nearly done$"))


def test_somebody_elses_lock_is_told_holds_and_is_ended_by_who_manages_the_file(vault, api, live, folder, sender):
    file = sender.bring("plan.txt", b"1")
    principal = {"type": "user", "id": str(ACME.people["adam"].user_id)}
    shared = api.post(f"/nodes/{folder['id']}/shares", {"principal": principal, "role": "editor"})
    assert shared.status_code == 201
    vault.open(folder)
    adam = live.client("adam")
    taken = adam.request("PUT", f"/nodes/{file['id']}/lock", {"reason": "Mine today"})
    assert taken.status_code == 200
    vault.row("plan.txt").focus()
    vault.press("F2")
    field = vault.page.get_by_label("New name for plan.txt")
    field.fill("mine.txt")
    field.press("Enter")
    expect(vault.page.locator("#rename-error")).to_contain_text("“plan.txt” cannot be changed: Locked by Adam until")
    field.press("Escape")
    expect(flag(vault, "plan.txt")).to_have_attribute("title", re.compile("^Locked by Adam until .+: Mine today$"))
    expect(vault.row("plan.txt")).to_have_attribute("aria-selected", "true")
    vault.press("Control+i")
    expect(vault.page.locator("#details")).to_contain_text("Adam: Mine today")
    assert offered(vault, "plan.txt") == ["End lock…"]
    expect(vault.page.locator('#row-menu [data-command="edit"]')).to_be_hidden()
    menu(vault, "plan.txt", "End lock…")
    question = vault.page.get_by_role("alertdialog").or_(vault.page.get_by_role("dialog", name="End this lock?"))
    expect(question.first).to_contain_text("Adam may be working on “plan.txt” now")
    question.first.get_by_role("button", name="End lock").click()
    expect(flag(vault, "plan.txt")).to_be_hidden()
    assert adam.get(f"/nodes/{file['id']}").json()["lock"] is None
