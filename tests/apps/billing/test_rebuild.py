"""The meter is made anew from what Files holds, while it runs, and equals a recount; what happened by day stays as it was."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection, connections

from apps.billing import metering, rebuilding
from apps.billing.models import UsageDay, UsageGauge
from apps.files import api as files
from bitvault.events import consuming, operating
from bitvault.events.models import ConsumerCursor, DeadLetter, StreamEvent
from bitvault.kernel import clock, db, tenancy
from tests.apps.billing.counting import compare, count_up, recount, usage

pytestmark = pytest.mark.committed


def rebuild(tenant) -> int:
    with tenancy.entered(tenant):
        return operating.rebuild(consumer=metering.CONSUMER, by=None)


def flows(tenant) -> dict:
    with tenancy.entered(tenant), db.read_transaction():
        rows = UsageDay.objects.filter(metric__in=metering.FLOWS).values_list("day", "metric", "amount")
        return {(day, metric): amount for day, metric, amount in rows}


def uploads(tenant) -> int:
    """How many uploads were committed, as the stream has them."""
    return StreamEvent.objects.filter(tenant_id=tenant.id, type="files.version.committed.v1").count()


@pytest.fixture
def tree(acme, actor, upload, root_id):
    """Live and trashed folders, nested; a file with two versions; everything counted."""
    with tenancy.entered(acme):
        folder = files.create_folder(actor=actor, parent_id=root_id, name="Reports")
        inner = files.create_folder(actor=actor, parent_id=folder.id, name="2026")
        gone = files.create_folder(actor=actor, parent_id=root_id, name="Gone")
    upload(inner.id, "a.txt", 100)
    upload(inner.id, "a.txt", 7, mode="overwrite")
    upload(gone.id, "b.txt", 30)
    with tenancy.entered(acme):
        files.trash_node(actor=actor, node_id=gone.id)
    count_up(acme)
    return folder


def spoil(tenant) -> None:
    with tenancy.entered(tenant), db.write_transaction():
        UsageGauge.objects.update(amount=12345)
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM billing_metered_node WHERE is_folder")


def test_a_spoilt_meter_is_made_whole_and_goes_on(api, acme, actor, tree, upload):
    before = flows(acme)
    spoil(acme)
    rebuild(acme)
    assert flows(acme) == before
    found = compare(api, acme)
    assert (found["live_bytes"], found["trash_bytes"], found["version_count"]) == (107, 30, 3)
    upload(tree.id, "c.txt", 5)
    with tenancy.entered(acme):
        files.trash_node(actor=actor, node_id=tree.id)
    found = compare(api, acme)
    assert (found["live_bytes"], found["trash_bytes"]) == (0, 142)
    today = clock.now().date()
    with tenancy.entered(acme), db.read_transaction():
        assert UsageDay.objects.get(day=today, metric="trash_bytes").amount == 142


def test_what_happened_between_the_pages_counts_once(api, acme, actor, tree, upload, monkeypatch):
    """Each page is followed by a change of what was read before it and of what comes after it."""
    kept = rebuilding.keep
    pages = []

    def keep_and_change(rows, seq):
        kept(rows, seq)
        pages.append(seq)
        number = len(pages)
        if number <= 12:
            upload(tree.id, f"{number}.txt", number)
            with tenancy.entered(acme):
                other = files.create_folder(actor=actor, parent_id=tree.id, name=f"f{number}")
                file = files.find_by_path(actor=actor, path=f"/Reports/{number}.txt")
                files.update_node(actor=actor, node_id=file.id, parent_id=other.id, expected_revision="any")
                if number % 3 == 0:
                    files.trash_node(actor=actor, node_id=other.id)
                if number % 6 == 0:
                    files.purge_node(actor=actor, node_id=other.id)
        if number % 2:
            count_up(acme)

    monkeypatch.setattr(rebuilding, "keep", keep_and_change)
    monkeypatch.setattr(files, "list_tree_rows", lambda *, after=None: _one_by_one(after))
    rebuild(acme)
    assert len(set(pages)) > 12
    compare(api, acme)
    assert sum(amount for (_, metric), amount in flows(acme).items() if metric == metering.UPLOADS) == uploads(acme)


def _one_by_one(after):
    from apps.files import queries

    return queries.list_tree_rows(after=after, limit=1)


def test_a_rebuild_while_others_write_and_count_equals_a_recount(api, acme, actor, tree, upload):
    ended = threading.Event()
    failures = []

    def run(work):
        try:
            while not ended.is_set():
                work()
        except Exception as error:  # noqa: BLE001 - told to the test below
            failures.append(error)
        finally:
            connections.close_all()

    numbers = iter(range(1000))

    def write():
        number = next(numbers)
        with tenancy.entered(acme):
            folder = files.create_folder(actor=actor, parent_id=tree.id, name=f"w{number}")
        upload(folder.id, "x", 3)
        with tenancy.entered(acme):
            if number % 2:
                files.trash_node(actor=actor, node_id=folder.id)
            if number % 4 == 3:
                files.purge_node(actor=actor, node_id=folder.id)

    threads = [threading.Thread(target=run, args=(work,)) for work in (write, lambda: count_up(acme))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(4):
            time.sleep(0.1)
            rebuild(acme)
    finally:
        ended.set()
        for thread in threads:
            thread.join(30)
    assert failures == []
    compare(api, acme)
    assert sum(amount for (_, metric), amount in flows(acme).items() if metric == metering.UPLOADS) == uploads(acme)


def test_a_meter_that_lags_is_brought_to_the_head_with_all_that_happened_by_day(api, acme, tree, upload):
    for number in range(5):
        upload(tree.id, f"{number}.txt", 10)
    seq = rebuild(acme)
    with tenancy.entered(acme):
        assert ConsumerCursor.objects.get(consumer=metering.CONSUMER, tenant_id=acme.id).seq == seq
    compare(api, acme)
    assert sum(amount for (_, metric), amount in flows(acme).items() if metric == metering.UPLOADS) == uploads(acme)


def test_an_event_that_was_given_up_is_in_a_rebuilt_tree_and_its_replay_counts_the_upload_alone(
    api, acme, tree, upload
):
    node = upload(tree.id, "poison.txt", 50)
    with tenancy.entered(acme):
        seq = StreamEvent.objects.filter(tenant_id=acme.id).latest("seq").seq
        consuming.give_up(consuming.get_consumer(metering.CONSUMER), seq, "given up")
    assert node.size_bytes == 50
    before = sum(amount for (_, metric), amount in flows(acme).items() if metric == metering.UPLOADS)
    rebuild(acme)
    compare(api, acme)
    with tenancy.entered(acme):
        letter = DeadLetter.objects.get(consumer=metering.CONSUMER, tenant_id=acme.id)
        operating.replay_dead_letter(letter_id=letter.id, by=None)
    compare(api, acme)
    after = sum(amount for (_, metric), amount in flows(acme).items() if metric == metering.UPLOADS)
    assert after == before + 1


@pytest.mark.parametrize("kept", [1, 0], ids=["one event is left", "the whole stream is dropped"])
def test_a_meter_that_comes_later_than_the_streams_first_days_begins_from_what_files_holds(
    api, acme, tree, upload, kept
):
    from bitvault.events import tasks

    upload(tree.id, "late.txt", 9)
    with tenancy.entered(acme), db.write_transaction():
        UsageGauge.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM billing_metered_node")
    ConsumerCursor.objects.filter(consumer=metering.CONSUMER, tenant_id=acme.id).update(seq=0, published_at=EPOCH)
    head = StreamEvent.objects.filter(tenant_id=acme.id).latest("seq").seq
    StreamEvent.objects.filter(tenant_id=acme.id, seq__lte=head - kept).delete()
    with tenancy.entered(acme):
        tasks.consume.run(metering.CONSUMER)
        tasks.close_gap.run(metering.CONSUMER)
    found = usage(api)
    assert found.pop("as_of_seq") >= head
    assert found == recount(acme)


def test_a_rebuild_that_fails_leaves_the_consumer_waiting_and_no_dead_letter(acme, tree, upload, monkeypatch):
    from bitvault.events import tasks

    upload(tree.id, "late.txt", 9)
    ConsumerCursor.objects.filter(consumer=metering.CONSUMER, tenant_id=acme.id).update(seq=0, published_at=EPOCH)
    StreamEvent.objects.filter(tenant_id=acme.id, seq__lt=3).delete()
    monkeypatch.setattr(rebuilding, "keep", lambda *_: 1 / 0)
    moment = clock.now()
    with tenancy.entered(acme):
        for minutes in range(0, 60, 3):
            with clock.fixed_at(moment + timedelta(minutes=minutes)):
                tasks.consume.run(metering.CONSUMER)
                with pytest.raises(ZeroDivisionError):
                    tasks.close_gap.run(metering.CONSUMER)
        assert not DeadLetter.objects.exists()
        monkeypatch.undo()
        with clock.fixed_at(moment + timedelta(hours=2)):
            tasks.consume.run(metering.CONSUMER)
            tasks.close_gap.run(metering.CONSUMER)
            assert consuming.consume(metering.CONSUMER) >= 0
    assert ConsumerCursor.objects.get(consumer=metering.CONSUMER, tenant_id=acme.id).try_count == 0


def test_of_two_rebuilds_at_once_the_older_one_swaps_nothing(api, acme, tree, upload, monkeypatch):
    kept = rebuilding.keep
    inner = []

    def keep_and_begin_another(rows, seq):
        kept(rows, seq)
        if not inner:
            inner.append(True)
            operating.rebuild(consumer=metering.CONSUMER, by=None)

    monkeypatch.setattr(rebuilding, "keep", keep_and_begin_another)
    upload(tree.id, "late.txt", 9)
    with pytest.raises(operating.RebuildOvertaken):
        rebuild(acme)
    compare(api, acme)


EPOCH = clock.now() - timedelta(days=400)
