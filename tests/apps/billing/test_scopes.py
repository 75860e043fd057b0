"""Limits of members and of team folders: refused before a byte moves, counted from the stream, and never passed in between."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connections

from apps.billing import api as billing
from apps.billing import models, scopes
from apps.billing.errors import QuotaExceeded
from apps.files.api import roots
from bitvault.events import consuming, operating
from bitvault.kernel import clock, db, ids, tenancy
from tests.support.sending import Sender
from tests.support.shares import by_rest, make_team_by_rest
from tests.support.world import ACME

pytestmark = pytest.mark.committed

MIA = f"user:{ACME.people['mia'].user_id}"


@pytest.fixture(autouse=True)
def _nothing_remembered():
    scopes.forget()
    yield
    scopes.forget()


@pytest.fixture
def meter(acme):
    def meter():
        with tenancy.entered(acme):
            while consuming.consume(billing.CONSUMER):
                pass

    return meter


@pytest.fixture
def mia(api):
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def limit(api, scope, limit_bytes, warn_bytes=None):
    answer = api("olga").put(f"/quotas/{scope}", {"limit_bytes": limit_bytes, "warn_bytes": warn_bytes})
    assert answer.status_code == 200, answer.content
    assert answer["BitVault-Seq"]
    return answer.json()


def used(api, scope):
    (item,) = api("olga").get("/quotas", scopes=scope).json()["items"]
    return item["used_bytes"]


def ask(sender, size, **wishes):
    wish = {"parent_id": sender.parent_id, "name": ids.new_id().hex, "size_bytes": size, **wishes}
    return sender.api.post("/uploads", wish)


def test_a_member_over_their_limit_is_refused_with_the_figures_before_a_byte_moves(api, mia, meter):
    told = limit(api, MIA, 100)
    assert (told["scope"], told["limit_bytes"], told["available_bytes"]) == (MIA, 100, 100)
    mia.bring("a", b"x" * 60)
    for _ in range(2):  # charged and not metered, then metered
        refused = ask(mia, 41)
        assert (refused.status_code, refused.json()["code"]) == (413, "billing.quota_exceeded")
        facts = refused.json()
        assert (facts["scope"], facts["limit_bytes"], facts["requested_bytes"]) == (MIA, 100, 41)
        assert facts["used_bytes"] + facts["reserved_bytes"] == 60
        meter()
    own = next(one for one in mia.api.get("/quotas").json()["items"] if one["scope"] == MIA)
    assert (own["used_bytes"], own["reserved_bytes"], own["available_bytes"]) == (60, 0, 40)
    assert ask(mia, 40).status_code == 201
    assert ask(mia, 1).status_code == 413, "what is promised counts"
    limit(api, MIA, None)
    assert ask(mia, 500).status_code == 201


def test_every_way_in_is_bounded(api, mia, meter):
    file = mia.bring("a", b"x" * 60)
    changed = mia.bring("a", b"y" * 10, mode="update", node_id=file["id"], base_version_id=file["version_id"])
    meter()
    limit(api, MIA, 100)
    assert mia.api.post(f"/nodes/{changed['id']}/copy", {"parent_id": mia.parent_id, "name": "b"}).status_code == 201
    meter()
    assert mia.api.post(f"/nodes/{file['id']}/versions/{file['version_id']}/restore", {}).status_code == 413
    wishes = [
        {"parent_id": mia.parent_id, "name": f"c{number}", "size_bytes": 15, "part_hashes": [f"{number}" * 64]}
        for number in range(3)
    ]
    found = mia.api.post("/uploads/batch", {"uploads": wishes}).json()["items"]
    assert [one["status"] for one in found].count(413) == 2


def test_a_team_folder_has_a_limit_of_its_own_and_its_makers_pay_nothing(api, mia, meter):
    folder = make_team_by_rest(api("olga"), "Work", by_rest("everyone", "editor"))
    scope = f"folder:{folder['id']}"
    limit(api, scope, 50)
    there = Sender(mia.api, folder["id"])
    there.bring("a", b"x" * 30)
    assert ask(there, 21).json()["scope"] == scope
    assert ask(mia, 500).status_code == 201
    meter()
    assert (used(api, scope), used(api, MIA)) == (30, 0)


def test_what_is_trashed_frees_a_member_and_what_is_moved_counts_where_it_is(api, mia, meter):
    team = make_team_by_rest(api("olga"), "Work", by_rest("everyone", "editor"))
    folder = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "F"}).json()
    Sender(mia.api, folder["id"]).bring("a", b"x" * 30)
    file = mia.bring("b", b"y" * 7)
    meter()
    assert used(api, MIA) == 37
    mia.api.delete(f"/nodes/{file['id']}")
    meter()
    assert used(api, MIA) == 30
    mia.api.post(f"/trash/{file['id']}/restore", {})
    present = mia.api.get(f"/nodes/{folder['id']}")["ETag"]
    moved = mia.api.patch(f"/nodes/{folder['id']}", {"parent_id": team["id"]}, headers={"If-Match": present})
    assert moved.status_code == 200, moved.content
    meter()
    assert (used(api, MIA), used(api, f"folder:{team['id']}")) == (7, 30)
    before = usage()
    with tenancy.entered(api_tenant()):
        operating.rebuild(consumer=billing.CONSUMER, by=None)
    assert {key: size for key, size in usage().items() if size} == {key: size for key, size in before.items() if size}


def usage():
    with tenancy.entered(api_tenant()), db.read_transaction():
        return dict(models.RootUsage.objects.values_list("root_id", "used_bytes"))


def api_tenant():
    from bitvault.kernel.tenancy import Tenant

    return Tenant(id=ACME.id, slug=ACME.slug, name="Acme")


def test_a_figure_to_warn_at_refuses_nothing_and_is_told(api, mia):
    limit(api, MIA, None, warn_bytes=10)
    assert ask(mia, 50).status_code == 201
    (told,) = api("olga").get("/quotas", scopes=MIA).json()["items"]
    assert (told["warn_bytes"], told["own_limit_bytes"]) == (10, None)


def test_who_sends_into_anothers_folder_is_not_told_how_much_they_keep(api, mia):
    shared = mia.api.post("/folders", {"parent_id": mia.parent_id, "name": "Shared"}).json()
    mia.api.post(f"/nodes/{shared['id']}/shares", by_rest(ACME.people["adam"].user_id, "editor"))
    limit(api, MIA, 10)
    told = set(ask(Sender(api("adam"), shared["id"]), 11).json())
    assert "used_bytes" in told, "who administers may know"
    mia.api.post(f"/nodes/{shared['id']}/shares", by_rest(ACME.people["vera"].user_id, "editor"))
    room = scopes.Room(MIA, 10, 5, 0)
    assert room.refuse(make_member("vera"), 6).facts == {"requested_bytes": 6}


def make_member(name):
    from bitvault.kernel.actor import Actor, Role

    return Actor(tenant=api_tenant(), user_id=ACME.people[name].user_id, role=Role.MEMBER)


def test_of_two_at_once_one_gets_the_last_room(api, mia, acme, actor):
    limit(api, MIA, 100)
    root_id = mia.parent_id

    def reserve(_):
        try:
            with tenancy.entered(acme):
                billing.reserve(
                    actor=actor,
                    upload_id=ids.new_id(),
                    size_bytes=60,
                    expires_at=clock.now() + timedelta(hours=1),
                    root_id=UUID(root_id),
                )
        except QuotaExceeded:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(reserve, range(8))) == 1


def test_only_administrators_limit_others_and_only_what_there_is(api, mia):
    olga = api("olga")
    for client, scope, body, status, code in (
        (mia.api, MIA, {"limit_bytes": 1}, 403, "identity.permission_missing"),
        (olga, "user:nobody", {"limit_bytes": 1}, 404, "billing.scope_unknown"),
        (olga, f"user:{ids.new_id()}", {"limit_bytes": 1}, 404, "billing.scope_unknown"),
        (olga, f"folder:{mia.parent_id}", {"limit_bytes": 1}, 404, "billing.scope_unknown"),
        (olga, f"group:{ids.new_id()}", {"limit_bytes": 1}, 404, "billing.scope_unknown"),
        (olga, MIA, {"limit_bytes": 1, "warn_bytes": 2}, 422, "billing.limits_unfit"),
    ):
        answer = client.put(f"/quotas/{scope}", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), scope
    assert mia.api.get("/quotas", scopes=MIA).status_code == 403
    many = ",".join(f"user:{ids.new_id()}" for _ in range(101))
    assert olga.get("/quotas", scopes=many).json()["code"] == "billing.too_many_scopes"


def test_a_member_who_was_never_here_can_be_limited(api, acme):
    vera = ACME.people["vera"].user_id
    with tenancy.entered(acme):
        assert vera not in roots.find_personal_roots(user_ids=[vera])
    assert limit(api, f"user:{vera}", 5)["available_bytes"] == 5


def test_without_a_limit_no_upload_pays_for_it(api, mia, acme, django_assert_num_queries):
    mia.bring("a", b"x")
    with tenancy.entered(acme), django_assert_num_queries(0):
        assert not billing.has_limited_roots()
    with tenancy.entered(acme), db.read_transaction():
        assert set(models.Reservation.objects.values_list("root_id", flat=True)) == {None}
