"""The page of usage and the routes behind it."""

import secrets
from datetime import datetime, timedelta

import pytest
from django.test import Client

from apps.billing import api as billing
from bitvault.kernel import policies, tenancy
from tests.support.world import ACME, PASSWORD

pytestmark = pytest.mark.committed


@pytest.fixture(autouse=True)
def _nothing_remembered():
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def enter():
    def sign_in(name):
        address = f"10.{secrets.randbelow(256)}.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
        browser = Client(headers={"host": "acme.localhost"}, REMOTE_ADDR=address)
        browser.post("/sign-in/", {"email": ACME.people[name].email, "password": PASSWORD})
        return browser

    return sign_in


def test_administrators_see_usage_history_and_plan(enter, acme):
    page = enter("adam").get("/usage/").content.decode()
    for words in ("Usage and plan", "of 1.0\xa0TB used", "Largest file", "Yours"):
        assert words in page
    assert "over its limit" not in page
    assert enter("adam").get("/usage/?days=nonsense").status_code == 200
    assert enter("adam").get(f"/usage/?days={'9' * 5000}").status_code == 200


def test_a_vault_over_its_limit_is_told_so(enter, acme):
    with tenancy.entered(acme):
        billing.set_quota(limit_bytes=0)
    assert "The vault is full" in enter("adam").get("/usage/").content.decode()


@pytest.mark.parametrize("name", ["mia", "vera"])
def test_others_find_neither_the_page_nor_the_way_to_it(enter, name):
    browser = enter(name)
    assert browser.get("/usage/").status_code == 403
    assert 'href="/usage/"' not in browser.get("/settings/").content.decode()


def test_the_vaults_own_limit_is_set_by_administrators_and_never_above_the_plan(api):
    olga = api("olga")
    answer = olga.put("/quotas/tenant", {"limit_bytes": 5000})
    assert (answer.status_code, answer.json()["limit_bytes"], answer.json()["own_limit_bytes"]) == (200, 5000, 5000)
    assert answer["BitVault-Seq"]
    assert olga.put("/quotas/tenant", {"limit_bytes": 5000}).status_code == 200
    above = olga.put("/quotas/tenant", {"limit_bytes": 2**50})
    assert (above.status_code, above.json()["code"]) == (422, "billing.limit_above_plan")
    assert above.json()["given_bytes"] == 1024**4
    assert api("mia").put("/quotas/tenant", {"limit_bytes": 1}).status_code == 403
    assert olga.put("/quotas/tenant", {"limit_bytes": None}).json()["limit_bytes"] == 1024**4


def test_a_file_above_the_plan_is_refused_before_a_byte_moves(api, acme):
    with tenancy.entered(acme):
        billing.set_quota(file_limit_bytes=10)
    root_id = api("mia").get("/me").json()["root_id"]
    refused = api("mia").post("/uploads", {"parent_id": root_id, "name": "large.bin", "size_bytes": 11})
    assert (refused.status_code, refused.json()["code"]) == (413, "billing.file_over_limit")
    assert (refused.json()["limit_bytes"], refused.json()["requested_bytes"]) == (10, 11)


def test_the_trash_keeps_as_long_as_the_plan_says(api, acme):
    with tenancy.entered(acme):
        billing.set_quota(trash_days=3)
    mia = api("mia")
    folder = mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": "Short-lived"}).json()
    mia.delete(f"/nodes/{folder['id']}")
    trashed = next(item for item in mia.get("/trash").json()["items"] if item["id"] == folder["id"])
    kept = datetime.fromisoformat(trashed["expires_at"]) - datetime.fromisoformat(trashed["trashed_at"])
    assert kept == timedelta(days=3)


def test_plans_are_listed_with_ones_own_first(api):
    plans = api("mia").get("/plans").json()["items"]
    assert (plans[0]["slug"], plans[0]["is_current"], plans[0]["trash_days"]) == ("default", True, 30)


def test_people_and_links_are_shown_beside_what_the_plan_allows(enter, acme, api):
    olga = api("olga")
    free = olga.get("/usage/seats").json()
    assert (free["members"]["limit"], free["guests"], free["links"]["limit"]) == (
        None,
        {"used_count": 0, "invited_count": 0, "limit": None},
        None,
    )
    with tenancy.entered(acme):
        billing.set_quota(member_limit=free["members"]["used_count"], guest_limit=7, link_limit=9)
    told = olga.get("/usage/seats").json()
    assert (told["members"]["limit"], told["guests"]["limit"], told["links"]["limit"]) == (
        free["members"]["used_count"],
        7,
        9,
    )
    assert api("mia").get("/usage/seats").status_code == 403
    page = enter("adam").get("/usage/").content.decode()
    assert "People and links" in page
    assert "0 of 7" in page
    assert page.split('id="usage-seats"')[1].split("</section>")[0].count("Full") == 1
    refused = olga.post("/invitations", {"email": "new@elsewhere.test", "role": "member"})
    assert (refused.status_code, refused.json()["code"]) == (409, "identity.member_limit_reached")
    assert "operator" in refused.json()["detail"]
