"""An operator adds an object store, tests it and moves a tenant there, in a browser; a member uploads and downloads meanwhile."""

import os

import pytest
from playwright.sync_api import expect

from tests.journeys.browser.test_looks import faults
from tests.journeys.browser.test_operators import admin, operator
from tests.support import extra_store
from tests.support.sending import Sender, pool

__all__ = ["admin", "operator"]

SHOTS = os.environ.get("PLACEMENT_SHOTS")


def shoot(page, name):
    if SHOTS:
        for width in (1440, 768, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{SHOTS}-{name}-{width}.png", full_page=True)
        page.set_viewport_size({"width": 1440, "height": 900})


@pytest.fixture
def second(running_other_stores, live):
    settings = running_other_stores("seaweedfs")
    bucket = extra_store.new_bucket(settings, live.bare_url, live.tenant_url)
    return {**settings, "bucket": bucket}


def test_a_store_is_added_tested_and_a_tenant_moved_there_while_somebody_works(
    admin, live, second, vault, api, folder, tmp_path
):
    Sender(api, folder["id"]).bring("before.txt", b"was here before")
    admin.locator(".operators-nav").get_by_role("link", name="Placement").click()
    admin.get_by_role("link", name="Object stores").click()
    admin.get_by_role("link", name="Add object store").click()
    for label, value in {
        "Name": "Frankfurt",
        "Endpoint:": second["endpoint_url"],
        "Bucket": second["bucket"],
        "Access key:": second["access_key_id"],
        "Secret of the access key": second["secret_access_key"],
    }.items():
        admin.get_by_label(label, exact=label.endswith(":")).first.fill(value)
    shoot(admin, "add")
    admin.get_by_role("button", name="Save", exact=True).click()
    expect(admin.locator(".messagelist")).to_contain_text("Test it before tenants are placed there.")
    admin.locator("#action-toggle").check()
    admin.locator("select[name=action]").select_option(label="Test")
    admin.get_by_role("button", name="Go", exact=False).click()
    expect(admin.locator(".messagelist")).to_contain_text("Frankfurt can be used.", timeout=60_000)
    shoot(admin, "list")
    admin.get_by_role("link", name="Frankfurt").click()
    expect(admin.get_by_role("row", name="tells the SHA-256 of an object")).to_be_visible()
    shoot(admin, "store")
    admin.locator(".operators-nav").get_by_role("link", name="Placement").click()
    shoot(admin, "overview")
    admin.get_by_role("link", name="acme", exact=True).click()
    admin.get_by_label("To", exact=True).select_option(label="Frankfurt")
    admin.get_by_role("button", name="Show what would be moved").click()
    expect(admin.locator("#content-main")).to_contain_text("would be moved")
    shoot(admin, "plan")
    assert faults(admin) == []
    admin.get_by_role("button", name="Begin the move").click()
    expect(admin.locator(".messagelist")).to_contain_text("The move has begun.")
    shoot(admin, "moving")
    worker = live.start_worker()
    live.await_that(lambda: "Done." in (admin.reload() and admin.locator("#content-main").inner_text()))
    shoot(admin, "done")
    live.kill(worker)
    vault.open(folder)
    path = tmp_path / "picked.bin"
    path.write_bytes(b"sent by a page")
    vault.page.locator("input[type=file]:not([webkitdirectory])").first.set_input_files(str(path))
    vault.expect_names("before.txt", "picked.bin", seconds=30)
    items = {node["name"]: node for node in api.get(f"/nodes/{folder['id']}/children").json()["items"]}
    for name, content in {"before.txt": b"was here before", "picked.bin": b"sent by a page"}.items():
        location = api.get(f"/nodes/{items[name]['id']}/content").headers["Location"]
        assert location.startswith(second["endpoint_url"])
        assert pool.request("GET", location).data == content
