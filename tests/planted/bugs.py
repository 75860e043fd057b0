"""Bugs that others have had in such a thing (reliability §5.4), each put in where it would live, for the length of a block.

A green run of a suite proves something only if the suite turns red for these. Nothing of them is in the product.
"""

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from unittest.mock import patch

from django.db import connection

from apps.files.operations import conflicts, content, structure, trash
from apps.files.rows import find_ways
from apps.files.tree import commit_transaction
from apps.sync import consumers, feed, operations, projector, queries, snapshots
from apps.sync import sql as sync_sql
from apps.sync.scopes import Grants
from bitvault.events import consuming
from bitvault.events import sql as events_sql
from bitvault.events.api import set_position
from bitvault.kernel import db, names
from bitvault.kernel.capabilities import READING
from tests.simulation.device import Device

# --- the stream ------------------------------------------------------------------------------------------------------------


@contextmanager
def sequence_instead_of_counter():
    """An event takes its number from a sequence when it is published, not from the tenant's counter at the end of its transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE bitvault_owner")
        cursor.execute("CREATE SEQUENCE public.planted")
        cursor.execute("GRANT USAGE ON SEQUENCE public.planted TO PUBLIC")
        cursor.execute("RESET ROLE")
    before_commit, run_last = db.Transaction.before_commit, db.Transaction.run_last

    def number_at_once(tx, action):
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('public.planted')")
            tx.numbers = [*getattr(tx, "numbers", ()), cursor.fetchone()[0]]
        before_commit(tx, action)

    def insert_as_numbered(tx, statement, parameters):
        if hasattr(tx, "numbers"):
            parameters = {**parameters, "numbers": tx.numbers}
        return run_last(tx, statement, parameters)

    insert = events_sql.PUBLISH.replace(
        "last_seq + %(count)s", "greatest(last_seq, (%(numbers)s::bigint[])[%(count)s])"
    )
    insert = insert.replace("head.last_seq - %(count)s + e.n", "(%(numbers)s::bigint[])[e.n]")
    with _all(
        patch.object(db.Transaction, "before_commit", number_at_once),
        patch.object(db.Transaction, "run_last", insert_as_numbered),
        patch.object(events_sql, "PUBLISH", insert),
    ):
        yield


@contextmanager
def cursor_moved_before_the_effect():
    """A consumer says in a transaction of its own that it has read a batch, and then lets it have its effect."""
    execute_batch = consuming._consume_batch

    def mark_and_act(consumer, deadline):
        acts = []
        with patch.object(consuming.Consumer, "act_on", _collecting(acts)):
            outcome = execute_batch(consumer, deadline)
        with db.write_transaction():
            consumer.act_on(acts)
        return outcome

    with patch.object(consuming, "_consume_batch", mark_and_act):
        yield


@contextmanager
def effects_without_their_cursor():
    """Each event has its effect in a transaction of its own, and the cursor moves behind all of them."""
    execute_batch = consuming._consume_batch

    def act_and_mark(consumer, deadline):
        acts = []
        with _all(
            patch.object(consuming.Consumer, "act_on", _collecting(acts)),
            patch.object(consuming, "_MOVE", _NO_MOVE),
        ):
            execute_batch(consumer, deadline)
        for published in acts:
            with db.write_transaction():
                consumer.act_on([published])
        if acts:
            with db.write_transaction():
                set_position(consumer=consumer.name, seq=acts[-1].seq)
        return len(acts), False

    with patch.object(consuming, "_consume_batch", act_and_mark):
        yield


def _collecting(acts):
    def collect(consumer, events, **_):
        acts.extend(events)
        return len(events)

    return collect


_NO_MOVE = "SELECT %(consumer)s::text, %(tenant_id)s::uuid, %(seq)s::bigint, %(published_at)s::timestamptz"


@contextmanager
def effects_without_a_memory():
    """What is delivered again has its effect again."""
    update = sync_sql.UPDATE_NODES.replace(" AND sync_node.revision < told.revision", "")
    insert = sync_sql.INSERT_NODES.replace("WHERE sync_node.revision < excluded.revision", "")
    with _all(
        patch.object(sync_sql, "UPDATE_NODES", update),
        patch.object(sync_sql, "INSERT_NODES", insert),
        patch.object(projector.Batch, "_leave_out_applied", lambda batch, *_: (batch._changes, False)),
    ):
        yield


# --- files -----------------------------------------------------------------------------------------------------------------


@contextmanager
def no_tree_lock():
    """Moves lock the rows that they change, and nothing else."""

    @contextmanager
    def unlocked(**_):
        with db.write_transaction() as tx:
            yield tx

    with _all(*(patch.object(module, "tree_transaction", unlocked) for module in (structure, trash, content))):
        yield


@contextmanager
def head_written_without_a_look_at_the_base():
    """An edit becomes the head whatever version it started from: who comes last wins."""

    def commit_blindly(upload, node_id):
        with commit_transaction() as tx:
            repeated = content.find_repeated(upload)
            way = find_ways([node_id]).get(node_id)
            if repeated is None and (way is None or not way.is_live):
                raise content._NeedsTree
            return tx.answer(repeated or content.write_or_settle(upload, way))

    with patch.object(content, "_commit_to_file", commit_blindly):
        yield


@contextmanager
def copies_without_a_key():
    """Whoever reports a losing edit gets a copy of it, also for the second time."""
    with patch.object(conflicts, "find_kept", lambda *_, **__: None):
        yield


@contextmanager
def keys_by_lower():
    """Two names are the same if Python's ``lower`` says so."""
    with patch.object(names, "key_of", str.lower):
        yield


@contextmanager
def a_return_without_a_look_at_its_name():
    """What comes back from the trash takes its name without asking who has it."""
    begin, end = (trash.RESTORE.index(text) for text in ("        AND NOT EXISTS", "    RETURNING"))
    with patch.object(trash, "RESTORE", trash.RESTORE[:begin] + trash.RESTORE[end:]):
        yield


# --- the feed --------------------------------------------------------------------------------------------------------------


@contextmanager
def a_door_without_a_row():
    """Moves are not told of: the one who wrote that door forgot."""
    with patch.object(consumers, "project_move", lambda *_: None):
        yield


@contextmanager
def rows_of_a_node_made_one():
    """What happens to a node in one batch is one row of the journal, at the first number."""
    write = projector._write_journal

    def write_coalesced(rows, *roots):
        write(list({row.node_id: row for row in reversed(rows)}.values()), *roots)

    with patch.object(projector, "_write_journal", write_coalesced):
        yield


@contextmanager
def an_epoch_that_outlives_a_backup():
    """After a database was brought back, nobody tells the devices."""
    with patch.object(operations, "begin_epoch", lambda: None):
        yield


@contextmanager
def an_epoch_that_outlives_what_was_overtaken():
    """An event that has its effect after devices have read past it leaves their cursors as good as they were."""
    advance = projector._advance
    with patch.object(projector, "_advance", lambda seq, **_: advance(seq, out_of_turn=False)):
        yield


@contextmanager
def a_return_in_one_row():
    """What comes back from the trash is told by the row of its top alone, as a move is."""
    with patch.object(projector, "_write_journal_below", lambda *_: None):
        yield


@contextmanager
def pages_and_then_the_cursor():
    """A snapshot ends with the cursor of the moment in which its last page is read."""
    find = snapshots.find

    def find_as_of_now(snapshot_id, device_id):
        frame = find(snapshot_id, device_id)
        return frame and frame._replace(seq=queries.get_feed_seq())

    with patch.object(snapshots, "find", find_as_of_now):
        yield


@contextmanager
def rights_of_the_first_reading():
    """The scopes that a device may see are those that it began with."""
    known = feed._list_known

    def as_ever(reading, position):
        if position.scopes:
            tops = dict.fromkeys(position.scopes, READING)
            first = replace(reading.scopes, grants=Grants(tops, READING), tops=tops)
            reading = replace(reading, scopes=first)
        return known(reading, position)

    with patch.object(feed, "_list_known", as_ever):
        yield


@contextmanager
def cursor_of_any_device():
    """A cursor is read for whoever brings it."""
    ask = queries.fetch_all

    def anybodys(actor, position):
        standing = queries.Standing._make(ask(sync_sql.STANDING, [position.device_id])[0])
        return standing._replace(user_id=actor.user_id)

    with patch.object(queries, "require_standing", anybodys):
        yield


@contextmanager
def gone_in_its_place():
    """A page tells in one order what is there and what is gone."""
    list_upserts = feed._list_upserts

    def list_both(entries, states, rights):
        both = [*list_upserts(entries, states, rights), *feed._list_removals(entries, states, rights, 0)]
        return sorted(both, key=lambda change: change.seq)

    with patch.object(feed, "_list_upserts", list_both):
        yield


@contextmanager
def trimmed_past_a_device():
    """The journal is cut by its age alone, whoever has still to read it."""
    with patch.object(operations, "_find_kept_for_devices", lambda _: None):
        yield


@contextmanager
def trimmed_without_a_horizon():
    """Rows of the journal are deleted, and nobody is told that they are missing."""
    horizon = 'UPDATE "sync_feed" SET "horizon" = %s'

    def forget(execute, statement, *rest):
        return execute("SELECT %s::bigint" if statement == horizon else statement, *rest)

    with connection.execute_wrapper(forget):
        yield


# --- a device --------------------------------------------------------------------------------------------------------------


@contextmanager
def cursor_kept_before_the_changes():
    """A device writes a page's cursor to its disk at once, and the page's changes when it comes to it."""
    pull = Device.pull

    def pull_and_keep_the_cursor(device, limit):
        outcome = pull(device, limit)
        for backup in device.backups:
            backup.cursor = device.disk.cursor
        return outcome

    with patch.object(Device, "pull", pull_and_keep_the_cursor):
        yield


@contextmanager
def _all(*patches):
    with ExitStack() as stack:
        for one in patches:
            stack.enter_context(one)
        yield
