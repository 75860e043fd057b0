"""Databases of tests: a migrated one is built once per state of the code, every run clones it.

PostgreSQL copies a database file by file, in memory where there is room (``memory``); running the migrations takes a hundred times
as long.
"""

import hashlib
import os
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from tests.support import memory

ROOT = Path(__file__).resolve().parents[2]
PREPARED = "bitvault"
"""What the stack makes with roles and rights and nobody migrates while tests use it."""


def fingerprint() -> str:
    digest = hashlib.sha256()
    sources = [
        *sorted(ROOT.glob("apps/*/migrations/*.py")),
        *sorted(ROOT.glob("bitvault/*/migrations/*.py")),
        ROOT / "apps/identity/provisioning.py",
        *sorted(ROOT.glob("apps/identity/operations/*.py")),
        ROOT / "tests/support/world.py",
        Path(__file__),
    ]
    for source in sources:
        digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def administration():
    # Not the database that is cloned: a session there would keep the other test processes from cloning it.
    with psycopg.connect(os.environ["BITVAULT_DATABASE_ADMIN_URL"], dbname="postgres", autocommit=True) as connection:
        yield connection


def exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def clone(connection: psycopg.Connection, *, source: str, name: str) -> None:
    drop(connection, name)
    # In memory, copying files takes half as long as writing each page into the log; on a disk it is the other way round.
    in_memory = memory.is_offered(connection)
    place, strategy = (memory.TABLESPACE, "file_copy") if in_memory else ("pg_default", "wal_log")
    connection.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER bitvault_owner TABLESPACE {} STRATEGY {}").format(
            sql.Identifier(name), sql.Identifier(source), sql.Identifier(place), sql.Identifier(strategy)
        )
    )
    # Rights on a database are not cloned with it.
    connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO bitvault").format(sql.Identifier(name)))


def use(name: str) -> None:
    """Point Django, and every process that this test starts, at a database."""
    from django.db import connections

    connections["default"].close()
    connections["default"].settings_dict["NAME"] = name
    connections.databases["default"]["NAME"] = name
    parts = urlsplit(os.environ["BITVAULT_DATABASE_URL"])
    os.environ["BITVAULT_DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))


@contextmanager
def another(template: str, name: str):
    """Use a clone that is thrown away afterwards, and then what was used before."""
    from django.db import connections

    before = connections["default"].settings_dict["NAME"]
    with administration() as admin:
        clone(admin, source=template, name=name)
        use(name)
        yield name
        connections.close_all()
        use(before)
        drop(admin, name)


def let_transactions_stand(connection: psycopg.Connection, name: str) -> None:
    """Let transactions of a database stand still for as long as they like: each is a test's own and takes as long as the test does.

    Where tests commit (``committed``) the transactions are the product's, and its limits hold.
    """
    connection.execute(
        sql.SQL("ALTER ROLE bitvault IN DATABASE {} SET idle_in_transaction_session_timeout = 0").format(
            sql.Identifier(name)
        )
    )


def drop(connection: psycopg.Connection, name: str) -> None:
    connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def ensure_template(build) -> str:
    """Give the name of a migrated database for this state of the code, building it under a lock when it is missing."""
    name = f"bv_tpl_{fingerprint()}"
    with administration() as connection:
        connection.execute("SELECT pg_advisory_lock(4242)")
        try:
            if not exists(connection, name):
                growing = f"{name}_new"
                clone(connection, source=PREPARED, name=growing)
                build(growing)
                connection.execute(
                    sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(growing), sql.Identifier(name))
                )
        finally:
            connection.execute("SELECT pg_advisory_unlock(4242)")
    return name
