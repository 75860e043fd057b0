"""Sort keys of an older version are brought up to the code, in steps that may be killed."""

import importlib
from types import SimpleNamespace

import pytest
from django.db import connection

from apps.files import api as files
from apps.files import limits, models
from apps.files.operations import rekeying
from bitvault.kernel import db
from bitvault.kernel.names import KEY_VERSION
from tests.apps.files.conftest import fetch

NAMES = ["Ebene", "\u00c9cole", "Emil", "\u00c9mile 2", "\u00c9mile 10", "Zebra"]


@pytest.fixture
def old(tree):
    """Files as the first version of the code has keyed them."""
    for name in reversed(NAMES):
        tree.file(f"{name}.txt")
    with db.write_transaction():
        for node in models.Node.objects.all():
            models.Node.objects.filter(pk=node.pk).update(key_version=1, sort_key=node.name_key)
    assert tree.names() != [f"{name}.txt" for name in NAMES]
    return tree


def versions():
    return dict(fetch("SELECT key_version, count(*)::int FROM files_node GROUP BY key_version"))


def test_names_are_sorted_anew(old):
    assert files.rekey_names() == len(NAMES) + 1
    assert old.names() == [f"{name}.txt" for name in NAMES]
    assert versions() == {KEY_VERSION: len(NAMES) + 1}
    assert files.rekey_names() == 0


def test_a_run_that_is_killed_is_taken_up_by_the_next(old, monkeypatch):
    monkeypatch.setattr(limits, "REKEY_BATCH", 2)
    compute, calls = rekeying.compute, []

    def dying(rows):
        calls.append(rows)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return compute(rows)

    monkeypatch.setattr(rekeying, "compute", dying)
    with pytest.raises(KeyboardInterrupt):
        files.rekey_names()
    assert versions() == {1: len(NAMES) + 1 - 4, KEY_VERSION: 4}
    monkeypatch.setattr(rekeying, "compute", compute)
    assert files.rekey_names() == len(NAMES) + 1 - 4
    assert old.names() == [f"{name}.txt" for name in NAMES]


def test_a_name_that_changes_meanwhile_keeps_its_own_key(old, monkeypatch):
    compute = rekeying.compute

    def renaming(rows):
        with db.write_transaction():
            models.Node.objects.filter(name="Zebra.txt").update(
                name="Aal.txt", sort_key="of Aal", key_version=KEY_VERSION
            )
        monkeypatch.setattr(rekeying, "compute", compute)
        return compute(rows)

    monkeypatch.setattr(rekeying, "compute", renaming)
    files.rekey_names()
    assert fetch("SELECT sort_key FROM files_node WHERE name = 'Aal.txt'") == [("of Aal",)]


def test_the_migration_writes_what_the_code_would(old, monkeypatch):
    migration = importlib.import_module("apps.files.migrations.0008_sort_keys_by_collation")
    monkeypatch.setattr(migration, "STEP", 2)
    with db.write_transaction():
        migration.write_sort_keys(None, SimpleNamespace(connection=connection))
    assert old.names() == [f"{name}.txt" for name in NAMES]
    assert files.rekey_names() == 0


def test_the_migration_gives_files_the_time_of_their_version(tree, monkeypatch):
    migration = importlib.import_module("apps.files.migrations.0005_client_times_of_present_files")
    monkeypatch.setattr(migration, "STEP", 2)
    from bitvault.kernel import clock

    moment = clock.now()
    made = [tree.commit(tree.grant(f"{number}.txt"), client_modified_at=moment).node for number in range(5)]
    with db.write_transaction():
        models.Node.objects.update(client_modified_at=None)
        migration.take_times(None, SimpleNamespace(connection=connection))
    assert {tree.get(node).client_modified_at for node in made} == {moment}
