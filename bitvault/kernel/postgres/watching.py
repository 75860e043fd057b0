"""Connections that do not wait for ever: a client's deadline for each statement, and a breaker for the whole database.

PostgreSQL's own limits end what takes too long, and TCP's end what is cut off, but a server that stands still is neither: its kernel goes
on acknowledging. So a thread that waits looks up every tenth of a second. When no statement of this process was answered for a while, the
database is asked on a connection of its own; if that is not answered either, all who wait give up, and nobody begins to wait until the
database answers again (``kernel.outages``).

A statement that was given up may have been carried out, and a commit may stand: the error says nothing about it, and the answer to the
caller is 503, never success.
"""

import time
from collections.abc import Generator
from typing import Any, TypeVar

import psycopg
from django.db import connection as django_connection
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from bitvault.kernel import deadlines
from bitvault.kernel.outages import Outage
from bitvault.kernel.postgres.cursors import Company

T = TypeVar("T")

TICK_SECONDS = 0.1
"""How often a waiting thread looks up; psycopg's own interval."""

_MARGIN_SECONDS = 5.0
"""By how much a client's deadline is behind the server's for the same statement, which ends it in a better way."""


class DatabaseDown(psycopg.OperationalError):
    """PostgreSQL is known not to answer, so nobody waits for it."""


class AnswerOverdue(psycopg.OperationalError):
    """PostgreSQL has not answered a statement in time; whether it was carried out is unknown."""


class _ProbeConnection(psycopg.Connection[Any]):
    """A connection that only finds out whether anybody answers."""

    def wait(self, gen: PQGen[T], interval: float = TICK_SECONDS, timeout: float | None = None) -> T:
        """Wait for as long as for the connection itself."""
        return super().wait(gen, interval, deadlines.current().probe_seconds if timeout is None else timeout)


def _ask_database() -> None:
    """Ask on a new connection, as a request would.

    :raises psycopg.errors.ConnectionTimeout: there is no connection in time.
    :raises AnswerOverdue: there is one, and it says nothing: a pooler whose server stands still.
    """
    connection = _ProbeConnection.connect(**django_connection.get_connection_params())
    try:
        connection.execute("SELECT 1")
    except psycopg.OperationalError as error:
        if _is_waiting(connection):
            raise AnswerOverdue("no answer to a probe") from error
        raise
    finally:
        connection.close()


outage = Outage("database", probe=_ask_database, failures=(psycopg.errors.ConnectionTimeout, AnswerOverdue))


class WatchedConnection(psycopg.Connection[Any]):
    """A connection whose statements are waited for no longer than this process waits (``kernel.deadlines``)."""

    company: Company | None = None

    def wait(self, gen: PQGen[T], interval: float = TICK_SECONDS, timeout: float | None = None) -> T:
        """Wait for what psycopg has asked the server (its hook for all of that).

        :raises DatabaseDown: the database does not answer anybody; the connection is closed if it was waited for on it.
        :raises AnswerOverdue: this answer did not come in time; the connection is closed, since what comes on it next is unknown.
        """
        if outage.is_down:
            outage.count_refusal()
            raise DatabaseDown("the database does not answer")
        try:
            result = super().wait(self._watched(gen), interval, timeout)
        except (DatabaseDown, AnswerOverdue):
            self.close()
            raise
        except psycopg.Error:
            if not _is_waiting(self):
                outage.answered_at = time.monotonic()
            raise
        outage.answered_at = time.monotonic()
        return result

    def _watched(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        """Go on with ``gen``, and look up whenever nothing came for a tick."""
        began = time.monotonic()
        try:
            state = next(gen)
            while True:
                ready = yield state
                if not ready:
                    self._look_up(began)
                state = gen.send(ready)
        except StopIteration as end:
            result: T = end.value
            return result

    def _look_up(self, began: float) -> None:
        if outage.is_down:
            raise DatabaseDown("the database does not answer")
        now, limits = time.monotonic(), deadlines.current()
        limit = limits.statement_seconds
        if limit is not None and self.company is not None and self.company.patience_seconds is not None:
            limit = max(limit, self.company.patience_seconds + _MARGIN_SECONDS)
        if limit is not None and now - began > limit:
            raise AnswerOverdue(f"no answer within {limit:g} s")
        if now - max(began, outage.answered_at) > limits.silence_seconds:
            outage.suspect()


def _is_waiting(connection: psycopg.Connection[Any]) -> bool:
    return connection.pgconn.transaction_status == TransactionStatus.ACTIVE
