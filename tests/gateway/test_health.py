"""Readiness as a balancer and an operator read it: what does not answer, and a store that must not be used."""

import threading
import time

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client

from apps.storage import conformance, models, provider
from apps.storage.dtos import DiskRoom
from bitvault.gateway import health
from bitvault.gateway.readiness import Check, Readiness
from bitvault.kernel import valkey as kernel_valkey
from bitvault.kernel.postgres import watching
from tests.support import lesser_store, stopping
from tests.support.lesser_store import Answer

# Committed: each check runs in a thread, and so with a connection of its own.
pytestmark = [pytest.mark.store, pytest.mark.committed]

READY = {"database": True, "valkey": True, "store": True, "disk_low": None}
LONG_SECONDS = 20.0


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """Nothing is kept between two questions of a test."""
    monkeypatch.setattr(health, "readiness", Readiness(health.CHECKS, keep_seconds=0, deadline_seconds=LONG_SECONDS))


@pytest.fixture
def lesser(monkeypatch):
    """The configured store is one that takes bodies of any length."""

    def takes_any_length(asked, forward):
        return Answer() if (asked.method, asked.name) == ("PUT", "sized") else forward()

    with lesser_store.running() as running:
        monkeypatch.setattr(provider, "store", lambda: running.store)
        running.behaviour = takes_any_length
        yield running


def ask(host="127.0.0.1"):
    answer = Client(headers={"host": host}).get("/readyz")
    return answer.status_code, answer.json()


def test_a_store_that_nobody_has_probed_yet_keeps_nobody_waiting():
    assert not models.Provider.objects.exists()
    assert ask() == (200, {**READY, "store_fit": None})


def test_a_store_that_was_found_fit_is_ready():
    conformance.probe_configured()
    assert ask() == (200, {**READY, "store_fit": True})


def test_a_store_that_was_found_unfit_is_named_and_nobody_is_sent_here(lesser):
    conformance.probe_configured()
    assert ask() == (503, {**READY, "store_fit": False})


def test_a_store_is_ready_as_soon_as_a_probe_finds_it_mended(lesser):
    with pytest.raises(CommandError, match="length_enforced"):
        call_command("check_store")
    assert ask()[0] == 503
    lesser.behaviour = lesser_store.faithfully
    assert ask()[0] == 503, "readiness takes the word of the last probe"
    call_command("check_store")
    assert ask() == (200, {**READY, "store_fit": True})


def test_readiness_never_probes(lesser):
    conformance.probe_configured()
    lesser.asked.clear()
    ask()
    assert [(asked.method, asked.name) for asked in lesser.asked] == [("HEAD", "readiness")]


def test_what_another_store_was_found_to_be_says_nothing_of_this_one(lesser, monkeypatch):
    conformance.probe_configured()
    monkeypatch.undo()
    assert provider.store() is not lesser.store
    assert ask() == (200, {**READY, "store_fit": None})


def test_a_store_that_does_not_answer_is_no_unfit_one(lesser):
    lesser.behaviour = lesser_store.faithfully
    conformance.probe_configured()
    lesser.behaviour = lambda *_: None
    assert ask() == (503, {**READY, "store": False, "store_fit": True})


def test_a_database_that_does_not_answer_leaves_fitness_unknown():
    conformance.probe_configured()
    watching.outage.is_down = True
    try:
        assert ask() == (503, {**READY, "database": False, "store_fit": None})
    finally:
        watching.outage.is_down = False


def test_a_valkey_that_does_not_answer_is_named(settings):
    with stopping.valkey_at("redis://127.0.0.1:1", settings):
        kernel_valkey.outage.begin()
        assert ask() == (503, {**READY, "valkey": False, "store_fit": None})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", settings.BITVAULT_OPERATOR_HOST])
def test_the_installations_own_hosts_tell_it(host):
    assert ask(host)[0] == 200


@pytest.mark.parametrize("host", ["acme.localhost", "stranger.example.com"])
def test_other_hosts_tell_nothing(host):
    assert Client(headers={"host": host}).get("/readyz").status_code == 404


# --- asking ----------------------------------------------------------------------------------------------------------------


class Service:
    """Something to ask, which counts how often it is asked."""

    def __init__(self):
        self.asked = 0
        self.answers = threading.Event()

    def ask(self):
        self.asked += 1
        assert self.answers.wait(LONG_SECONDS)
        return {"it": True}

    @property
    def check(self):
        return Check(self.ask, failed={"it": False})


def test_all_who_ask_within_a_second_share_one_question():
    service = Service()
    asked = Readiness([service.check])
    waiting = [asked.start() for _ in range(30)]
    service.answers.set()
    assert [one.result(LONG_SECONDS) for one in waiting] == [{"it": True}] * 30
    assert asked.start().result(LONG_SECONDS) == {"it": True}
    assert service.asked == 1


def test_it_is_asked_again_when_the_findings_are_old():
    service = Service()
    service.answers.set()
    asked = Readiness([service.check], keep_seconds=0.05)
    asked.start().result(LONG_SECONDS)
    time.sleep(0.06)
    asked.start().result(LONG_SECONDS)
    assert service.asked == 2


def test_what_hangs_counts_as_failed_holds_nothing_else_up_and_is_asked_by_one_thread():
    hanging, well = Service(), Check(lambda: {"other": True}, failed={"other": False})
    asked = Readiness([hanging.check, well], keep_seconds=0, deadline_seconds=0.1)
    for _ in range(5):
        assert asked.start().result(LONG_SECONDS) == {"it": False, "other": True}
    assert hanging.asked == 1
    hanging.answers.set()
    deadline = time.monotonic() + LONG_SECONDS
    while asked.start().result(LONG_SECONDS) != {"it": True, "other": True}:
        assert time.monotonic() < deadline


def test_what_fails_in_an_unknown_way_is_not_ready():
    def fail():
        raise RuntimeError("secret of the inside")

    assert Readiness([Check(fail, failed={"it": False})]).start().result(LONG_SECONDS) == {"it": False}


def test_of_many_who_ask_at_once_one_holds_a_thread_and_others_get_what_was_found_last(monkeypatch):
    service = Service()
    monkeypatch.setattr(health, "readiness", Readiness([service.check], keep_seconds=0, deadline_seconds=LONG_SECONDS))
    statuses = []

    def first():
        statuses.append(ask())

    waiting = threading.Thread(target=first)
    waiting.start()
    while not service.asked:
        time.sleep(0.001)
    refused = Client(headers={"host": "127.0.0.1"}).get("/readyz")
    assert (refused.status_code, refused.json()["code"]) == (503, "platform.overloaded")
    service.answers.set()
    waiting.join()
    assert statuses == [(200, {"it": True})]
    service.answers.clear()
    waiting = threading.Thread(target=first)
    waiting.start()
    while service.asked < 2:
        time.sleep(0.001)
    assert ask() == (200, {"it": True})
    service.answers.set()
    waiting.join()


def test_a_full_disk_is_told_and_makes_nobody_unready(monkeypatch):
    room = DiskRoom(free_bytes=10, floor_bytes=10, announced_bytes=0)
    monkeypatch.setattr(health.storage, "find_disk_room", lambda: room)
    assert ask() == (200, {**READY, "store_fit": None, "disk_low": True})
