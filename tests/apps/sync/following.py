"""Devices of tests: each keeps a copy of a tree by nothing but what the feed tells it."""

import json
import threading

import msgspec
from django.db import close_old_connections, connection

from apps.sync import api as sync
from apps.sync.models import ChangeJournal, Feed
from bitvault.events import consuming
from bitvault.kernel import clock, db, tenancy
from tests.apps.files.conftest import fetch

FIELDS = (
    "parent_id",
    "name",
    "revision",
    "kind",
    "version_id",
    "size_bytes",
    "content_hash",
    "media_type",
    "client_modified_at",
    "lock",
)


def project() -> int:
    """Bring the feed of the entered tenant to the head of its stream."""
    return consuming.consume("sync")


def journal(after=0):
    """The rows of the journal behind a number."""
    return fetch("SELECT seq, ordinal, node_id FROM sync_change_journal WHERE seq > %s ORDER BY 1, 2", [after])


def head():
    """How far the feed is."""
    return fetch("SELECT seq FROM sync_feed")[0][0]


def set_horizon(seq):
    """Forget the journal up to a number."""
    with db.write_transaction():
        ChangeJournal.objects.filter(seq__lte=seq).delete()
        Feed.objects.update(horizon=seq)


def in_thread(tenant, act):
    """Run ``act`` in a thread of its own; what it raises comes back when it is joined."""
    failures = []

    def run():
        try:
            with tenancy.entered(tenant):
                act()
        except BaseException as error:  # noqa: BLE001 - told by the one who waits
            failures.append(error)
        finally:
            close_old_connections()
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread, failures


def fresh_tree(actor):
    """Read what the actor may see, from the tables of files and sharing themselves: their own root, team folders, and what was shared."""
    rows = {
        row[0]: row[1:]
        for row in fetch(
            "SELECT id, parent_id, name, revision, CASE kind WHEN 0 THEN 'folder' ELSE 'file' END, version_id,"
            " CASE kind WHEN 1 THEN size_bytes END, CASE kind WHEN 1 THEN content_hash END, CASE kind WHEN 1 THEN media_type END,"
            " client_modified_at, lock, trashed_at IS NOT NULL,"
            " coalesce(owner_user_id = %(user_id)s, false) OR (is_team_folder AND trashed_at IS NULL AND %(administers)s)"
            " OR EXISTS (SELECT FROM sharing_permission share WHERE share.node_id = files_node.id"
            "   AND share.principal_id = ANY(%(principal_ids)s) AND share.capabilities & 1 = 1"
            "   AND coalesce(share.expires_at > %(now)s, true)"
            "   AND NOT EXISTS (SELECT FROM sharing_left_share has_left WHERE has_left.share_id = share.id"
            "     AND has_left.user_id = %(user_id)s))"
            " FROM files_node",
            {
                "user_id": actor.user_id,
                "administers": actor.role in ("owner", "admin"),
                "principal_ids": list(actor.principal_ids),
                "now": clock.now(),
            },
        )
    }

    def is_seen(node_id):
        way = []
        while node_id is not None:
            way.append(rows[node_id])
            node_id = rows[node_id][0]
        return bool(way) and not way[-1][-2] and any(row[-1] for row in way)

    seen = {node_id: row for node_id, row in rows.items() if is_seen(node_id)}
    return {
        node_id: dict(
            zip(
                FIELDS,
                (parent_id if parent_id in seen else None, *others[:-3], others[-3] and json.loads(others[-3])),
                strict=True,
            )
        )
        for node_id, (parent_id, *others) in seen.items()
    }


class Device:
    """A device of one person."""

    def __init__(self, actor, name="laptop", *, limit=200):
        self.actor = actor
        self.limit = limit
        registered = sync.register_device(actor=actor, name=name, platform="test")
        self.id = registered.id
        self.cursor = registered.cursor
        self.nodes = {}
        self.told = []

    def take_snapshot(self):
        """Begin anew from a snapshot."""
        self.nodes, page = {}, None
        while page is None or page.next_cursor is not None:
            page = sync.list_snapshot(
                actor=self.actor, device_id=self.id, cursor=page and page.next_cursor, limit=self.limit
            )
            for node in page.items:
                assert node.parent_id is None or node.parent_id in self.nodes, "a child before its parent"
                self._keep(node)
        self.cursor = page.cursor
        return page

    def pull(self):
        """Read one page of changes and keep it; tells whether there is more."""
        page = sync.list_changes(actor=self.actor, cursor=self.cursor, limit=self.limit)
        self.keep(page)
        return page

    def keep(self, page):
        for change in page.items:
            self.told.append(change)
            if change.op == "upsert":
                self._keep(change.node)
            else:
                self._drop(change.node_id)
        self.cursor = page.cursor

    def follow(self):
        """Read until there is no more."""
        while (page := self.pull()).has_more:
            pass
        self.assert_whole()
        return page

    def end(self):
        """Read once more and give the device's place to another: a person has only so many."""
        self.pull()
        sync.end_device(actor=self.actor, device_id=self.id)

    def _keep(self, node):
        self.nodes[node.id] = {field: getattr(node, field) for field in FIELDS}
        self.nodes[node.id]["lock"] = node.lock and msgspec.to_builtins(node.lock)

    def _drop(self, node_id):
        below = {}
        for one, node in self.nodes.items():
            below.setdefault(node["parent_id"], []).append(one)
        going = [node_id]
        while going:
            one = going.pop()
            self.nodes.pop(one, None)
            going += below.get(one, [])

    def assert_whole(self):
        """Every node hangs from one that is there."""
        parents = {node["parent_id"] for node in self.nodes.values()} - {None}
        assert parents <= set(self.nodes)


def replica():
    """Everything that sync has derived, for comparing before and after."""
    return {
        table: sorted(fetch(f"SELECT {table}::text FROM {table}"))
        for table in ("sync_node", "sync_change_journal", "sync_feed", "sync_conflict")
    }


def assert_replica_is_the_tree():
    """The replica holds what the tables of files hold, those in the trash too."""
    told = fetch(
        "SELECT node_id, parent_id, name, revision, is_folder, version_id, size_bytes, content_hash, media_type, created_at, modified_at,"
        " client_modified_at, created_by, lock, is_trashed FROM sync_node ORDER BY node_id"
    )
    true = fetch(
        "SELECT id, parent_id, name, revision, kind = 0, version_id, CASE kind WHEN 1 THEN size_bytes END,"
        " CASE kind WHEN 1 THEN content_hash END, CASE kind WHEN 1 THEN media_type END, created_at, modified_at, client_modified_at, created_by,"
        " lock, trashed_at IS NOT NULL FROM files_node ORDER BY id"
    )
    assert told == true, "J6: the replica is not the tree of files"
