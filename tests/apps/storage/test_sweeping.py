"""The sweeper goes on: what cannot be swept now keeps nothing else waiting."""

from datetime import timedelta

import pytest

from apps.storage import models, tasks
from apps.storage.errors import StoreUnavailable
from apps.storage.operations import starting, sweeping
from bitvault.kernel import clock, db, ids


@pytest.fixture
def abandoned(tenant, actor):
    """Five attempts that nobody has ended, all of them due."""
    started = []
    for _ in range(5):
        upload_id = ids.new_id()
        starting.start(
            upload_id=upload_id,
            by=actor,
            size_bytes=10,
            media_type="text/plain",
            destination={},
            part_hashes=[],
            base_blob_id=None,
            known_blob_id=None,
            client_modified_at=None,
        )
        started.append(upload_id)
    with clock.fixed_at(clock.now() + timedelta(days=10)):
        yield started


def left():
    with db.read_transaction():
        return list(models.Upload.objects.filter(swept_at=None).order_by("id").values_list("id", flat=True))


@pytest.mark.parametrize("size", [1, 2, 5])
def test_postponed_uploads_keep_no_other_waiting(abandoned, monkeypatch, size):
    monkeypatch.setattr(sweeping, "SWEEP_BATCH", size)
    clean = sweeping._clean

    def failing(attempt):
        if attempt.id in abandoned[:3]:
            raise StoreUnavailable
        clean(attempt)

    monkeypatch.setattr(sweeping, "_clean", failing)
    monkeypatch.setattr(starting, "remove_all", lambda *_, **__: 0)
    assert sweeping.sweep_all() == (2, True)
    assert left() == abandoned[:3]


def test_a_run_whose_time_is_over_sends_for_another(abandoned, monkeypatch):
    sent = []
    monkeypatch.setattr(sweeping, "sweep_all", lambda: sweeping.Swept(7, is_done=False))
    monkeypatch.setattr(tasks.sweep_uploads, "apply_async", lambda **more: sent.append(more["headers"]))
    assert tasks.sweep_uploads.run() == 7
    assert len(sent) == 1
