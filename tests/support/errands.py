"""A kind of job of the tests' own, for real processes: it writes one row for each errand, in the transaction that ends the job.

Its table has no key: an effect that happens twice is seen.
"""

import time

import msgspec
import psycopg

KIND = "tests.errand"


class Errand(msgspec.Struct, frozen=True):
    """What is to be written."""

    text: str


def prepare(database: psycopg.Connection, schema: str) -> None:
    """Make the table of effects in a tenant's schema."""
    database.execute(
        f"CREATE TABLE {schema}.tests_errand (text text); GRANT INSERT, SELECT ON {schema}.tests_errand TO {schema}"
    )


def effects(database: psycopg.Connection, schema: str) -> list[str]:
    """List the effects that stand."""
    return [text for (text,) in database.execute(f"SELECT text FROM {schema}.tests_errand").fetchall()]


def register() -> None:
    """Let this process know the kind."""
    from django.db import connection

    from bitvault.jobs import api as jobs
    from bitvault.jobs import kinds
    from bitvault.kernel import db

    if KIND in kinds.list_kinds():
        return

    @jobs.job_kind(KIND, payload=Errand, tries=20)
    def run_errand(payload: Errand, run: jobs.Run) -> None:
        if payload.text.startswith("slow"):
            for number in range(20):
                run.report(number, 20)
                time.sleep(0.2)
        with db.write_transaction(), connection.cursor() as cursor:
            cursor.execute("INSERT INTO tests_errand VALUES (%s)", [payload.text])
            run.complete(run.tries)
