"""Outages begin with a failure, end with an answer, and are asked about by one thread."""

import os
import threading
import time

import pytest

from bitvault.kernel.outages import Outage

LONG_SECONDS = 20.0


class Down(Exception):
    pass


class Service:
    def __init__(self):
        self.is_up = False
        self.asked = 0
        self.refusal = None

    def ask(self):
        self.asked += 1
        if not self.is_up:
            raise Down
        if self.refusal is not None:
            raise self.refusal


@pytest.fixture
def service():
    return Service()


@pytest.fixture
def outage(service):
    made = Outage("test", probe=service.ask, failures=(Down,), rest_seconds=0.01)
    yield made
    service.is_up = True
    await_that(lambda: not made.is_asked)


def await_that(condition):
    deadline = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_it_lasts_until_the_service_answers(service, outage):
    outage.begin()
    await_that(lambda: service.asked > 2)
    assert outage.is_down
    service.is_up = True
    await_that(lambda: not outage.is_down)
    await_that(lambda: not outage.is_asked)
    asked = service.asked
    time.sleep(0.05)
    assert service.asked == asked, "nobody asks a service that answers"


def test_a_suspicion_is_no_outage_while_the_service_answers(service, outage):
    service.is_up = True
    before = outage.answered_at
    outage.suspect()
    await_that(lambda: not outage.is_asked)
    assert (service.asked, outage.is_down) == (1, False)
    assert outage.answered_at >= before


def test_a_suspicion_that_no_answer_clears_is_one(outage):
    outage.suspect()
    await_that(lambda: outage.is_down)


def test_a_probe_without_an_answer_counts_for_nothing_when_others_were_answered_meanwhile():
    def ask():
        outage.answered_at = time.monotonic()
        raise Down

    outage = Outage("test", probe=ask, failures=(Down,), rest_seconds=0.01)
    outage.suspect()
    await_that(lambda: not outage.is_asked)
    assert not outage.is_down


def test_a_refusal_is_an_answer(service, outage):
    service.is_up, service.refusal = True, ValueError("too many clients")
    outage.begin()
    await_that(lambda: not outage.is_down)


def test_one_thread_asks_however_many_notice(service, outage):
    threads = [threading.Thread(target=outage.begin) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [thread.name for thread in threading.enumerate()].count("test-probe") == 1
    service.is_up = True
    await_that(lambda: not outage.is_asked)


def test_one_that_begins_again_and_again_always_ends(service, outage):
    service.is_up = True
    for _ in range(2000):
        outage.begin()
    await_that(lambda: not outage.is_down and not outage.is_asked)


def test_a_forked_process_begins_without_it(outage):
    outage.begin()
    child = os.fork()
    if child == 0:
        os._exit(0 if not outage.is_down and not outage.is_asked else 1)
    assert os.waitpid(child, 0)[1] == 0
