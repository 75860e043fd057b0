"""CEL-1: what Celery really runs with, whatever the settings say; a worker that runs with something else does not start."""

from itertools import pairwise
from unittest.mock import Mock

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.sync import projector
from bitvault.events import consuming, relay, tasks
from bitvault.gateway import celery
from bitvault.jobs import kinds
from bitvault.mail.api import SendMail
from bitvault.stack.applications import LANES


def test_the_effective_settings_are_the_promised_ones():
    conf = celery.app.conf
    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.task_ignore_result
    assert (conf.timezone, conf.enable_utc) == ("UTC", True)
    assert conf.broker_transport_options["visibility_timeout"] > 2 * conf.task_time_limit
    assert conf.task_soft_time_limit < conf.task_time_limit
    celery.require_promised_settings()


def test_every_consumer_has_a_queue_of_its_own():
    names = [queue.name for queue in celery.app.conf.task_queues]
    assert len(set(names)) == len(names)
    assert set(consuming.list_consumers()) < set(names)


def test_every_lane_of_jobs_has_a_queue_of_its_own():
    assert set(kinds.list_lanes()) < {queue.name for queue in celery.app.conf.task_queues}


def test_a_consumer_and_a_lane_that_a_module_adds_have_queues_without_a_word_in_the_settings(monkeypatch):
    monkeypatch.setattr(consuming, "_consumers", dict(consuming._consumers))
    monkeypatch.setattr(kinds, "_kinds", dict(kinds._kinds))
    consuming.consumes_batch("tests", everything=True)(Mock())
    kinds.job_kind("tests.render", payload=SendMail, lane="tests-render")(Mock())
    assert {"tests", "tests-render"} < {queue.name for queue in celery.app.conf.task_queues}


def test_the_relay_comes_each_second_and_piles_nothing_up():
    entry = celery.app.conf.beat_schedule["relay"]
    assert (entry["task"], entry["schedule"]) == ("events.relay", 1.0)
    assert entry["options"]["expires"] <= 2
    assert entry["schedule"] > relay.TURN_SECONDS


def test_a_scheduler_that_slept_wakes_to_one_sweep_of_each():
    for name, entry in celery.app.conf.beat_schedule.items():
        assert entry["options"]["expires"] <= max(entry["schedule"], 2), name


def test_no_task_may_take_longer_than_half_of_what_the_broker_waits():
    limits = [task.time_limit or celery.app.conf.task_time_limit for task in celery.app.tasks.values()]
    assert 2 * max(limits) < celery.app.conf.broker_transport_options["visibility_timeout"]


def test_what_a_consumer_may_take_is_less_than_a_transaction_may_stand_still_and_the_patient_lane_has_time_for_more():
    idle_in_transaction_seconds = 30
    limits = [
        *(tasks.consume.soft_time_limit, tasks.consume.time_limit, idle_in_transaction_seconds),
        *(projector.GAINED_SECONDS, tasks.consume_patiently.soft_time_limit, tasks.consume_patiently.time_limit),
    ]
    assert all(less < more for less, more in pairwise(limits)), limits


def test_every_queue_is_taken_by_the_workers_of_one_lane():
    names = {queue.name for queue in celery.app.conf.task_queues}
    taken = {
        lane: set(queues.split(",")) if how == "--queues" else names - set(queues.split(","))
        for lane, (how, queues, *_) in LANES.items()
    }
    assert sorted(name for queues in taken.values() for name in queues) == sorted(names)
    assert taken["worker"] == set(consuming.list_consumers())
    celery.app.loader.import_default_modules()
    routed = {name: celery.app.amqp.router.route({}, name)["queue"].name for name in celery.app.tasks}
    assert {name: queue for name, queue in routed.items() if queue != "celery"} == {
        "events.relay": "relay",
        "events.consume_patiently": "patient",
        "events.close_gap": "patient",
        "jobs.dispatch": "relay",
        "storage.complete_upload": "patient",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("task_acks_late", False),
        ("task_reject_on_worker_lost", None),
        ("worker_prefetch_multiplier", 4),
        ("timezone", "Europe/Berlin"),
        ("task_ignore_result", False),
    ],
)
def test_a_worker_with_another_setting_does_not_start(monkeypatch, name, value):
    monkeypatch.setitem(celery.app.conf, name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        celery.require_promised_settings()


@pytest.mark.parametrize("options", [{}, {"visibility_timeout": 1200}, {"visibility_timeout": 300}], ids=str)
def test_a_broker_that_hands_a_running_task_out_again_is_refused(monkeypatch, options):
    monkeypatch.setitem(celery.app.conf, "broker_transport_options", options)
    with pytest.raises(ImproperlyConfigured, match="visibility_timeout"):
        celery.require_promised_settings()
