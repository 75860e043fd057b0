"""Shares and breakers of what requests wait for."""

import threading
import time

import pytest

from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded, ServiceDown


class Down(Exception):
    pass


def hold(dependency, entered, leave):
    with dependency.held():
        entered.set()
        leave.wait(10)


def taken(dependency):
    """Take one place in another thread; gives what lets it go, and the thread."""
    entered, leave = threading.Event(), threading.Event()
    thread = threading.Thread(target=hold, args=(dependency, entered, leave), daemon=True)
    thread.start()
    assert entered.wait(10)
    return leave, thread


def fail(dependency):
    with pytest.raises(Down), dependency.held():
        raise Down


def test_a_call_beyond_the_share_is_refused_at_once():
    dependency = Dependency("store", share=1)
    leave, thread = taken(dependency)
    with pytest.raises(Overloaded) as refusal, dependency.held():
        pass
    assert refusal.value.facts["dependency"] == "store"
    leave.set()
    thread.join()
    with dependency.held():
        pass


def test_a_place_that_comes_free_goes_to_who_waits():
    dependency = Dependency("hash", share=1, queue_seconds=10)
    leave, thread = taken(dependency)
    threading.Timer(0.05, leave.set).start()
    with dependency.held():
        pass
    thread.join()


def test_a_full_queue_refuses_at_once():
    dependency = Dependency("hash", share=1, queue_seconds=10, queue_length=1)
    leave, thread = taken(dependency)
    waiting_leave = threading.Event()
    waiting_leave.set()
    waiting = threading.Thread(target=hold, args=(dependency, threading.Event(), waiting_leave), daemon=True)
    waiting.start()
    while dependency._queue._value:
        time.sleep(0.001)
    with pytest.raises(Overloaded), dependency.held():
        pass
    leave.set()
    waiting.join()
    thread.join()


def test_a_service_that_failed_in_a_row_is_left_alone_and_then_tried_again():
    dependency = Dependency("store", share=1, failures=(Down,), failure_count=2, rest_seconds=1)
    fail(dependency)
    assert not dependency.is_down
    fail(dependency)
    assert dependency.is_down
    with pytest.raises(ServiceDown) as refusal, dependency.held():
        pass
    assert refusal.value.facts == {"dependency": "store", "retry_after_seconds": 1}
    while dependency.is_down:
        time.sleep(0.01)
    with dependency.held():
        pass
    fail(dependency)
    assert not dependency.is_down


def test_an_answer_between_two_failures_is_no_outage():
    dependency = Dependency("store", share=1, failures=(Down,), failure_count=2)
    fail(dependency)
    with pytest.raises(ValueError, match="refused"), dependency.held():
        raise ValueError("refused")
    fail(dependency)
    assert not dependency.is_down


def test_nobody_waits_in_a_queue_that_stands_still():
    dependency = Dependency("store", share=1, queue_seconds=0.2, queue_length=8)
    leave, thread = taken(dependency)
    waits = []
    for _ in range(5):
        begun = time.monotonic()
        with pytest.raises(Overloaded), dependency.held():
            pass
        waits.append(time.monotonic() - begun)
    leave.set()
    thread.join()
    assert sum(waits) < 0.2 + 5 * 0.05, "together they waited once"
    with dependency.held():
        pass


def test_one_call_at_a_time_tries_a_service_that_was_down():
    dependency = Dependency("store", share=2, failures=(Down,), failure_count=1, rest_seconds=1)
    fail(dependency)
    while dependency.is_down:
        time.sleep(0.01)
    leave, thread = taken(dependency)
    with pytest.raises(ServiceDown), dependency.held():
        pass
    leave.set()
    thread.join()
    with dependency.held(), dependency.held():
        pass
