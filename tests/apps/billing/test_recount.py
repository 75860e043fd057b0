"""The recount: what a quota counts as used is corrected by what a count of the files cannot explain, and by nothing else."""

from datetime import timedelta

import pytest

from apps.billing import api, models, operations
from apps.billing.errors import RecountOvertaken
from bitvault.events.models import StreamEvent
from bitvault.gateway import figures, recounting
from bitvault.jobs.models import Job
from bitvault.kernel import clock, db, ids, tenancy
from tests.jobs.conftest import desk

__all__ = ["desk"]

EVENT = "billing.usage.corrected.v1"


def recount(desk, tenant) -> dict:
    with tenancy.entered(tenant):
        recounting.request_recount.run()
    assert desk.run("bulk") == 1
    return Job.objects.filter(kind=recounting.RECOUNT_JOB).order_by("-id").first().result


def used(tenant, actor) -> int:
    with tenancy.entered(tenant):
        return api.get_quota(actor=actor).used_bytes


def charge(tenant, actor, size_bytes: int) -> None:
    with tenancy.entered(tenant):
        upload_id = ids.new_id()
        api.reserve(
            actor=actor, upload_id=upload_id, size_bytes=size_bytes, expires_at=clock.now() + timedelta(hours=1)
        )
        api.settle(upload_id=upload_id, size_bytes=size_bytes)


def corrections(tenant) -> list[int]:
    rows = StreamEvent.objects.filter(tenant_id=tenant.id, type=EVENT).order_by("seq")
    return [row.payload["corrected_by_bytes"] for row in rows]


@pytest.mark.committed
def test_a_charge_that_was_lost_is_made_up_for_once_with_an_event(acme, actor, desk, upload, root_id):
    charge(acme, actor, 0)
    upload(root_id, "uncharged.bin", 700)
    assert recount(desk, acme) == {"counted_bytes": 700, "corrected_by_bytes": 700}
    assert used(acme, actor) == 700
    assert recount(desk, acme) == {"counted_bytes": 700, "corrected_by_bytes": 0}
    assert corrections(acme) == [700]


@pytest.mark.committed
def test_a_refund_that_was_lost_is_made_up_for_and_operators_are_told(acme, actor, desk):
    charge(acme, actor, 500)
    assert figure("bitvault_quotas_corrected") == 0
    assert recount(desk, acme)["corrected_by_bytes"] == -500
    assert used(acme, actor) == 0
    assert (figure("bitvault_quotas_corrected"), figure("bitvault_quotas_corrected_bytes")) == (1, 500)


def figure(name: str) -> float:
    line = next(line for line in figures.show().decode().splitlines() if line.startswith(f"{name} "))
    return float(line.split()[1])


@pytest.mark.committed
def test_what_agrees_is_left_alone(acme, actor, desk, upload, root_id):
    upload(root_id, "charged.bin", 300)
    charge(acme, actor, 300)
    assert recount(desk, acme) == {"counted_bytes": 300, "corrected_by_bytes": 0}
    assert corrections(acme) == []


def correct(size_bytes: int, unrefunded_bytes: int = 0, as_of_seq: int | None = None) -> int:
    from bitvault.events.api import get_head

    seq = get_head() if as_of_seq is None else as_of_seq
    return api.correct_usage(size_bytes=size_bytes, unrefunded_bytes=unrefunded_bytes, as_of_seq=seq).corrected_by_bytes


def test_an_upload_that_is_not_charged_yet_is_no_drift(tenant, actor):
    api.reserve(actor=actor, upload_id=ids.new_id(), size_bytes=400, expires_at=clock.now() + timedelta(hours=1))
    assert correct(400) == 0
    assert correct(450) == 50


def test_a_purge_that_is_not_refunded_yet_is_no_drift(tenant, actor):
    charge(tenant, actor, 400)
    assert correct(100, unrefunded_bytes=300) == 0
    assert correct(50, unrefunded_bytes=300) == -50


@pytest.mark.committed
def test_what_happened_since_the_files_were_counted_is_counted_too(acme, actor, desk, upload, root_id):
    from bitvault.events.api import get_head

    charge(acme, actor, 0)
    with tenancy.entered(acme):
        counted_at = get_head()
    upload(root_id, "late.bin", 250)
    charge(acme, actor, 250)
    with tenancy.entered(acme):
        assert correct(0, as_of_seq=counted_at) == 0


@pytest.mark.committed
def test_a_count_that_too_much_has_overtaken_is_made_again(acme, actor, monkeypatch, upload, root_id):
    from apps.billing import recounting as settling

    charge(acme, actor, 0)
    monkeypatch.setattr(settling, "TAIL_LIMIT", 1)
    upload(root_id, "a.bin", 1)
    upload(root_id, "b.bin", 1)
    with tenancy.entered(acme), pytest.raises(RecountOvertaken):
        correct(0, as_of_seq=0)


def test_a_tenant_without_a_quota_has_nothing_to_be_corrected(tenant):
    assert correct(0) == 0


def test_refunds_are_forgotten_once_nobody_can_ask_for_them_again(tenant, actor):
    charge(tenant, actor, 10)
    old, young = ids.new_id(), ids.new_id()
    api.refund(cause_id=old, size_bytes=1)
    with clock.fixed_at(clock.now() + timedelta(days=39)):
        api.refund(cause_id=young, size_bytes=1)
        assert operations.forget_refunds() == 0
    with clock.fixed_at(clock.now() + timedelta(days=41)):
        assert operations.forget_refunds() == 1
        assert operations.forget_refunds() == 0
    with db.read_transaction():
        assert list(models.Refund.objects.values_list("cause_id", flat=True)) == [young]
