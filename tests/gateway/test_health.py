"""Readiness as a balancer and an operator read it: what does not answer, and a store that must not be used."""

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client

from apps.storage import conformance, models, provider
from tests.support import lesser_store
from tests.support.lesser_store import Answer

pytestmark = [pytest.mark.store, pytest.mark.django_db]

READY = {"database": True, "valkey": True, "store": True}


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


def test_a_store_that_was_found_fit_is_ready(probed_store):
    assert ask() == (200, {**READY, "store_fit": True})


@pytest.mark.parametrize("host", ["127.0.0.1", "acme.localhost"])
def test_a_store_that_was_found_unfit_is_named_and_nobody_is_sent_here(lesser, host):
    conformance.probe_configured()
    assert ask(host) == (503, {**READY, "store_fit": False})


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


def test_a_database_that_does_not_answer_leaves_fitness_unknown(probed_store):
    def refuse(*_):
        raise OperationalError

    with connection.execute_wrapper(refuse):
        assert ask() == (503, {**READY, "database": False, "store_fit": None})
    with connection.execute_wrapper(
        lambda execute, sql, *rest: refuse() if "storage_provider" in sql else execute(sql, *rest)
    ):
        assert ask() == (200, {**READY, "store_fit": None})
