"""The checks that end every proof of the stream find what they look for: each is shown a table that was tampered with."""

import os
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from apps.files import api as files
from bitvault.events import consuming
from soak import checks
from tests.apps.files.conftest import Tree

pytestmark = pytest.mark.committed

SPOILS = {
    "numbers of the stream": "DELETE FROM events_stream_event WHERE seq = 3",
    "order of the stream": "UPDATE events_stream_event SET published_at = published_at - interval '1 second' WHERE seq = 4",
    "lags": "UPDATE events_consumer_cursor SET seq = seq - 1 WHERE consumer = 'gc'",
    "dead letters": "INSERT INTO events_dead_letter (id, consumer, tenant_id, seq, type, error, try_count, state, died_at)"
    " SELECT gen_random_uuid(), 'gc', tenant_id, 3, 'x', 'x', 8, 'dead', now() FROM events_stream_head WHERE last_seq > 0",
    "audit: once each": "ALTER TABLE {schema}.admin_platform_audit_entry DISABLE TRIGGER ALL;"
    " DELETE FROM {schema}.admin_platform_audit_entry WHERE seq = 3",
    "audit: order": "ALTER TABLE {schema}.admin_platform_audit_entry DISABLE TRIGGER ALL;"
    " UPDATE {schema}.admin_platform_audit_entry SET number = number + 1000 WHERE seq = 3",
    "meter": "UPDATE {schema}.billing_usage_gauge SET amount = amount + 1 WHERE metric = 'live_bytes'",
    "references": "DELETE FROM {schema}.storage_blob_reference WHERE version_id = (SELECT min(version_id::text)::uuid FROM"
    " {schema}.storage_blob_reference)",
    "replica": "UPDATE {schema}.sync_node SET revision = revision - 1 WHERE name = 'kept'",
    "feed": "UPDATE {schema}.sync_feed SET seq = seq - 1",
    "journal": "DELETE FROM {schema}.sync_change_journal WHERE seq = 3",
}


def test_every_check_is_shown_something():
    assert set(SPOILS) == set(checks.CHECKS)


@pytest.fixture
def lived(actor, tenant):
    """A tenant in which something of each kind has happened, read by every consumer."""
    tree = Tree(actor)
    folder = tree.folder("folder")
    tree.file("kept", folder)
    tree.write(tree.file("trashed"), b"another")
    gone = tree.folder("gone")
    tree.file("below", gone)
    tree.trash(gone)
    files.purge_node(actor=actor, node_id=gone.id)
    tree.trash(tree.folder(uuid4().hex))
    for consumer in consuming.list_consumers():
        consuming.consume(consumer)
    return tenant


@pytest.fixture
def database():
    name = connection.settings_dict["NAME"]
    with psycopg.connect(os.environ["BITVAULT_DATABASE_ADMIN_URL"], dbname=name, autocommit=True) as connected:
        yield connected


def test_a_sound_tenant_has_no_violations_and_a_spoiled_one_those_of_its_spoils(lived, database):
    assert checks.violations(database, lived.id) == []
    for name, spoil in SPOILS.items():
        with database.transaction(force_rollback=True):
            database.execute(spoil.format(schema=lived.schema))
            assert checks.violations(database, lived.id, checks={name: checks.CHECKS[name]}), name
    assert checks.violations(database, lived.id) == []
