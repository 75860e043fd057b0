"""The stream with real processes: workers and schedulers of a nursery, a broker of their own, a database for the tests of one file."""

import os
import secrets
import time
from pathlib import Path
from types import SimpleNamespace

import psycopg
import pytest
from redis import Redis

from bitvault.kernel import tenancy
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import free_ports
from bitvault.stack.process import ChildGroup
from bitvault.stack.valkey import Valkey
from soak import checks
from tests.support import databases, errands, noting
from tests.support.nursery import Nursery

SETTLED_SECONDS = 60.0
"""How long anything may take that has to come by itself; on an idle machine it is a second."""


class Stream:
    """A database, a broker and a nursery, and what may be asked of them."""

    def __init__(self, directory: Path, database: psycopg.Connection, tenants) -> None:
        self.tenants = tenants
        self.database = database
        self.valkey = Valkey(
            directory=directory / "valkey", port=free_ports(("valkey",))["valkey"], password=secrets.token_hex(16)
        )
        self._broker = ChildGroup(stack_directory=directory, output=QuietOutput(directory).of)
        self.start_broker()
        environment = {
            **os.environ,
            "BITVAULT_REDIS_URL": self.valkey.url,
            "DJANGO_SETTINGS_MODULE": "bitvault.settings.test",
        }
        self.nursery = Nursery(environment, directory)
        self.orders = self.nursery.orders

    # --- the broker ----------------------------------------------------------------------------------------------------------

    def start_broker(self) -> None:
        self._broker.launch(self.valkey.prepare())
        self.await_that(self.valkey.is_ready)

    def kill_broker(self) -> None:
        """End the broker at once; it keeps nothing, so the next one is empty."""
        (child,) = self._broker.children
        child.kill()
        child.wait_or_kill(grace_seconds=5.0)
        self._broker.children.clear()

    def broker(self) -> Redis:
        return Redis.from_url(f"{self.valkey.url}/0")

    # --- the stream ----------------------------------------------------------------------------------------------------------

    def note(self, tenant, *texts: str) -> int:
        """Publish notes, each in a transaction of its own; returns the last one's number."""
        from bitvault.events.api import publish
        from bitvault.kernel import db

        with tenancy.entered(tenant):
            for text in texts:
                with db.write_transaction() as tx:
                    publish(noting.Noted(text=text))
        return tx.seq

    def effects(self, tenant) -> list[str]:
        return [text for _, text in noting.effects(self.database, tenant.schema)]

    def lags(self, *consumers: str) -> dict[tuple[str, str], int]:
        """Tell who lags, and by how many events."""
        rows = self.database.execute(
            "SELECT consumer, tenant_id, last_seq - seq FROM events_consumer_cursor JOIN events_stream_head USING (tenant_id)"
            " WHERE seq < last_seq"
        ).fetchall()
        return {(name, tenant.hex): lag for name, tenant, lag in rows if not consumers or name in consumers}

    def position(self, consumer: str, tenant) -> int:
        (seq,) = self.database.execute(
            "SELECT seq FROM events_consumer_cursor WHERE consumer = %s AND tenant_id = %s", [consumer, tenant.id]
        ).fetchone()
        return seq

    def settle(self, *, seconds: float = SETTLED_SECONDS) -> float:
        """Wait until every consumer is at the head of every stream; returns how long that took."""
        begun = time.monotonic()
        while lags := self.lags():
            self.nursery.replace_ended()
            assert time.monotonic() - begun < seconds, f"{lags}\n{self.nursery.log()}"
            time.sleep(0.02)
        return time.monotonic() - begun

    def violations(self, *leave_out: str) -> list[str]:
        """Run every check that is not left out, and that of the notes: each once, in order, none missing."""
        found = [
            fault
            for tenant in self.tenants
            for fault in checks.violations(self.database, tenant.id, leave_out=leave_out)
        ]
        for tenant in [] if "notes" in leave_out else self.tenants:
            seqs = [seq for seq, _ in noting.effects(self.database, tenant.schema)]
            published = self.database.execute(
                "SELECT seq FROM events_stream_event e WHERE tenant_id = %s AND type = %s AND seq NOT IN"
                " (SELECT seq FROM events_dead_letter WHERE tenant_id = e.tenant_id AND consumer = 'notes') ORDER BY seq",
                [tenant.id, noting.Noted.type],
            ).fetchall()
            if seqs != [seq for (seq,) in published]:
                found.append(f"notes of {tenant.slug}: {seqs} of {published}")
        return found

    @staticmethod
    def await_that(condition, *, seconds: float = SETTLED_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not so within {seconds} s"
            time.sleep(0.02)

    def end(self) -> None:
        self.nursery.__exit__()
        self._broker.stop()


@pytest.fixture(scope="module")
def companies():
    from bitvault.kernel.tenancy import Tenant
    from tests.support.world import ACME, BETA

    return SimpleNamespace(
        **{one.slug: Tenant(id=one.id, slug=one.slug, name=one.slug.title()) for one in (ACME, BETA)}
    )


@pytest.fixture(scope="module")
def stream(django_db_setup, django_db_blocker, database_template, worker_suffix, companies, tmp_path_factory):
    """A stream with its nursery, in which nobody works yet; Django here is connected to its database."""
    tenants = [companies.acme, companies.beta]
    with (
        django_db_blocker.unblock(),
        databases.another(database_template, f"bv_stream_{worker_suffix}") as name,
        psycopg.connect(os.environ["BITVAULT_DATABASE_ADMIN_URL"], dbname=name, autocommit=True) as database,
    ):
        for tenant in tenants:
            noting.prepare(database, tenant.schema)
            errands.prepare(database, tenant.schema)
        running = Stream(tmp_path_factory.mktemp("stream"), database, tenants)
        yield running
        running.end()


@pytest.fixture
def nursery(stream):
    """The nursery, which is empty again afterwards."""
    yield stream.nursery
    stream.orders.withdraw()
    for pid in list(stream.nursery.living):
        stream.nursery.kill(pid)
