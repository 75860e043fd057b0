"""All sockets of a process share a few threads: what one asks there is its own tenant's, and nobody waits in a single row."""

import asyncio
import threading

import pytest
from django.db import connection, connections

from apps.sync.sockets.process import THREADS, SocketProcess
from bitvault.kernel import db, tenancy

pytestmark = pytest.mark.committed


@pytest.fixture
def ask_all():
    """Ask many questions at once, as sockets do."""
    sockets = SocketProcess()

    async def ask(questions):
        return await asyncio.gather(*(sockets.ask(question) for question in questions))

    yield lambda questions: asyncio.run(ask(questions))
    ready = threading.Barrier(THREADS)
    list(sockets._threads.map(lambda _: (ready.wait(5), connections.close_all()), range(THREADS)))
    asyncio.run(sockets.stop())


def test_a_hundred_questions_of_two_tenants_never_meet_the_wrong_one(ask_all, acme, beta):
    tenants = [acme, beta] * 50

    def question(tenant):
        def ask():
            tenancy.enter(tenant)  # and never left: the context of a question ends with it
            with db.read_transaction(), connection.cursor() as cursor:
                cursor.execute("SELECT current_schema(), current_user")
                return cursor.fetchone()

        return ask

    assert ask_all([question(tenant) for tenant in tenants]) == [(tenant.schema, tenant.schema) for tenant in tenants]


def test_a_question_starts_without_a_tenant(ask_all, acme):
    with tenancy.entered(acme):
        assert ask_all([tenancy.find_current] * 8) == [None] * 8


def test_a_question_does_not_wait_for_the_one_before_it(ask_all):
    together = threading.Barrier(THREADS)
    assert sorted(ask_all([lambda: together.wait(5)] * THREADS)) == list(range(THREADS))
