"""Order under kills (OUT-2), a worker that stops and comes back (OUT-4), events that ruin whoever takes them (OUT-5)."""

import os
import random
import signal
import time

import pytest

from bitvault.events import consuming
from tests.support.noting import CURE

pytestmark = pytest.mark.journey

KEYS = 7
KILLS = 25
NOTES_BETWEEN_KILLS = 40


@pytest.fixture
def seed():
    chosen = int(os.environ.get("BITVAULT_TEST_SEED", random.randrange(10**9)))
    print(f"BITVAULT_TEST_SEED={chosen}")  # noqa: T201 - shown when the test fails
    return chosen


def test_effects_keep_their_order_while_workers_are_killed(stream, nursery, companies, seed):
    """Four workers, two schedulers, seven keys, three writers: the numbers of each key rise one by one, none is missing or doubled."""
    chance = random.Random(seed)
    acme = companies.acme
    for _ in range(2):
        nursery.beat()
    workers = [nursery.worker(processes=1) for _ in range(4)]
    for kill in range(KILLS):
        numbers = range(kill * NOTES_BETWEEN_KILLS, (kill + 1) * NOTES_BETWEEN_KILLS)
        texts = [[f"k{writer}.{n % KEYS} {n}" for n in numbers] for writer in range(3)]
        writers = [nursery.begin("note", tenant=str(acme.id), texts=mine, pause=0.01) for mine in texts]
        time.sleep(chance.uniform(0.0, 0.4))
        victim = chance.choice(workers)
        nursery.kill(victim)
        workers[workers.index(victim)] = nursery.worker(processes=1)
        assert [nursery.finish(writer) for writer in writers] == [0, 0, 0]
    stream.settle()
    assert stream.violations() == []
    by_key = {}
    for text in stream.effects(acme):
        if text.startswith("k"):
            key, number = text.split()
            by_key.setdefault(key, []).append(int(number))
    assert len(by_key) == 3 * KEYS
    assert all(numbers == sorted(set(numbers)) for numbers in by_key.values())
    assert sum(map(len, by_key.values())) == 3 * KILLS * NOTES_BETWEEN_KILLS


@pytest.fixture
def short_standstill(stream):
    """The database ends transactions that stand still for a second, thirty times as soon as the product's."""
    limit = (
        f"ALTER ROLE bitvault IN DATABASE {stream.database.info.dbname} {{}} idle_in_transaction_session_timeout{{}}"
    )
    stream.database.execute(limit.format("SET", " = '1s'"))
    yield
    stream.database.execute(limit.format("RESET", ""))


@pytest.mark.parametrize("point", ["first effect", "cursor moved", "commit"])
@pytest.mark.usefixtures("short_standstill")
def test_a_worker_that_stops_in_the_middle_is_overtaken_and_cannot_write_any_more(stream, nursery, companies, point):
    """The database ends a transaction that stands still, and with it its locks; whoever wakes up in it has nothing to commit."""
    nursery.beat()
    first = nursery.worker(processes=1)
    stream.orders.place(point, how="stop", consumer="notes")
    seq = stream.note(companies.acme, f"stopped at {point}", "and one more")
    stream.await_that(lambda: stream.orders.taker() is not None)
    os.killpg(first, signal.SIGSTOP)
    nursery.worker()
    stream.settle()
    assert stream.position("notes", companies.acme) == seq
    os.killpg(first, signal.SIGCONT)
    os.kill(stream.orders.taker(), signal.SIGCONT)
    for n in range(5):
        stream.note(companies.acme, f"{point} {n}")
        stream.settle()
    assert stream.violations() == []
    assert stream.effects(companies.acme).count(f"stopped at {point}") == 1


def test_poisoned_events_are_parked_and_nobody_else_waits(stream, nursery, companies):
    """One always raises, one ends its worker, one is five megabytes large; what comes after them in their own stream comes, too."""
    acme, beta = companies.acme, companies.beta
    nursery.beat()
    nursery.worker()
    stream.settle()
    head = len(stream.effects(acme))
    seq = stream.note(acme, "fine 1", "refused always", "fine 2", "large " + "x" * 5_000_000, "deadly", "fine 3")
    beside = 0
    while stream.position("notes", acme) < seq:
        last = stream.note(beta, "beside it")
        stream.await_that(lambda last=last: stream.position("notes", beta) >= last)
        stream.await_that(lambda: stream.position("audit", acme) >= seq)
        beside += 1
    assert beside > 2, "others came and went meanwhile"
    assert [text.split()[0:2] for text in stream.effects(acme)[head:]] == [
        ["fine", "1"],
        ["fine", "2"],
        ["large", "x" * 94],
        ["fine", "3"],
    ]
    letters = stream.database.execute(
        "SELECT seq, error, try_count, id FROM events_dead_letter WHERE consumer = 'notes' ORDER BY seq"
    ).fetchall()
    assert [letter[:3] for letter in letters] == [
        (seq - 4, "ValueError: refused refused always", consuming.TRY_LIMIT),
        (seq - 1, f"a worker died on it {consuming.TRY_LIMIT} times", consuming.TRY_LIMIT),
    ]
    stream.settle()  # the worker that died may have held a message of another consumer, which is sent again
    assert stream.violations("dead letters") == []

    assert nursery.job("replay", tenant=str(acme.id), letter=str(letters[0][3])) == 1, "it is refused again"
    (stream.nursery.directory / CURE).touch()
    assert nursery.job("replay", tenant=str(acme.id), letter=str(letters[0][3])) == 0
    assert nursery.job("replay", tenant=str(acme.id), letter=str(letters[0][3])) == 1, "it was replayed before"
    stream.settle()
    assert stream.effects(acme)[head:].count("refused always") == 1
