"""Consumers: each event has its effect once, in order, whatever fails or dies around it."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connections

from bitvault.events import consuming
from bitvault.events.models import ConsumerCursor, DeadLetter, PausedConsumer
from bitvault.kernel import clock, tenancy

pytestmark = pytest.mark.committed


def in_thread(tenant, act):
    def run():
        try:
            with tenancy.entered(tenant):
                return act()
        finally:
            connections.close_all()

    return run


def test_events_have_their_effect_in_order(acme, reader, note):
    with tenancy.entered(acme):
        note("a", "b")
        last = note("c")
        assert consuming.consume("tests") == 3
        assert reader.effects() == ["a", "b", "c"]
        assert reader.position() == last


def test_a_second_call_finds_nothing_to_do(acme, reader, note):
    with tenancy.entered(acme):
        note("a")
        consuming.consume("tests")
        assert consuming.consume("tests") == 0
        assert reader.calls == {"a": 1}


def test_more_events_than_a_batch_are_all_read(acme, reader, note):
    with tenancy.entered(acme):
        note(*[f"n{number}" for number in range(consuming.BATCH_LIMIT * 2 + 5)])
        assert consuming.consume("tests") == consuming.BATCH_LIMIT * 2 + 5


def test_a_turn_ends_within_a_batch_and_the_next_one_goes_on(acme, reader, note):
    with tenancy.entered(acme):
        note("a", "b", "c")
        assert consuming.consume("tests", deadline=0) == 1
        assert reader.effects() == ["a"]
        assert consuming.consume("tests") == 2
        assert reader.effects() == ["a", "b", "c"]


def test_an_effect_and_its_cursor_stand_or_fall_together(acme, reader, note):
    reader.refuses.add("b")
    with tenancy.entered(acme):
        first = note("a", "b", "c")
        consuming.consume("tests")
        # The batch failed as a whole; then what came before the failing event was read without it.
        assert reader.effects() == ["a"]
        assert reader.position() == first - 2


def test_a_poisoned_event_is_parked_after_eight_tries_and_the_cursor_moves_on(acme, reader, note):
    reader.refuses.add("poison")
    with tenancy.entered(acme):
        note("a", "poison", "b")
        moment = clock.now()
        for minutes in range(20):
            with clock.fixed_at(moment + timedelta(minutes=3 * minutes)):
                consuming.consume("tests")
        assert reader.effects() == ["a", "b"]
        letter = DeadLetter.objects.get()
        assert (letter.consumer, letter.tenant_id, letter.type) == ("tests", acme.id, "tests.note.made.v1")
        assert "refused poison" in letter.error
        # Once in the batch that found it out, and then alone as often as the rule says.
        assert reader.calls["poison"] == 1 + consuming.TRY_LIMIT


def test_a_failing_event_backs_off_and_is_not_hammered(acme, reader, note):
    reader.refuses.add("poison")
    with tenancy.entered(acme):
        note("poison")
        for _ in range(5):
            consuming.consume("tests")
        assert reader.calls["poison"] == 1
        assert ConsumerCursor.objects.get(consumer="tests", tenant_id=acme.id).retry_at > clock.now()


def test_an_event_that_works_at_last_leaves_no_trace_of_its_failures(acme, reader, note):
    reader.refuses.add("shy")
    with tenancy.entered(acme):
        note("shy")
        consuming.consume("tests")
        reader.refuses.clear()
        with clock.fixed_at(clock.now() + timedelta(minutes=1)):
            consuming.consume("tests")
        assert reader.effects() == ["shy"]
        cursor = ConsumerCursor.objects.get(consumer="tests", tenant_id=acme.id)
        assert (cursor.try_count, cursor.failing_seq, cursor.retry_at, cursor.last_error) == (0, None, None, "")


def test_one_tenants_poison_does_not_delay_another(acme, beta, reader, note):
    reader.refuses.add("poison")
    with tenancy.entered(acme):
        note("poison")
        consuming.consume("tests")
    with tenancy.entered(beta):
        note("fine")
        consuming.consume("tests")
        assert reader.effects() == ["fine"]


def test_a_worker_that_dies_on_an_event_again_and_again_is_spared_it_in_the_end(acme, reader, note):
    """A worker that is killed writes nothing down: only the tries that it began tell of it."""

    class Killed(BaseException):
        pass

    def die(event):
        if event.text == "deadly":
            raise Killed

    reader.before.append(die)
    with tenancy.entered(acme):
        note("a", "deadly", "b")
        deaths = 0
        for _ in range(40):
            try:
                consuming.consume("tests")
            except Killed:
                deaths += 1
        assert reader.effects() == ["a", "b"]
        assert DeadLetter.objects.get().error.startswith("a worker died on it")
        assert deaths <= consuming.DEATHS_BEFORE_CARE + 1 + consuming.TRY_LIMIT


def test_two_workers_on_one_stream_have_each_effect_once(acme, reader, note):
    """The second finds the cursor locked and leaves; a message that came twice is harmless."""
    barrier = threading.Barrier(2, timeout=10)
    met = threading.Event()

    def meet(event):
        if not met.is_set():
            met.set()
            barrier.wait()

    reader.before.append(meet)
    with tenancy.entered(acme):
        note("a", "b")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(in_thread(acme, lambda: consuming.consume("tests")))
        met.wait(10)
        second = pool.submit(in_thread(acme, lambda: consuming.consume("tests")))
        assert second.result(10) == 0
        barrier.wait()
        assert first.result(10) == 2
    with tenancy.entered(acme):
        assert reader.effects() == ["a", "b"]
        assert reader.calls == {"a": 1, "b": 1}


def test_an_event_written_while_a_consumer_reads_is_not_lost(acme, reader, note):
    late = []

    def write_more(event):
        if event.text == "a" and not late:
            writer = threading.Thread(target=in_thread(acme, lambda: late.append(note("late"))))
            writer.start()
            writer.join(10)

    reader.before.append(write_more)
    with tenancy.entered(acme):
        note("a")
        consuming.consume("tests")
        consuming.consume("tests")
        assert reader.effects() == ["a", "late"]


def test_eight_writers_leave_no_gap_and_a_reader_behind_them_misses_nothing(acme, reader, note):
    """Numbers are taken last in the transaction: a reader that follows them sees every commit exactly once, in order."""
    import random

    commits, texts = 60, []
    lock = threading.Lock()

    def write(seed: int):
        rng = random.Random(seed)
        for number in range(commits):
            text = f"w{seed}-{number}"
            if rng.random() < 0.05:
                with pytest.raises(ZeroDivisionError):
                    _fail_after_publishing(text)
                continue
            note(text)
            with lock:
                texts.append(text)

    stop = threading.Event()

    def read():
        while not stop.is_set():
            consuming.consume("tests")

    with ThreadPoolExecutor(9) as pool:
        reading = pool.submit(in_thread(acme, read))
        writing = [pool.submit(in_thread(acme, lambda seed=seed: write(seed))) for seed in range(8)]
        for one in writing:
            one.result(120)
        stop.set()
        reading.result(30)
    with tenancy.entered(acme):
        consuming.consume("tests")
        assert sorted(reader.effects()) == sorted(texts)
        assert reader.position() == len(texts)
        assert set(reader.calls.values()) == {1}


def _fail_after_publishing(text: str) -> None:
    from bitvault.events.api import publish
    from bitvault.kernel import db
    from tests.events.conftest import Noted

    with db.write_transaction():
        publish(Noted(text=text))
        raise ZeroDivisionError


def test_a_consumer_that_was_away_for_days_reads_what_is_older_than_today(acme, reader, note, monkeypatch):
    from django.db import connection

    with tenancy.entered(acme):
        note("a", "b", "c")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE events_stream_event SET published_at = published_at - interval '9 days'")
            cursor.execute("UPDATE events_consumer_cursor SET published_at = published_at - interval '9 days'")
        note("d")
        monkeypatch.setattr(consuming, "BATCH_LIMIT", 1)
        consuming.consume("tests")
        assert reader.effects() == ["a", "b", "c", "d"]


def test_a_paused_consumer_begins_no_further_batch_and_goes_on_where_it_stopped(acme, reader, note, monkeypatch):
    monkeypatch.setattr(consuming, "BATCH_LIMIT", 1)

    def pause(event):
        if event.text == "b":
            stop = threading.Thread(target=in_thread(acme, lambda: stop_consumer("tests")))
            stop.start()
            stop.join()

    reader.before.append(pause)
    with tenancy.entered(acme):
        note("a", "b", "c")
        assert consuming.consume("tests") == 2
        assert consuming.consume("tests", at_once=True) == 0
        assert reader.effects() == ["a", "b"]
        PausedConsumer.objects.all().delete()
        assert consuming.consume("tests") == 1
        assert reader.effects() == ["a", "b", "c"]


def stop_consumer(name):
    PausedConsumer.objects.create(consumer=name, reason="it hurts", paused_at=clock.now())


def test_a_batch_that_fails_backs_off_says_why_and_costs_no_other_event_its_effect(acme, gatherer, note):
    gatherer.refuses.add("poison")
    with tenancy.entered(acme):
        note("a", "poison", "b")
        moment = clock.now()
        consuming.consume("batches")
        cursor = ConsumerCursor.objects.get(consumer="batches", tenant_id=acme.id)
        assert cursor.retry_at > moment
        assert "ValueError: refused poison" in cursor.last_error
        for minutes in range(1, 25):
            with clock.fixed_at(moment + timedelta(minutes=3 * minutes)):
                consuming.consume("batches")
        assert gatherer.effects() == ["a", "b"]
        assert "ValueError: refused poison" in DeadLetter.objects.get().error
        # Once with the others, and then alone as often as the rule says.
        assert [batch for batch in gatherer.batches if "poison" in batch] == [
            ["a", "poison", "b"],
            *[["poison"]] * consuming.TRY_LIMIT,
        ]


def test_a_batch_function_is_given_the_events_of_its_types_at_once_and_in_order(acme, gatherer, note, publish_other):
    with tenancy.entered(acme):
        note("a", "b")
        publish_other()
        last = note("c")
        assert consuming.consume("batches") == 4
        assert gatherer.batches == [["a", "b", "c"]]
        assert gatherer.position() == last


def test_a_batch_function_of_everything_sees_events_of_types_that_it_did_not_name(acme, gatherer, note, publish_other):
    with tenancy.entered(acme):
        note("a")
        publish_other()
        consuming.consume("everything")
        assert [(published.type, published.event is not None) for published in gatherer.everything] == [
            ("tests.note.made.v1", True),
            ("tests.other.made.v1", False),
        ]


def test_a_batch_function_is_not_called_when_nothing_concerns_it(acme, gatherer, publish_other):
    with tenancy.entered(acme):
        publish_other()
        assert consuming.consume("batches") == 1
        assert gatherer.batches == []
        assert gatherer.position() == 1


def test_an_event_that_cannot_be_read_as_its_type_is_the_one_that_is_parked(acme, gatherer, note):
    from django.db import connection

    with tenancy.entered(acme):
        seq = note("a", "unreadable", "b") - 1
        with connection.cursor() as cursor:
            cursor.execute("UPDATE events_stream_event SET payload = '{}' WHERE seq = %s", [seq])
        moment = clock.now()
        for minutes in range(20):
            with clock.fixed_at(moment + timedelta(minutes=3 * minutes)):
                consuming.consume("batches")
        # What comes before it is not tried one by one.
        assert gatherer.batches == [["a"], ["b"]]
        assert DeadLetter.objects.get().seq == seq


def test_a_dead_letter_of_a_batch_function_is_replayed_as_a_batch_of_one(acme, gatherer, note):
    from bitvault.events import operating

    gatherer.refuses.add("poison")
    with tenancy.entered(acme):
        note("poison")
        moment = clock.now()
        for minutes in range(20):
            with clock.fixed_at(moment + timedelta(minutes=3 * minutes)):
                consuming.consume("batches")
        letter = DeadLetter.objects.get()
        with pytest.raises(ValueError, match="refused poison"):
            operating.replay_dead_letter(letter_id=letter.pk, by=None)
        gatherer.refuses.clear()
        operating.replay_dead_letter(letter_id=letter.pk, by=None)
        assert gatherer.effects() == ["poison"]
