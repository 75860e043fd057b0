"""Rules 3 and 4 of docs/architecture.md: no chain through three modules, and no transaction across two."""

import threading

import pytest
from django.db import connection
from prometheus_client import REGISTRY

from bitvault.events import api as events
from bitvault.events.catalog.files import FolderCreated
from bitvault.kernel import boundary, clock, db, ids
from tests.support.doors import make_door


def pass_through(*modules: str):
    """Make a door of the first module that calls one of the second, and so on; the last one tells the chain that it sees."""

    def last():
        return boundary.current_module()

    door = make_door(modules[-1], last)
    for module in reversed(modules[:-1]):

        def calling(*, following=door):
            return following()

        door = make_door(module, calling)
    return door


def count_breaches(rule: str) -> float:
    return REGISTRY.get_sample_value("bitvault_boundary_breaches_total", {"rule": rule}) or 0.0


# --- chains ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "modules", [["files"], ["files", "files"], ["files", "billing"], ["files", "billing", "files", "billing"]]
)
def test_two_modules_make_a_chain(modules):
    assert pass_through(*modules)() == modules[-1]


@pytest.mark.parametrize(
    "modules",
    [
        ["storage", "files", "billing"],
        ["storage", "files", "storage", "billing"],
        ["storage", "storage", "files", "billing"],
    ],
)
def test_a_third_module_in_a_chain_raises(modules):
    with pytest.raises(boundary.ChainTooLong, match=r"storage → .*billing"):
        pass_through(*modules)()


def test_in_production_a_long_chain_works_and_is_counted(settings):
    settings.BITVAULT_STRICT_BOUNDARIES = False
    before = count_breaches("ChainTooLong")
    assert pass_through("storage", "files", "billing")() == "billing"
    assert count_breaches("ChainTooLong") == before + 1


def test_one_after_another_is_no_chain():
    """The gateway's fan-out: it is no module, so what it calls in turn does not add up."""
    assert [pass_through(module)() for module in ("files", "billing", "storage")] == ["files", "billing", "storage"]


def test_a_chain_ends_when_its_door_fails():
    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_door("files", fail)()
    assert boundary.current_module() == boundary.NO_MODULE
    assert pass_through("storage", "billing")() == "billing"


def test_a_thread_has_a_chain_of_its_own():
    seen = []

    def start_a_thread():
        thread = threading.Thread(target=lambda: seen.append(pass_through("billing", "storage")()))
        thread.start()
        thread.join()

    make_door("files", start_a_thread)()
    assert seen == ["storage"]


# --- transactions ----------------------------------------------------------------------------------------------------------


def in_a_transaction_of(module: str, act, *, transaction=db.write_transaction):
    def open_and_act():
        with transaction():
            return act()

    return make_door(module, open_and_act)


@pytest.mark.parametrize("transaction", [db.write_transaction, db.read_transaction, db.public_transaction])
def test_entering_another_module_inside_a_transaction_raises(tenant, transaction):
    with pytest.raises(
        boundary.CrossModuleTransaction, match=r"billing\.last was entered inside a transaction of files"
    ):
        in_a_transaction_of("files", pass_through("billing"), transaction=transaction)()


def test_the_same_module_may_be_entered_inside_its_transaction(tenant):
    assert in_a_transaction_of("files", pass_through("files"))() == "files"


def test_a_transaction_of_no_module_admits_none(tenant):
    """A command or a task that opens one itself stands outside of all modules."""
    with pytest.raises(boundary.CrossModuleTransaction), db.write_transaction():
        pass_through("files")()


def test_after_the_transaction_the_other_module_may_be_entered(tenant):
    def one_after_the_other():
        with db.write_transaction():
            pass
        return pass_through("billing")()

    assert make_door("files", one_after_the_other)() == "billing"


def test_a_hint_after_the_commit_may_enter_another_module(tenant):
    seen = []

    def leave_a_hint():
        with db.write_transaction() as tx:
            tx.after_commit(lambda: seen.append(pass_through("billing")()))

    make_door("files", leave_a_hint)()
    assert seen == ["billing"]


def test_in_production_a_transaction_across_modules_works_and_is_counted(tenant, settings):
    settings.BITVAULT_STRICT_BOUNDARIES = False
    before = count_breaches("CrossModuleTransaction")
    assert in_a_transaction_of("files", pass_through("billing"))() == "billing"
    assert count_breaches("CrossModuleTransaction") == before + 1


def test_publishing_is_part_of_the_transaction(tenant):
    """The one door that is meant to be entered inside: the event is part of the change."""
    event = FolderCreated(
        node_id=ids.new_id(), parent_id=None, name="Reports", revision=1, created_at=clock.now(), actor_id=None
    )
    in_a_transaction_of("files", lambda: events.publish(event))()
    with connection.cursor() as cursor:
        cursor.execute("SELECT type FROM events_stream_event WHERE tenant_id = %s ORDER BY seq DESC", [tenant.id])
        assert cursor.fetchone() == ("files.folder.created.v1",)
