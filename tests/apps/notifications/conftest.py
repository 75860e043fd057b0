"""What tests of notifications stand on: a tree, people beside it, and somebody who looks what each of them is told."""

from dataclasses import replace
from uuid import UUID

import pytest
from django.core import mail

from apps.notifications import api as notifications
from apps.notifications import digests, holding, telling
from apps.notifications.recording import CONSUMER
from bitvault.events import consuming
from bitvault.jobs.models import Job
from bitvault.kernel import clock, ids
from bitvault.kernel.actor import Role
from bitvault.mail import sending
from tests.apps.files.conftest import counted_queries, tree
from tests.support.shares import live, share

__all__ = ["counted_queries", "tree"]


class Teller:
    """Lets what happened be told, as workers do, and asks what somebody hears."""

    def catch_up(self):
        consuming.consume(CONSUMER)
        telling.tell()

    def notices(self, actor, **more):
        self.catch_up()
        return notifications.list_notices(actor=actor, **more)

    def texts(self, actor, **more):
        return [notice.text for notice in self.notices(actor, **more).items]

    def activity(self, actor, node=None, **more):
        self.catch_up()
        if node is None:
            found = notifications.list_activity(actor=actor, **more)
        else:
            found = notifications.list_node_activity(actor=actor, node_id=node.id, **more)
        return [happening.text for happening in found.items]

    def follow(self, actor, node, channel="all"):
        return notifications.subscribe(actor=actor, node_id=node.id, channel=channel)

    def wants(self, actor, topic, *, browser=True, mail):
        preference = notifications.get_preferences(actor=actor).items[0]
        notifications.set_preferences(
            actor=actor, preferences=[replace(preference, topic=topic, browser=browser, mail=mail)]
        )

    def mails(self):
        """Send what is written down and not sent, twice as a killed worker does; returns the mails, each once."""
        self.catch_up()
        waiting = Job.objects.filter(kind="mail.send", payload__name__startswith="notifications.").order_by("id")
        found = []
        for job in waiting:
            mail.outbox.clear()
            for _ in range(2):
                sending.send(
                    name=job.payload["name"], reference=UUID(job.payload["reference"]), facts={}, mail_id=ids.new_id()
                )
            assert len({(one.subject, one.body) for one in mail.outbox}) <= 1
            found += mail.outbox[:1]
        waiting.delete()
        return found

    def digests(self):
        """Let the scheduler look at what is due."""
        self.catch_up()
        holding.send_due()
        digests.send_due()
        return self.mails()


@pytest.fixture
def at(monkeypatch):
    """Set the clock."""

    def set_clock(moment):
        monkeypatch.setattr(clock, "now", lambda: moment)

    return set_clock


@pytest.fixture
def actor(make_actor):
    return live(make_actor("mia"))


@pytest.fixture
def olga(make_actor):
    """Somebody who reaches nothing of mia's."""
    return live(replace(make_actor("olga"), role=Role.MEMBER))


@pytest.fixture
def vera(make_actor):
    return live(replace(make_actor("vera"), role=Role.MEMBER))


@pytest.fixture
def adam(make_actor):
    """Who administers the tenant."""
    return live(make_actor("adam"))


@pytest.fixture
def teller(tree):
    return Teller()


@pytest.fixture
def photos(tree, olga):
    """A folder of mia's that olga may see."""
    folder = tree.folder("Photos")
    share(tree.actor, folder, olga, "viewer")
    return folder
