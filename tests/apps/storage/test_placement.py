"""Tenants whose bytes are in other object stores than the installation's own."""

import os
import time

import pytest

from apps.storage import api, places, provider
from apps.storage.errors import StoreNotFound, StoreUnavailable, StoreUnfit
from apps.storage.models import Blob, Placement, Provider, Store
from apps.storage.operations import reconciling
from bitvault.events.models import StreamEvent
from bitvault.kernel import clock, db, ids, remembered, sealing, tenancy
from tests.support.own_bucket import own_bucket
from tests.support.sending import PART, Sender, pool

pytestmark = [pytest.mark.store, pytest.mark.committed]


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


@pytest.fixture
def bucket(settings):
    """A bucket of its own for what runs over all objects of a tenant."""
    with own_bucket(settings) as name:
        yield name


def place(tenant, store_id):
    with tenancy.entered(tenant):
        api.place_tenant(store_id=store_id, operator_id=None)


def lie_in(tenant, store_id):
    with tenancy.entered(tenant):
        return set(provider.store_of(store_id).list_keys(f"{tenant.id.hex}/"))


def blobs(tenant):
    with tenancy.entered(tenant), db.read_transaction():
        return {blob.key: blob.store_id for blob in Blob.objects.all()}


def new_version(mia, node, content):
    wishes = {"mode": "update", "node_id": node["id"], "base_version_id": node["version_id"]}
    return mia.bring(node["name"], content, **wishes)


def read(mia, node_id):
    answer = mia.api.get(f"/nodes/{node_id}/content")
    assert answer.status_code == 302, answer.content
    return answer["Location"], pool.request("GET", answer["Location"]).data


def test_new_files_go_where_their_tenant_is_placed_and_old_ones_are_read_where_they_lie(mia, acme, beta, other_store):
    old = mia.bring("old.bin", b"was here before")
    place(acme, other_store.id)
    contents = {"small.bin": os.urandom(100), "large.bin": os.urandom(2 * PART + 5), "empty.bin": b""}
    nodes = {name: mia.bring(name, content) for name, content in contents.items()}
    found = blobs(acme)
    assert sorted(map(str, found.values())) == sorted(["None", *[str(other_store.id)] * 3])
    assert lie_in(acme, other_store.id) == {key for key, store_id in found.items() if store_id == other_store.id}
    assert {key for key, store_id in found.items() if store_id is None} <= lie_in(acme, None)
    for name, content in contents.items():
        location, body = read(mia, nodes[name]["id"])
        assert location.startswith(other_store.public_endpoint_url)
        assert body == content
    location, body = read(mia, old["id"])
    assert (location.startswith(provider.store().download_endpoint_url), body) == (True, b"was here before")
    assert lie_in(beta, other_store.id) == set()


def test_an_upload_ends_where_it_began_though_its_tenant_was_placed_elsewhere_meanwhile(mia, acme, other_store):
    content = os.urandom(PART + 9)
    upload = mia.started("moving.bin", content)
    place(acme, other_store.id)
    mia.send(upload, content)
    assert mia.commit(upload).status_code == 201
    assert set(blobs(acme).values()) == {None}
    later = mia.started("later.bin", b"x")
    place(acme, None)
    mia.send(later, b"x")
    assert mia.commit(later).status_code == 201
    assert set(blobs(acme).values()) == {None, other_store.id}
    assert mia.bring("last.bin", b"y")
    assert sorted(map(str, blobs(acme).values())) == sorted(["None", "None", str(other_store.id)])


def test_parts_of_a_base_in_another_store_travel_again(mia, acme, other_store):
    content = os.urandom(2 * PART)
    node = mia.bring("base.bin", content)
    place(acme, other_store.id)
    changed = content[:PART] + os.urandom(PART)
    before = mia.puts
    node = new_version(mia, node, changed)
    assert mia.puts - before == 2
    again = changed[:PART] + os.urandom(PART)
    before = mia.puts
    node = new_version(mia, node, again)
    copies = Provider.objects.get(store=other_store).abilities["part_copy"]
    assert mia.puts - before == (1 if copies else 2), "the base is in the same store now"
    assert read(mia, node["id"])[1] == again


def test_a_batch_begun_on_both_sides_of_a_placement_is_committed_at_once(mia, acme, other_store, actor):
    first = mia.started("a.bin", b"a")
    place(acme, other_store.id)
    second = mia.started("b.bin", b"b")
    mia.send(first, b"a")
    mia.send(second, b"b")
    answer = mia.api.post("/uploads/batch/commit", {"uploads": [{"id": first["id"]}, {"id": second["id"]}]})
    assert [item["status"] for item in answer.json()["items"]] == [201, 201]
    assert sorted(map(str, blobs(acme).values())) == sorted(["None", str(other_store.id)])


def test_the_reconciler_looks_into_every_store_and_takes_no_object_of_one_for_that_of_another(
    bucket, mia, acme, other_store, monkeypatch
):
    mia.bring("here.bin", b"here")
    place(acme, other_store.id)
    mia.bring("there.bin", b"there")
    (key,) = lie_in(acme, other_store.id)
    stray = f"{acme.id.hex}/{ids.new_id().hex}/{'0' * 64}"
    with tenancy.entered(acme):
        # A copy of what lies elsewhere is garbage here, and so is what nothing names.
        provider.store().put_object(key, b"there")
        provider.store_of(other_store.id).put_object(stray, b"stray")
        monkeypatch.setattr(reconciling, "OLD", -reconciling.OLD)
        counts = reconciling.reconcile()
    assert counts["deleted"] == 2
    assert "missing" not in counts
    assert lie_in(acme, other_store.id) == {key}
    assert key not in lie_in(acme, None)


def test_of_a_deleted_tenant_no_store_keeps_anything(bucket, mia, acme, other_store):
    mia.bring("here.bin", b"here")
    place(acme, other_store.id)
    mia.bring("there.bin", b"there")
    mia.started("half.bin", os.urandom(PART + 1))
    with tenancy.entered(acme):
        while not api.remove_tenant(limit=1):
            pass
    assert (lie_in(acme, None), lie_in(acme, other_store.id)) == (set(), set())
    assert not Placement.objects.exists()


def test_a_placement_holds_within_a_second_in_other_processes_and_asks_nothing_more_until_then(
    acme, other_store, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(remembered, "LIFETIME_SECONDS", 0.8)
    with tenancy.entered(acme):
        assert places.current() is None
        Placement.objects.create(tenant_id=acme.id, store_id=other_store.id, is_current=True, placed_at=clock.now())
        with django_assert_num_queries(0):
            assert places.current() is None
        time.sleep(0.9)
        assert places.current() == other_store.id


def test_nobody_is_placed_in_a_store_that_was_not_tested_or_lacks_something(acme, other_store):
    Provider.objects.filter(store=other_store).update(is_fit=False)
    with pytest.raises(StoreUnfit):
        place(acme, other_store.id)
    Provider.objects.filter(store=other_store).delete()
    with pytest.raises(StoreUnfit):
        place(acme, other_store.id)
    with pytest.raises(StoreNotFound):
        place(acme, ids.new_id())
    assert not Placement.objects.exists()


def test_a_placement_stands_in_the_audit_log_once(acme, other_store):
    place(acme, other_store.id)
    place(acme, other_store.id)
    place(acme, None)
    told = StreamEvent.objects.filter(tenant_id=acme.id, type="storage.tenant.placed.v1").order_by("seq")
    assert [event.payload["store"] for event in told] == ["second", ""]


def test_a_secret_is_read_after_the_key_was_rotated_and_not_without_the_old_one(acme, other_store, settings):
    place(acme, other_store.id)
    before = settings.SECRET_KEY
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "another key, as long as a key has to be", [before]
    provider._placed.cache_clear()
    with tenancy.entered(acme):
        assert provider.store_of(other_store.id).list_keys("") == []
    from django.core.management import call_command

    call_command("reseal_secrets")
    settings.SECRET_KEY_FALLBACKS = []
    provider._placed.cache_clear()
    places.forget()
    assert provider.store_of(other_store.id).list_keys("") == []
    settings.SECRET_KEY = before
    provider._placed.cache_clear()
    with pytest.raises(StoreUnavailable):
        provider.store_of(other_store.id)
    provider._placed.cache_clear()


def test_no_answer_of_rest_names_a_store_or_its_secret(mia, acme, other_store):
    place(acme, other_store.id)
    upload = mia.started("x.bin", b"x")
    said = str(upload) + str(mia.api.get("/tenant").json()) + str(mia.api.get("/me").json())
    row = Store.objects.get()
    secret = sealing.unseal(row.sealed_secret, purpose=places.PURPOSE)
    assert secret not in said
    assert row.sealed_secret not in said
    assert row.name not in said
