"""Transactions that are unlike the others: statements that may take longer, reads of one instant."""

import threading

import pytest
from django.db import connection, connections

from bitvault.kernel import db, tenancy
from bitvault.kernel.db import NoTransaction

pytestmark = pytest.mark.committed


def ask(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()[0]


def test_patience_lasts_as_long_as_its_transaction(tenant):
    with db.write_transaction():
        usual = ask("SHOW statement_timeout")
    with db.write_transaction():
        db.set_statement_timeout(seconds=90)
        assert ask("SHOW statement_timeout") == "90s"
    with db.write_transaction():
        assert ask("SHOW statement_timeout") == usual == "30s"


def test_only_who_writes_may_set_statement_timeout(tenant):
    with pytest.raises(NoTransaction):
        db.set_statement_timeout(seconds=90)
    with db.read_transaction(), pytest.raises(NoTransaction):
        db.set_statement_timeout(seconds=90)


@pytest.mark.parametrize("frozen", [True, False])
def test_a_frozen_reader_sees_one_instant(acme, frozen):
    from bitvault.events.api import get_head, publish
    from bitvault.events.catalog.events import EventSkipped

    def commit():
        try:
            with tenancy.entered(acme), db.write_transaction():
                publish(EventSkipped(consumer="tests", seq=1))
        finally:
            connections.close_all()

    with tenancy.entered(acme), db.read_transaction(frozen=frozen):
        before = get_head()
        thread = threading.Thread(target=commit)
        thread.start()
        thread.join()
        assert get_head() == before + (not frozen)
