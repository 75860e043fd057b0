"""A request for files in the browser: made from a folder's menu, filled by an outsider on a phone, seen by whoever asked."""

import os

from playwright.sync_api import expect

from tests.journeys.browser.vault import Vault


def ask_for_files(vault: Vault, name: str, **fields: str) -> str:
    """Make a request from the menu of a folder's row; gives its address."""
    vault.row(name).click(button="right")
    vault.page.get_by_role("menuitem", name="Request files").click()
    dialog = vault.page.locator("#request-dialog")
    for label, value in fields.items():
        dialog.get_by_label(label.replace("_", " ")).fill(value)
    dialog.get_by_role("button", name="Make the request").click()
    expect(dialog.locator("#request-made")).to_be_visible()
    url = dialog.get_by_label("Address of the request").input_value()
    dialog.get_by_role("button", name="Done").click()
    return url


def test_an_outsider_on_a_phone_sends_what_was_asked_for(vault, folder, mkdir, visitor, api):
    inbox = mkdir("Inbox")
    vault.open(folder)
    url = ask_for_files(
        vault, "Inbox", **{"What do you ask for?": "Photos of the party", "Note to them": "All of them."}
    )

    phone = visitor(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone.goto(url)
    expect(phone.get_by_role("heading", level=1)).to_have_text("Photos of the party")
    expect(phone.get_by_role("main")).to_contain_text("All of them.")
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    content = os.urandom(9 * 1024 * 1024)
    picked = [
        {"name": "party.jpg", "mimeType": "image/jpeg", "buffer": b"party"},
        {"name": "film.mp4", "mimeType": "video/mp4", "buffer": content},
        {"name": "not-this.txt", "mimeType": "text/plain", "buffer": b"x"},
    ]
    phone.locator("#send-files").set_input_files(picked)
    phone.get_by_role("button", name="Do not send not-this.txt").tap()
    phone.get_by_role("button", name="Send 2 files").tap()
    expect(phone.get_by_text("Give your name.")).to_be_visible()
    phone.get_by_label("Your name").fill("Ada Lovelace")
    phone.get_by_role("button", name="Send 2 files").tap()
    expect(phone.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(phone.locator("#send-thanks")).to_contain_text("2 files have arrived.")

    # In the same visit, also after a reload, the sender sees what they have sent; in another one, nothing.
    phone.reload()
    phone.locator("#send-sent-title").tap()
    expect(phone.locator("#send-sent-list .send-name")).to_have_count(2)
    assert set(phone.locator("#send-sent-list .send-name").all_inner_texts()) == {"party.jpg", "film.mp4"}
    other = visitor()
    other.goto(url)
    expect(other.get_by_role("button", name="Choose files")).to_be_visible()
    assert "party.jpg" not in other.content()

    children = {one["name"]: one for one in api.get(f"/nodes/{inbox['id']}/children").json()["items"]}
    assert {name: one["size_bytes"] for name, one in children.items()} == {"party.jpg": 5, "film.mp4": len(content)}
    vault.open(folder)
    vault.row("Inbox").focus()
    vault.page.keyboard.press("Alt+Enter")
    expect(vault.page.locator("#links-section .links-line")).to_contain_text("2 files received")


def test_what_cannot_be_sent_is_said_before_and_an_ended_request_says_whom_to_ask(vault, folder, mkdir, visitor, api):
    inbox = mkdir("Papers")
    request = {"title": "Papers", "ask_name": False, "accepts": [".pdf"], "max_file_bytes": 1024}
    link = api.post(f"/nodes/{inbox['id']}/links", {"kind": "upload", "request": request}).json()
    page = visitor()
    page.goto(link["url"])
    page.locator("#send-files").set_input_files(
        [
            {"name": "large.pdf", "mimeType": "application/pdf", "buffer": b"x" * 2000},
            {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": b"x"},
            {"name": "good.pdf", "mimeType": "application/pdf", "buffer": b"good"},
        ]
    )
    expect(page.locator(".send-line[data-failed] .send-note")).to_have_text(
        ["Larger than 1 KB.", "Files of this type are not asked for."]
    )
    page.get_by_role("button", name="Send 1 file").click()
    expect(page.locator("#send-thanks")).to_contain_text("1 file has arrived.")
    assert api.delete(f"/links/{link['id']}").status_code == 204
    page.get_by_role("button", name="Send more files").click()
    page.locator("#send-files").set_input_files(
        [{"name": "late.pdf", "mimeType": "application/pdf", "buffer": b"late"}]
    )
    page.get_by_role("button", name="Send 1 file").click()
    expect(page.locator(".send-line[data-failed] .send-note")).to_have_text("This link has ended")
    page.goto(link["url"])
    expect(page.get_by_role("main")).to_contain_text("Mia made it and can send you another one.")
