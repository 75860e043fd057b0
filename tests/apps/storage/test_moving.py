"""Moves of tenants between object stores, while everything goes on."""

import os
import threading
from datetime import timedelta
from unittest.mock import patch

import pytest

from apps.storage import api, provider
from apps.storage.errors import MoveNotFound, MoveUnderWay, NothingToMove, StoreUnavailable
from apps.storage.models import Blob, DerivedObject, Move, Placement, StoreCopy
from apps.storage.operations import collecting, copying, reconciling, relocating
from bitvault.events.models import StreamEvent
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids, tenancy
from tests.support.own_bucket import own_bucket
from tests.support.sending import PART, Sender, pool, put

pytestmark = [pytest.mark.store, pytest.mark.committed]

CONTENTS = {"small.bin": b"small", "large.bin": os.urandom(2 * PART + 5), "empty.bin": b""}


@pytest.fixture(autouse=True)
def bucket(settings):
    """A bucket of its own: what runs over all objects of a tenant meets nobody else's."""
    with own_bucket(settings) as name:
        yield name


@pytest.fixture
def mia(api) -> Sender:
    client = api("mia")
    return Sender(client, client.get("/me").json()["root_id"])


def start(tenant, store_id):
    with tenancy.entered(tenant):
        return api.start_move(store_id=store_id, operator_id=None)


def work(tenant, move_id, *, seconds=60.0, report=lambda *_: None):
    with tenancy.entered(tenant):
        return relocating.go_on(move_id, seconds=seconds, report=report)


def move(tenant, store_id):
    return work(tenant, start(tenant, store_id))


def lie_in(tenant, store_id):
    with tenancy.entered(tenant):
        return set(provider.store_of(store_id).list_keys(f"{tenant.id.hex}/"))


def stores_of(tenant):
    with tenancy.entered(tenant), db.read_transaction():
        return set(Blob.objects.exclude(state="gone").values_list("store_id", flat=True))


def keys_of(tenant):
    with tenancy.entered(tenant), db.read_transaction():
        return set(Blob.objects.exclude(state="gone").values_list("key", flat=True))


def collect(tenant):
    with tenancy.entered(tenant):
        return collecting.collect()


def address_of(mia, node):
    answer = mia.api.get(f"/nodes/{node['id']}/content")
    assert answer.status_code == 302, answer.content
    return answer["Location"]


def assert_all_is_read(mia, nodes, contents, origin):
    for name, node in nodes.items():
        location = address_of(mia, node)
        assert location.startswith(origin)
        assert pool.request("GET", location).data == contents[name]


def test_a_move_brings_everything_over_and_old_addresses_work_until_the_old_bytes_go(mia, acme, other_store):
    nodes = {name: mia.bring(name, content) for name, content in CONTENTS.items()}
    before = {name: address_of(mia, node) for name, node in nodes.items()}
    with tenancy.entered(acme):
        planned = api.plan_move(store_id=other_store.id)
    assert (planned.object_count, planned.size_bytes) == (3, sum(map(len, CONTENTS.values())))
    assert not Move.objects.exists(), "a plan changes nothing"
    assert move(acme, other_store.id) == "done"
    assert stores_of(acme) == {other_store.id}
    assert lie_in(acme, other_store.id) == keys_of(acme) == lie_in(acme, None)
    assert_all_is_read(mia, nodes, CONTENTS, other_store.public_endpoint_url)
    for name, address in before.items():
        assert pool.request("GET", address).data == CONTENTS[name]
    assert collect(acme).get("copies", 0) == 0, "what is left stays for its days"
    with clock.fixed_at(clock.now() + timedelta(days=7, minutes=1)):
        assert collect(acme)["copies"] == 3
    assert (lie_in(acme, None), lie_in(acme, other_store.id)) == (set(), keys_of(acme))
    with tenancy.entered(acme), db.read_transaction():
        assert not StoreCopy.objects.exists()
    assert_all_is_read(mia, nodes, CONTENTS, other_store.public_endpoint_url)
    with tenancy.entered(acme):
        status = api.find_move()
        assert status is not None
        assert (status.state, status.copied_count, status.left_count) == ("done", 3, 0)
    told = StreamEvent.objects.filter(tenant_id=acme.id, type__startswith="storage.").order_by("seq")
    assert [event.type for event in told if event.type != "storage.blobs.collected.v1"] == [
        "storage.move.started.v1",
        "storage.tenant.placed.v1",
        "storage.move.ended.v1",
    ]


def test_the_way_back_copies_nothing_that_is_still_there(mia, acme, other_store):
    nodes = {name: mia.bring(name, content) for name, content in CONTENTS.items()}
    move(acme, other_store.id)
    nodes["later.bin"] = mia.bring("later.bin", b"brought to the new store")
    written = []
    real = copying.saving.write_to
    with patch.object(copying.saving, "write_to", lambda store, key, **k: written.append(key) or real(store, key, **k)):
        assert move(acme, None) == "done"
    assert len(written) == 1
    assert stores_of(acme) == {None}
    assert_all_is_read(
        mia, nodes, {**CONTENTS, "later.bin": b"brought to the new store"}, provider.store().download_endpoint_url
    )
    with clock.fixed_at(clock.now() + timedelta(days=7, minutes=1)):
        collect(acme)
        with tenancy.entered(acme):
            reconciling.reconcile()
    assert lie_in(acme, other_store.id) == set()
    assert lie_in(acme, None) == keys_of(acme)
    assert not Placement.objects.exists(), "nothing is there any more"


def test_uploads_that_are_on_their_way_end_where_they_began_and_follow(mia, acme, other_store):
    content = os.urandom(PART + 3)
    upload = mia.started("slow.bin", content)
    assert put(upload["parts"][0], content[:PART]).status == 200
    move_id = start(acme, other_store.id)
    assert work(acme, move_id) == "switched"
    mia.bring("new.bin", b"new")
    assert stores_of(acme) == {other_store.id}
    mia.hashes[upload["id"]] = [part["sha256"] for part in upload["parts"]]
    assert put(upload["parts"][1], content[PART:]).status == 200, "its URLs lead to where it began"
    answer = mia.commit(upload)
    assert answer.status_code == 201
    assert stores_of(acme) == {None, other_store.id}
    assert work(acme, move_id) == "done"
    assert stores_of(acme) == {other_store.id}
    assert_all_is_read(mia, {"slow": answer.json()}, {"slow": content}, other_store.public_endpoint_url)


def test_a_move_that_is_canceled_leaves_everything_as_it_was(mia, acme, other_store):
    nodes = {name: mia.bring(name, content) for name, content in CONTENTS.items()}
    move_id = start(acme, other_store.id)

    def cancel_then(*_):
        with tenancy.entered(acme):
            api.cancel_move(operator_id=None)

    with patch.object(relocating, "BATCH", 1):
        assert work(acme, move_id, report=cancel_then) == "canceled"
    assert lie_in(acme, other_store.id) != set()
    assert stores_of(acme) == {None}
    assert work(acme, move_id) == "over"
    assert collect(acme)["copies"] >= 1
    assert lie_in(acme, other_store.id) == set()
    assert lie_in(acme, None) == keys_of(acme)
    assert_all_is_read(mia, nodes, CONTENTS, provider.store().download_endpoint_url)
    with tenancy.entered(acme), pytest.raises(MoveNotFound):
        api.cancel_move(operator_id=None)
    assert move(acme, other_store.id) == "done", "another one begins anew"


def test_a_move_that_has_switched_is_not_canceled(mia, acme, other_store):
    mia.bring("a.bin", b"a")
    mia.started("on-its-way.bin", b"b")
    assert work(acme, start(acme, other_store.id)) == "switched"
    with tenancy.entered(acme), pytest.raises(MoveNotFound):
        api.cancel_move(operator_id=None)


def test_one_move_at_a_time_and_none_without_need(mia, acme, other_store):
    with pytest.raises(NothingToMove):
        start(acme, None)
    mia.bring("a.bin", b"a")
    start(acme, other_store.id)
    with pytest.raises(MoveUnderWay):
        start(acme, other_store.id)
    with tenancy.entered(acme), pytest.raises(MoveUnderWay):
        api.place_tenant(store_id=None, operator_id=None)
    assert Job.objects.filter(kind="storage.move").count() == 1


def test_what_is_deleted_while_it_is_moved_goes_from_both_places(mia, acme, other_store):
    node = mia.bring("doomed.bin", b"doomed")
    move(acme, other_store.id)
    with tenancy.entered(acme), db.write_transaction():
        Blob.objects.update(state="condemned", condemned_at=clock.now() - timedelta(days=1))
    with tenancy.entered(acme), patch("apps.files.api.find_held_blobs", lambda **_: set()):
        counts = collecting.collect()
    assert (counts["removed"], node["size_bytes"]) == (1, 6)
    with clock.fixed_at(clock.now() + timedelta(days=7, minutes=1)):
        collect(acme)
    assert (lie_in(acme, None), lie_in(acme, other_store.id)) == (set(), set())


def test_an_object_that_is_missing_or_damaged_stays_behind_and_is_counted(mia, acme, other_store):
    for name, content in CONTENTS.items():
        mia.bring(name, content)
    with tenancy.entered(acme), db.read_transaction():
        missing, damaged = (Blob.objects.get(size_bytes=len(CONTENTS[name])) for name in ("small.bin", "large.bin"))
    provider.store().delete_objects([missing.key])
    provider.store().delete_objects([damaged.key])
    provider.store().put_object(damaged.key, os.urandom(2 * PART + 5))
    assert move(acme, other_store.id) == "done"
    with tenancy.entered(acme):
        assert api.find_move().left_count == 2
        with db.read_transaction():
            left = set(Blob.objects.filter(store_id=None).values_list("id", flat=True))
    assert left == {missing.id, damaged.id}
    assert damaged.key not in lie_in(acme, other_store.id)


def test_previews_come_along(mia, acme, other_store):
    with tenancy.entered(acme):
        derived_id = ids.new_id()
        provider.store().put_object(f"{acme.id.hex}/{derived_id.hex}/derived", b"preview")
        with db.write_transaction():
            DerivedObject.objects.create(
                id=derived_id, content_hash=bytes(32), name="small", size_bytes=7, media_type="image/webp",
                created_at=clock.now(), ready_at=clock.now(),
            )  # fmt: skip
    mia.bring("a.bin", b"a")
    assert move(acme, other_store.id) == "done"
    with tenancy.entered(acme), db.read_transaction():
        assert DerivedObject.objects.get().store_id == other_store.id
    assert f"{acme.id.hex}/{derived_id.hex}/derived" in lie_in(acme, other_store.id)


def test_a_reconciler_beside_a_move_deletes_nothing_of_it(mia, acme, other_store, monkeypatch):
    monkeypatch.setattr(reconciling, "OLD", -reconciling.OLD)
    nodes = {name: mia.bring(name, content) for name, content in CONTENTS.items()}
    move_id = start(acme, other_store.id)

    def reconcile(*_):
        counts = reconciling.reconcile()
        assert not counts.get("deleted")
        assert not counts.get("missing")

    with patch.object(relocating, "BATCH", 1):
        assert work(acme, move_id, report=reconcile) == "done"
    with tenancy.entered(acme):
        reconcile()
    assert_all_is_read(mia, nodes, CONTENTS, other_store.public_endpoint_url)


def test_a_store_that_goes_away_in_the_middle_stops_the_run_and_loses_nothing(mia, acme, other_store):
    nodes = {name: mia.bring(name, content) for name, content in CONTENTS.items()}
    move_id = start(acme, other_store.id)
    real, calls = copying.copy, []

    def fail_once(source, **stores):
        calls.append(source)
        if len(calls) == 2:
            raise StoreUnavailable
        real(source, **stores)

    with patch.object(copying, "copy", fail_once), pytest.raises(StoreUnavailable):
        work(acme, move_id)
    assert_all_is_read(mia, nodes, CONTENTS, provider.store().download_endpoint_url)
    assert work(acme, move_id) == "done"
    assert_all_is_read(mia, nodes, CONTENTS, other_store.public_endpoint_url)


class Died(BaseException):
    """The process has gone."""


POINTS = [
    (relocating, "_take_back_copies"),
    (relocating, "_announce"),
    (copying, "copy"),
    (relocating, "_confirm"),
    (relocating._Work, "_note"),
    (relocating._Work, "_switch"),
    (relocating.placing, "place_within"),
    (relocating, "_leave"),
    (relocating._Work, "_switch_copied"),
    (relocating._Work, "_move_derived"),
    (relocating._Work, "_finish"),
]


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), POINTS, ids=[name for _, name in POINTS])
def test_whoever_dies_at_a_step_leaves_everything_readable_and_the_next_run_ends_it(
    mia, acme, other_store, owner, name, side
):
    nodes = {key: mia.bring(key, content) for key, content in CONTENTS.items()}
    move_id = start(acme, other_store.id)
    real, came = getattr(owner, name), []

    def die(*args, **kwargs):
        if not came:
            came.append(name)
            if side == "after":
                real(*args, **kwargs)
            raise Died
        return real(*args, **kwargs)

    with patch.object(relocating, "BATCH", 2), patch.object(owner, name, die), pytest.raises(Died):
        work(acme, move_id)
    assert came
    for key, node in nodes.items():
        assert pool.request("GET", address_of(mia, node)).data == CONTENTS[key]
    collect(acme)  # beside it
    assert work(acme, move_id) in ("done", "over")
    assert stores_of(acme) == {other_store.id}
    assert lie_in(acme, other_store.id) == keys_of(acme)
    with clock.fixed_at(clock.now() + timedelta(days=7, minutes=1)):
        collect(acme)
    assert (lie_in(acme, None), lie_in(acme, other_store.id)) == (set(), keys_of(acme))
    assert_all_is_read(mia, nodes, CONTENTS, other_store.public_endpoint_url)


def test_people_go_on_writing_and_reading_while_their_tenant_is_moved(live_like, acme, other_store):
    mia, write = live_like
    contents = {f"before-{n}": os.urandom(3000) for n in range(20)}
    nodes = {name: mia.bring(name, content) for name, content in contents.items()}
    move_id = start(acme, other_store.id)
    stop = threading.Event()
    written: dict[str, tuple] = {}
    failures: list[BaseException] = []
    writer = threading.Thread(target=write, args=(stop, written, failures))
    writer.start()
    try:
        with patch.object(relocating, "BATCH", 3):
            for _ in range(40):
                if work(acme, move_id) == "done":
                    break
                if len(written) > 10:
                    stop.set()
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert work(acme, move_id) in ("done", "over")
    assert stores_of(acme) == {other_store.id}
    everything = {**contents, **{name: content for name, (_, content) in written.items()}}
    nodes |= {name: node for name, (node, _) in written.items()}
    with clock.fixed_at(clock.now() + timedelta(days=7, minutes=1)):
        collect(acme)
    assert lie_in(acme, None) == set()
    assert_all_is_read(mia, nodes, everything, other_store.public_endpoint_url)


@pytest.fixture
def live_like(mia, api):
    """Somebody who writes and reads in a thread beside the test."""
    from django.db import connection

    def write(stop, written, failures):
        try:
            while not stop.is_set():
                name, content = f"during-{len(written)}", os.urandom(2000)
                node = mia.bring(name, content)
                assert pool.request("GET", address_of(mia, node)).data == content
                written[name] = (node, content)
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)
        finally:
            connection.close()

    return mia, write


@pytest.mark.parametrize("stalled_in", ["copy", "_confirm", "_announce"])
def test_of_two_that_work_on_one_move_the_slower_one_deletes_nothing_that_the_other_has_switched_to(
    mia, acme, other_store, stalled_in
):
    nodes = {name: mia.bring(name, content) for name, content in CONTENTS.items()}
    move_id = start(acme, other_store.id)
    owner = copying if stalled_in == "copy" else relocating
    real, came = getattr(owner, stalled_in), []

    def stall(*args, **kwargs):
        """Let another worker do all of it, and go on afterwards."""
        if not came:
            came.append(stalled_in)
            thread = threading.Thread(target=lambda: came.append(as_another(acme, move_id)))
            thread.start()
            thread.join()
        return real(*args, **kwargs)

    with patch.object(owner, stalled_in, stall):
        assert work(acme, move_id) in ("done", "over", "canceled", "switched")
    assert came == [stalled_in, "done"]
    collect(acme)
    with clock.fixed_at(clock.now() + timedelta(days=7, minutes=1)):
        collect(acme)
        with tenancy.entered(acme):
            assert not reconciling.reconcile().get("missing")
    assert lie_in(acme, other_store.id) == keys_of(acme)
    assert_all_is_read(mia, nodes, CONTENTS, other_store.public_endpoint_url)


def as_another(tenant, move_id):
    from django.db import connection

    try:
        return work(tenant, move_id)
    finally:
        connection.close()
