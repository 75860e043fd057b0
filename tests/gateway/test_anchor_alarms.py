"""Anchors that do not reach the bucket that locks them are told of: to operators once by mail, in the overview, in the figures."""

from datetime import timedelta

import pytest
from django.test import Client

from apps.admin_platform import api as administration
from apps.admin_platform.models import AnchorTurn
from apps.identity.models import User
from bitvault.gateway import alarms, anchors, figures, overview
from bitvault.kernel import clock
from tests.apps.admin_platform.test_anchors import grow
from tests.apps.identity.posting import deliver
from tests.jobs.conftest import desk

__all__ = ["desk"]

pytestmark = pytest.mark.committed


@pytest.fixture
def away(settings):
    """A bucket in a store where nobody listens."""
    settings.BITVAULT_ANCHORS = {
        "bucket": "s3://anchors",
        "mode": "COMPLIANCE",
        "days": 1,
        "endpoint_url": "http://127.0.0.1:1",
        "region": "us-east-1",
        "access_key_id": "key",
        "secret_access_key": "secret",
    }


@pytest.fixture
def turn(desk, away):
    def run():
        anchors.request()
        desk.run("outbound")

    return run


def read_figures():
    return {one.name: [sample.value for sample in one.samples] for one in figures._anchors()}


def test_without_a_bucket_nobody_is_asked_and_nothing_is_told(desk, acme):
    assert not anchors.request()
    assert alarms.watch_anchors() is False
    assert read_figures() == {"bitvault_anchors_unlocked": [], "bitvault_anchors_behind_seconds": []}


def test_operators_are_told_once_and_once_more_when_it_is_over(turn, acme, django_assert_num_queries):
    User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password", locale="de")
    grow(acme, 2)
    turn()
    assert alarms.watch_anchors() is False, "a store that restarts is no news"
    with clock.fixed_at(clock.now() + timedelta(minutes=31)):
        assert alarms.watch_anchors() is True
        assert alarms.watch_anchors() is True
        with django_assert_num_queries(1):
            found = read_figures()
        assert found["bitvault_anchors_unlocked"] == [1]
        assert found["bitvault_anchors_behind_seconds"][0] > 1800
        assert overview._ask_database()["anchors"].is_late
        letters = deliver()
    assert [letter.to for letter in letters] == [["ops@bitvault.test"]]
    assert "Anker" in letters[0].subject
    assert "/admin/doctor/" in letters[0].body
    AnchorTurn.objects.update(waiting_count=0, waiting_since=None, failing_since=None, failure="")
    assert alarms.watch_anchors() is False
    assert len(deliver()) == 1
    assert administration.list_alarms() == []


def test_copies_that_stand_still_are_late_even_if_nothing_is_known_to_wait(turn, acme):
    turn()
    AnchorTurn.objects.update(waiting_count=0, waiting_since=None, failing_since=None, failure="")
    assert alarms.watch_anchors() is False
    with clock.fixed_at(clock.now() + timedelta(minutes=31)):
        assert alarms.watch_anchors() is True


def test_the_overview_shows_how_far_behind_they_are(turn, acme, monkeypatch):
    grow(acme, 2)
    turn()
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password"))
    page = client.get("/admin/figures").content.decode()
    assert "Anchors of audit logs" in page
    assert "not locked away yet" in page
    assert ">away<" in page
