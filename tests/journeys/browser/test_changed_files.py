"""A file that is rewritten while its upload rests, and files that look alike: what is stored is one file, never parts of two."""

import os

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.vault import TRICKLE, Vault, fetch, tree_of
from tests.support.sending import PART

LONG_AGO = (1_700_000_000, 1_700_000_000)


@pytest.fixture
def alike(tmp_path):
    """Write files whose size and time of change are the same, whatever is in them."""

    def write(path: str, content: bytes):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, LONG_AGO)
        return file

    return write


def answer(vault: Vault, choice: str) -> None:
    dialog = vault.page.get_by_role("dialog", name="This name is taken")
    dialog.get_by_label(choice).check()
    dialog.locator('button[value="go"]').click()


def test_a_file_that_was_rewritten_while_the_page_was_away_starts_over(vault, api, folder, alike):
    file = alike("container.hc", os.urandom(5 * PART))
    vault.open(folder)
    vault.hold_after(parts=3)
    with vault.page.expect_response("**/api/v1/uploads") as started:
        vault.drop(file)
    upload_id = started.value.json()["id"]
    vault.await_held("container.hc", 3 / 5)
    vault.page.reload()
    now = os.urandom(5 * PART)
    alike("container.hc", now)
    vault.let_go()
    tray = vault.page.get_by_role("region", name="Uploads")
    with vault.page.expect_file_chooser() as chooser:
        tray.get_by_role("button", name="Choose files").click()
    chooser.value.set_files(file)
    expect(vault.page.locator(".toast", has_text="The file has changed; starting over")).to_be_visible()
    vault.expect_uploaded("container.hc")
    expect(vault.upload("container.hc")).to_contain_text("had changed, sent anew")
    assert fetch(api, tree_of(api, folder)["container.hc"]) == now
    assert api.get(f"/uploads/{upload_id}").json()["state"] == "aborted"


def test_a_file_of_which_one_part_was_rewritten_during_a_pause_starts_over(vault, api, folder, alike):
    before = os.urandom(5 * PART)
    file = alike("image.vmdk", before)
    vault.open(folder)
    vault.hold_after(parts=3)
    vault.drop(file)
    vault.await_held("image.vmdk", 3 / 5)
    vault.upload("image.vmdk").get_by_role("button", name="Pause").click()
    now = os.urandom(PART) + before[PART:]
    alike("image.vmdk", now)
    vault.let_go()
    vault.upload("image.vmdk").get_by_role("button", name="Resume").click()
    vault.expect_uploaded("image.vmdk")
    assert fetch(api, tree_of(api, folder)["image.vmdk"]) == now


def test_two_files_of_one_name_size_and_time_do_not_share_an_attempt(vault, api, folder, alike):
    one, two = os.urandom(3 * PART), os.urandom(3 * PART)
    files = alike("one/video.bin", one), alike("two/video.bin", two)
    started = []
    vault.page.on("response", lambda got: started.append(got) if got.url.endswith("/api/v1/uploads") else None)
    vault.open(folder)
    vault.hold_after(parts=1)
    vault.drop(files[0])
    vault.await_held("video.bin", 1 / 3)
    vault.drop(files[1])
    vault.let_go()
    answer(vault, "Keep both")
    expect(vault.page.locator("#tray-title")).to_have_text("2 uploads finished")
    assert len({got.json()["id"] for got in started if got.status == 201}) >= 2
    tree = tree_of(api, folder)
    assert {fetch(api, node) for node in tree.values()} == {one, two}
    expect(vault.page.locator(".tray-item .tray-item-name", has_text="video (2).bin")).to_be_visible()


def test_another_tab_neither_takes_over_nor_is_offered_what_one_is_sending(vault, api, folder, alike):
    content = os.urandom(8 * PART)
    file = alike("shared.bin", content)
    vault.open(folder)
    vault.hold_after(parts=2)
    with vault.page.expect_response("**/api/v1/uploads") as mine:
        vault.drop(file)
    vault.await_held("shared.bin", 2 / 8)
    other = Vault(vault.page.context.new_page(), vault.base_url).open(folder)
    expect(other.page.get_by_role("region", name="Uploads")).to_be_hidden()
    other.limit_upload(TRICKLE)
    with other.page.expect_response("**/api/v1/uploads") as theirs:
        other.drop(file)
    assert mine.value.json()["id"] != theirs.value.json()["id"]
    other.page.close()
    vault.let_go()
    vault.expect_uploaded("shared.bin")
    assert fetch(api, tree_of(api, folder)["shared.bin"]) == content


def test_what_names_an_upload_is_never_the_same_for_two_places(vault, folder):
    vault.open(folder)
    script = """
    async () => {
      const {fingerprintOf} = await import('/static/files/uploads/store.js');
      const file = (name) => new File(['x'], name, {lastModified: 1});
      return [
        fingerprintOf('r', ['a'], file('b|c')), fingerprintOf('r', ['a', 'b'], file('c')), fingerprintOf('r', ['a|b'], file('c')),
        fingerprintOf('r|a', [], file('b|c')), fingerprintOf('r', ['a","b'], file('c')), fingerprintOf('r', [], file('a|b|c')),
      ];
    }
    """
    texts = vault.page.evaluate(script)
    assert len(set(texts)) == len(texts)
