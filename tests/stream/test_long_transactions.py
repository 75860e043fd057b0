"""OUT-3: somebody keeps a snapshot open for long (a backup does), so no old version of any row can go. The stream's few hot rows pile up
versions meanwhile; what is read for one event must grow no faster than they do, and be as small as before soon afterwards.

Pages are counted and not seconds: they are the same on every machine.
"""

import os

import psycopg
import pytest
from django.db import connection

from bitvault.events import consuming
from bitvault.kernel import tenancy

pytestmark = pytest.mark.committed

ROUNDS = 300
VERSIONS_OF_A_PAGE = 20
"""At least so many versions of a cursor lie on one page of 8 KiB."""

LOOKS = {
    "cursor": "SELECT seq FROM events_consumer_cursor WHERE consumer = 'gc' AND tenant_id = %s",
    "head": "SELECT last_seq FROM events_stream_head WHERE tenant_id = %s",
}


@pytest.fixture
def database():
    with psycopg.connect(
        os.environ["BITVAULT_DATABASE_ADMIN_URL"], dbname=connection.settings_dict["NAME"], autocommit=True
    ) as connected:
        yield connected


def pages(database, tenant):
    """Tell how many pages are read to find each of the hot rows."""
    found = {}
    for name, look in LOOKS.items():
        plan = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {look}"
        buffers = database.execute(plan, [tenant.id]).fetchone()[0][0]["Plan"]
        found[name] = buffers["Shared Hit Blocks"] + buffers["Shared Read Blocks"]
    return found


def live_on(rounds):
    from bitvault.events.api import publish
    from bitvault.events.catalog.files import DownloadSigned
    from bitvault.kernel import db, ids

    for _ in range(rounds):
        with db.write_transaction():
            publish(DownloadSigned(node_id=ids.new_id(), version_id=ids.new_id(), size_bytes=1))
        assert consuming.consume("gc") == 1


def test_a_snapshot_that_is_kept_slows_the_stream_down_a_little_and_leaves_nothing_behind(acme, database):
    with tenancy.entered(acme):
        live_on(20)
        before = pages(database, acme)
        with psycopg.connect(database.info.dsn, password=database.info.password) as keeping:
            keeping.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            keeping.execute("SELECT count(*) FROM events_stream_head")
            live_on(ROUNDS)
            meanwhile = pages(database, acme)
            keeping.rollback()
        # A try is counted and the cursor is moved: two versions for each event.
        assert meanwhile["cursor"] <= before["cursor"] + 2 * 2 * ROUNDS / VERSIONS_OF_A_PAGE
        assert meanwhile["head"] <= before["head"] + 2 * ROUNDS / VERSIONS_OF_A_PAGE
        for table in ("events_consumer_cursor", "events_stream_head"):
            database.execute(f"VACUUM {table}")  # autovacuum's turn, which comes each minute
        live_on(20)
        after = pages(database, acme)
        assert all(after[name] <= before[name] + 2 for name in LOOKS), (before, meanwhile, after)
