"""A consumer of the tests' own, for real processes: it writes one row for each note, in the order in which they come.

Its table has no key on the event: an effect that happens twice, or out of turn, is seen. What a note says may be its ruin.
"""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psycopg

from bitvault.events.message import Event

CONSUMER = "notes"
AGES_SECONDS = 3600
CURE = Path("cure")
"""Where this lies in a process's directory, nothing is refused any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted(Event):
    """Something was noted; only tests publish it."""

    type: ClassVar[str] = "tests.note.made.v1"

    text: str


def list_consumers() -> tuple[str, ...]:
    """Name all consumers that real processes of the tests have: those that are registered, and this one."""
    from bitvault.events import operating

    return tuple(dict.fromkeys((*operating.list_consumers(), CONSUMER)))


def prepare(database: psycopg.Connection, schema: str) -> None:
    """Make the table of effects in a tenant's schema, and the consumer's cursors."""
    database.execute(
        f"CREATE TABLE {schema}.tests_note (id bigserial PRIMARY KEY, seq bigint, text text, written_at timestamptz DEFAULT clock_timestamp());"
        f"GRANT INSERT, SELECT ON {schema}.tests_note TO {schema}; GRANT USAGE ON SEQUENCE {schema}.tests_note_id_seq TO {schema}"
    )
    database.execute(
        "INSERT INTO events_consumer_cursor (consumer, tenant_id, seq, published_at, try_count, careful_until_seq, last_error)"
        " SELECT %s, tenant_id, last_seq, now(), 0, 0, '' FROM events_stream_head ON CONFLICT DO NOTHING",
        [CONSUMER],
    )


def effects(database: psycopg.Connection, schema: str) -> list[tuple[int, str]]:
    """List the effects that stand, (number, text), in the order in which they happened."""
    return database.execute(f"SELECT seq, text FROM {schema}.tests_note ORDER BY id").fetchall()


def register() -> None:
    """Let this process know the consumer."""
    from django.db import connection

    from bitvault.events.consuming import consumes
    from bitvault.kernel import db

    @consumes(CONSUMER, Noted)
    def write_note(event: Noted, tx) -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO tests_note (seq, text) VALUES (%s, %s)", [tx.seq, event.text[:100]])
        match event.text.partition(" ")[0]:
            case "refused" if not CURE.exists():
                raise ValueError(f"refused {event.text[:100]}")
            case "deadly":
                os._exit(3)
            case "slow":
                time.sleep(float(event.text.split()[1]))
            case "hangs":
                time.sleep(AGES_SECONDS)
            case "deaf":
                signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.valid_signals()))
                time.sleep(AGES_SECONDS)
            case "laborious":
                # As a statement may that grows with the tenant.
                db.set_statement_timeout(seconds=AGES_SECONDS)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_sleep(%s)", [float(event.text.split()[1])])
