"""Waiting for PostgreSQL ends: one that stands still is noticed, left alone, and found again."""

import dataclasses
import threading
import time
from contextlib import ExitStack

import psycopg
import pytest
from django.db import OperationalError, close_old_connections, connection, connections, transaction

from bitvault.kernel import deadlines
from bitvault.kernel.errors import ServiceDown
from bitvault.kernel.postgres.watching import AnswerOverdue, DatabaseDown, WatchedConnection, outage
from bitvault.web import problems
from tests.support import stopping

HURRIED = dataclasses.replace(deadlines.REQUESTS, silence_seconds=0.3)
LONG_SECONDS = 30.0
"""Far less than a server that stands still takes to answer, far more than noticing it takes on a busy machine."""


@pytest.fixture
def hurried():
    before = deadlines.current()
    deadlines.use(HURRIED)
    yield
    deadlines.use(before)


@pytest.fixture(scope="module")
def server():
    """A PostgreSQL of this file's own, which is Django's database in every thread."""
    with stopping.own_postgresql() as running:
        yield running


@pytest.fixture
def database(server, hurried, django_db_blocker):
    running, parameters = server
    settings = connections["default"].settings_dict
    before = {name: settings[name] for name in parameters}
    with django_db_blocker.unblock():
        connection.close()
        settings.update(parameters)
        connections.databases["default"].update(parameters)
        try:
            yield running
        finally:
            connection.close()
            await_that(lambda: not outage.is_down)
            settings.update(before)
            connections.databases["default"].update(before)


def await_that(condition):
    deadline = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def ask(statement="SELECT 1"):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def refusal(work=ask):
    """Run what is to fail, soon, as a request does that ends then; gives the error that is behind Django's."""
    began = time.monotonic()
    with pytest.raises(OperationalError) as raised:
        work()
    close_old_connections()
    assert time.monotonic() - began < LONG_SECONDS
    return raised.value.__cause__


def test_all_who_wait_for_a_server_that_stands_still_give_up_and_nobody_begins_to_wait(database):
    found = []

    def wait():
        try:
            found.append(refusal())
        finally:
            connection.close()

    ask()
    with database.standing_still():
        others = [threading.Thread(target=wait) for _ in range(3)]
        for thread in others:
            thread.start()
        found.append(refusal())
        for thread in others:
            thread.join()
        assert outage.is_down
        assert {type(error) for error in found} == {DatabaseDown}
        began = time.monotonic()
        assert [type(refusal()) for _ in range(100)] == [DatabaseDown] * 100
        assert time.monotonic() - began < 5
    await_that(lambda: not outage.is_down)
    assert ask() == 1


def test_a_caller_is_told_that_the_database_is_down(database):
    ask()
    with database.standing_still():
        with pytest.raises(OperationalError) as raised:
            ask()
        known = problems.find_known(raised.value)
    assert isinstance(known, ServiceDown)
    assert known.facts["dependency"] == "database"
    assert problems.render(known)["Retry-After"] == str(known.facts["retry_after_seconds"])


def test_a_commit_that_the_server_leaves_unanswered_is_never_taken_for_done(database):
    with ExitStack() as still:
        with pytest.raises(OperationalError), transaction.atomic():
            ask()
            still.enter_context(database.standing_still())
        close_old_connections()
    await_that(lambda: not outage.is_down)
    with transaction.atomic():
        assert ask() == 1


def test_an_answer_that_is_overdue_while_others_come_ends_one_connection(database):
    deadlines.use(dataclasses.replace(HURRIED, statement_seconds=1.0))
    pid = ask("SELECT pg_backend_pid()")
    with stopping.stopped(pid):
        assert isinstance(refusal(), AnswerOverdue)
        assert not outage.is_down
        assert ask("SELECT pg_backend_pid()") != pid


def test_a_long_statement_is_waited_for_while_the_server_lives(database):
    assert ask("SELECT 1 FROM pg_sleep(1.5)") == 1
    assert not outage.is_down


def test_who_is_patient_is_waited_for_until_the_transaction_ends(database):
    deadlines.use(dataclasses.replace(HURRIED, statement_seconds=0.5))
    with transaction.atomic():
        connection.set_statement_timeout(20)
        assert ask("SELECT 1 FROM pg_sleep(1)") == 1
    assert isinstance(refusal(lambda: ask("SELECT pg_sleep(20)")), AnswerOverdue)


def test_a_server_that_takes_connections_and_says_nothing_is_not_waited_for(database):
    connection.close()
    with database.standing_still():
        first = refusal()
        assert isinstance(first, DatabaseDown)
        assert isinstance(first.__cause__, psycopg.errors.ConnectionTimeout)
        assert isinstance(refusal(), DatabaseDown)


def test_a_process_that_answers_no_requests_waits_longer(database):
    deadlines.use(deadlines.PATIENT)
    ask()
    with database.standing_still():
        began = time.monotonic()
        threading.Timer(2, stopping.resume, stopping.family(database.pid)).start()
        assert ask() == 1
        assert time.monotonic() - began > 1


def test_an_error_of_the_server_passes_and_leaves_the_connection(database):
    pid = ask("SELECT pg_backend_pid()")
    with pytest.raises(Exception, match="division by zero"):
        ask("SELECT 1/0")
    assert ask("SELECT pg_backend_pid()") == pid
    assert isinstance(connection.connection, WatchedConnection)
