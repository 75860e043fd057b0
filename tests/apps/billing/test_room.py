"""Room: promised, charged, given back; each once."""

from datetime import timedelta
from uuid import uuid4

import pytest

from apps.billing import api, models, operations
from apps.billing.errors import PlanUnknown, QuotaExceeded
from bitvault.kernel import clock, db, ids, tenancy

LIMIT = 1000
LATER = timedelta(hours=72)


@pytest.fixture
def room(tenant, actor):
    """A tenant with 1,000 bytes: ``room()`` gives (used, reserved)."""
    api.set_quota(limit_bytes=LIMIT)

    def now():
        quota = api.get_quota(actor=actor)
        return quota.used_bytes, quota.reserved_bytes

    return now


@pytest.fixture
def reserve(actor):
    def promise(size, upload_id=None, **at):
        upload_id = upload_id or ids.new_id()
        api.reserve(actor=actor, upload_id=upload_id, size_bytes=size, expires_at=clock.now() + LATER)
        return upload_id

    return promise


def test_a_new_tenant_has_the_room_of_the_default_plan(tenant, actor):
    quota = api.get_quota(actor=actor)
    assert (quota.scope, quota.plan, quota.limit_bytes) == ("tenant", "default", 1024**4)
    assert (quota.used_bytes, quota.reserved_bytes, quota.available_bytes) == (0, 0, 1024**4)


def test_the_first_upload_of_a_tenant_finds_room(tenant, actor, reserve):
    reserve(5)
    assert api.get_quota(actor=actor).reserved_bytes == 5


def test_a_promise_counts_and_a_charge_replaces_it(room, reserve):
    upload = reserve(400)
    assert room() == (0, 400)
    api.settle(upload_id=upload, size_bytes=400)
    assert room() == (400, 0)


@pytest.mark.parametrize("size", [LIMIT + 1, 2**62])
def test_more_than_there_is_is_refused_with_the_figures(room, reserve, size):
    reserve(100)
    with pytest.raises(QuotaExceeded) as refused:
        reserve(size)
    assert refused.value.facts == {
        "limit_bytes": LIMIT,
        "used_bytes": 0,
        "reserved_bytes": 100,
        "requested_bytes": size,
    }
    assert room() == (0, 100)


def test_the_last_byte_fits_and_not_one_more(room, reserve):
    reserve(LIMIT - 1)
    reserve(1)
    with pytest.raises(QuotaExceeded):
        reserve(1)
    reserve(0)
    assert room() == (0, LIMIT)


def test_settling_again_changes_nothing(room, reserve):
    upload = reserve(400)
    for _ in range(3):
        api.settle(upload_id=upload, size_bytes=400)
    api.release(upload_id=upload)
    assert room() == (400, 0)


def test_an_upload_that_made_no_version_costs_nothing(room, reserve):
    api.settle(upload_id=reserve(400), size_bytes=0)
    assert room() == (0, 0)


def test_releasing_gives_the_room_back_once(room, reserve):
    kept, dropped = reserve(100), reserve(400)
    for _ in range(3):
        api.release(upload_id=dropped)
    assert room() == (0, 100)
    api.release(upload_id=uuid4())
    assert room() == (0, 100)
    api.settle(upload_id=kept, size_bytes=100)


def test_a_commit_that_comes_after_its_promise_was_given_back_is_charged_all_the_same(room, reserve):
    upload = reserve(400)
    api.release(upload_id=upload)
    api.settle(upload_id=upload, size_bytes=400)
    assert room() == (400, 0)


def test_a_charge_without_any_promise_is_a_defect_of_ours(room):
    with pytest.raises(operations.ReservationMissing):
        api.settle(upload_id=uuid4(), size_bytes=1)


def test_a_refund_has_its_effect_once(room, reserve):
    api.settle(upload_id=reserve(400), size_bytes=400)
    cause = ids.new_id()
    for _ in range(3):
        api.refund(cause_id=cause, size_bytes=150)
    assert room() == (250, 0)


def test_a_refund_of_more_than_is_used_stops_at_nothing_and_is_told(room, reserve, caplog):
    api.settle(upload_id=reserve(100), size_bytes=100)
    api.refund(cause_id=ids.new_id(), size_bytes=150)
    assert room() == (0, 0)
    assert "quota_drift" in caplog.text


def test_promises_lapse_two_hours_after_their_time(room, reserve):
    late = reserve(400)
    with clock.fixed_at(clock.now() + LATER + timedelta(hours=1, minutes=59)):
        assert operations.lapse_expired() == 0
        reserve(50)
    with clock.fixed_at(clock.now() + LATER + timedelta(hours=2, minutes=1)):
        assert operations.lapse_expired() == 1
        assert operations.lapse_expired() == 0
    assert room() == (0, 50)
    api.settle(upload_id=late, size_bytes=400)
    assert room() == (400, 50)


def test_lapsing_goes_in_batches(room, reserve):
    for _ in range(5):
        reserve(10)
    with clock.fixed_at(clock.now() + timedelta(days=4)):
        assert [operations.lapse_expired(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert room() == (0, 0)


def test_ended_promises_are_forgotten_and_open_ones_never(room, reserve):
    ended, open_one = reserve(10), reserve(20)
    api.settle(upload_id=ended, size_bytes=10)
    with clock.fixed_at(clock.now() + timedelta(days=41)), pytest.MonkeyPatch.context() as patch:
        patch.setattr(operations, "LAPSE_GRACE", timedelta(days=100))
        operations.lapse_expired()
    with db.read_transaction():
        assert list(models.Reservation.objects.values_list("upload_id", flat=True)) == [open_one]
    assert room() == (10, 20)


def test_a_limit_below_what_is_used_lets_nothing_more_in(room, reserve):
    api.settle(upload_id=reserve(400), size_bytes=400)
    api.set_quota(limit_bytes=300)
    with pytest.raises(QuotaExceeded):
        reserve(1)


def test_another_plan_brings_its_limit(room, actor):
    with db.public_transaction():
        models.Plan.objects.create(slug="large", name="Large", limit_bytes=5)
    api.set_quota(plan="large")
    assert (api.get_quota(actor=actor).plan, api.get_quota(actor=actor).limit_bytes) == ("large", 5)
    with pytest.raises(PlanUnknown):
        api.set_quota(plan="imaginary")


def test_a_change_of_quota_is_an_event(room):
    from bitvault.events.models import StreamEvent

    with db.read_transaction():
        event = StreamEvent.objects.filter(type="billing.quota.changed.v1").latest("seq")
    assert event.payload["limit_bytes"] == LIMIT


def test_tenants_do_not_share_room(room, reserve, make_actor):
    reserve(400)
    boris = make_actor("boris")
    token = tenancy._current.set(None)
    try:
        with tenancy.entered(boris.tenant):
            assert api.get_quota(actor=boris).reserved_bytes == 0
    finally:
        tenancy._current.reset(token)


def test_the_rest_surface_lists_the_room(api_of_mia):
    (quota,) = api_of_mia.get("/quotas").json()["items"]
    assert quota == {
        "scope": "tenant",
        "plan": "default",
        "limit_bytes": 1024**4,
        "used_bytes": 0,
        "reserved_bytes": 0,
        "available_bytes": 1024**4,
        "given_bytes": 1024**4,
        "own_limit_bytes": None,
        "file_limit_bytes": None,
        "trash_days": 30,
        "warn_bytes": None,
    }


@pytest.fixture
def api_of_mia(request):
    return request.getfixturevalue("api")("mia")
