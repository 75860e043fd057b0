"""The description of a folder: written in the details panel or above the list, by pointer, keyboard and finger."""

import pytest
from playwright.sync_api import expect

TEXT = "# Plan\n\nSee **all** of [it](https://a.example/x).\n\n<b>no</b>"


@pytest.fixture
def panel(vault):
    return vault.page.locator("#details")


def shown(page):
    return page.get_by_role("region", name="Description", exact=True)


def test_a_folder_is_described_and_what_was_there_comes_back(vault, folder, sender, panel, api):
    sender.bring("a.txt", b"some text")
    vault.open(folder)
    page = vault.page
    expect(shown(page)).to_have_count(0)
    page.keyboard.press("Control+i")
    panel.get_by_role("button", name="Add description").click()
    field = panel.get_by_role("textbox", name="Description")
    expect(field).to_be_focused()
    field.fill(TEXT)
    page.keyboard.press("Control+Enter")
    above = page.locator("#folder-description")
    expect(above.get_by_role("heading", level=2, name="Plan")).to_be_visible()
    expect(above.locator("strong")).to_have_text("all")
    expect(above).to_contain_text("<b>no</b>")
    expect(above.get_by_role("link", name="it")).to_have_attribute("rel", "noopener noreferrer nofollow")
    expect(panel.get_by_role("button", name="Edit description")).to_be_focused()
    vault.press("Control+i")
    above.get_by_role("button", name="Edit description").click()
    above.get_by_role("textbox", name="Description").fill("Other")
    vault.press("Escape")
    expect(above.get_by_role("button", name="Edit description")).to_be_focused()
    expect(above).to_contain_text("See all of it")
    vault.press("Enter")
    above.get_by_role("textbox", name="Description").fill("")
    above.get_by_role("button", name="Save").click()
    expect(above).to_be_hidden()
    page.locator(".toast").filter(has_text="Description removed.").get_by_role("button", name="Undo").click()
    expect(above).to_contain_text("See all of it")
    page.reload()
    expect(above).to_contain_text("See all of it")
    expect(vault.row("a.txt")).to_be_visible()


def test_what_somebody_else_wrote_meanwhile_is_told_before_it_is_replaced(vault, folder, api):
    path = f"/nodes/{folder['id']}/description"
    assert api.request("PUT", path, {"text": "first"}).status_code == 200
    vault.open(folder)
    above = vault.page.locator("#folder-description")
    above.get_by_role("button", name="Edit description").click()
    above.get_by_role("textbox", name="Description").fill("mine")
    assert api.request("PUT", path, {"text": "theirs"}, headers={"If-Match": '"1"'}).status_code == 200
    above.get_by_role("button", name="Save").click()
    expect(above.get_by_role("alert")).to_contain_text("Somebody has changed the description since you began")
    expect(above.get_by_role("textbox", name="Description")).to_have_value("mine")
    above.get_by_role("button", name="Save").click()
    expect(above).to_contain_text("mine")
    vault.page.locator(".toast").filter(has_text="Description saved.").get_by_role("button", name="Undo").click()
    expect(above).to_contain_text("theirs")


def test_a_long_description_is_shown_in_part_and_whole_when_asked(phone, folder, sender, api, tmp_path):
    sender.bring("a.txt", b"some text")
    text = "\n".join(f"- line {number}" for number in range(40))
    assert api.request("PUT", f"/nodes/{folder['id']}/description", {"text": text}).status_code == 200
    phone.open(folder)
    page, above = phone.page, phone.page.locator("#folder-description")
    short = above.bounding_box()["height"]
    for look, width in (("light", 1440), ("dark", 768), ("light", 390)):
        page.emulate_media(color_scheme=look)
        page.set_viewport_size({"width": width, "height": 844})
        page.screenshot(path=tmp_path / f"{look}-{width}.png")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    above.get_by_role("button", name="Show more").click()
    expect(above.get_by_role("button", name="Show less")).to_have_attribute("aria-expanded", "true")
    assert above.bounding_box()["height"] > 2 * short
    above.get_by_role("button", name="Show less").click()
    assert abs(above.bounding_box()["height"] - short) < 2
