"""What must be true when everything has come to rest, told by other code than the product's: a fold of the stream, and the devices' own trees."""

import json
from collections import defaultdict

from tests.apps.files.conftest import assert_tree_is_sound, fetch
from tests.apps.sync.following import assert_replica_is_the_tree, fresh_tree

_EVENTS = "SELECT seq, type, payload FROM public.events_stream_event ORDER BY seq"
_NODES = """
SELECT id::text, parent_id::text, name, revision, version_id::text, nullif(content_hash, ''), trashed_at IS NOT NULL FROM files_node
"""
_VERSIONS = "SELECT id::text, node_id::text, base_version_id::text, content_hash FROM files_version"
_FIELDS = ("parent_id", "name", "revision", "version_id", "content_hash", "trashed")
_JOURNAL_GAPS = """
SELECT event.seq FROM public.events_stream_event event, sync_feed feed
WHERE event.seq > feed.horizon AND event.type = ANY(%s) AND NOT EXISTS (SELECT FROM sync_change_journal row WHERE row.seq = event.seq)
"""
_JOURNALLED = [
    f"files.{what}.v1"
    for what in (
        *("folder.created", "version.committed", "node.moved", "node.changed", "node.trashed", "node.restored"),
        *("node.locked", "node.unlocked"),
    )
]


class Fold:
    """The stream, folded over nothing."""

    def __init__(self):
        self.nodes = {}
        self.purged = set()
        self.deleted = set()
        """Versions that somebody has deleted."""
        self.holders = defaultdict(dict)
        """By content: the versions that held it, each with its node."""
        self.heads = {}
        """By version: the version that it took the place of."""
        self.count = 0
        for seq, kind, payload in fetch(_EVENTS):
            self.count += 1
            assert seq == self.count, "J2: the numbers of the stream have a gap"
            act = _ACTS.get(kind)
            if act is not None:
                act(self, payload if isinstance(payload, dict) else json.loads(payload))

    def create(self, told):
        self._put(told, trashed=False)

    def commit(self, told):
        self.holders[told["content_hash"]][told["version_id"]] = told["node_id"]
        before = self.nodes.get(told["node_id"])
        assert told["node_created"] is (before is None)
        if before is not None:
            assert told["previous_version_id"] == before["version_id"], (
                "S3: a version follows one that was not the head"
            )
            assert told["content_hash"] != before["content_hash"], "S5: the same content was committed twice in a row"
            self.heads[told["version_id"]] = told["previous_version_id"]
        original = self.nodes.get(told["conflict_with_id"])
        if original is not None:
            assert original["content_hash"] != told["content_hash"], "S5: equal contents were taken for a conflict"
            ends = [name.rpartition(".")[2] if "." in name else "" for name in (original["name"], told["name"])]
            assert ends[0] == ends[1], "S4: a copy has another extension"
        self._put(told, trashed=False)

    def move(self, told):
        node = self.nodes[told["node_id"]]
        assert (node["parent_id"], node["name"]) == (told["old_parent_id"], told["old_name"])
        self._put(told)

    def trash(self, told):
        self._put({**told, "parent_id": None}, trashed=True)

    def restore(self, told):
        self._put(told, trashed=False)

    def change(self, told):
        """Take a node whose times or type changed; of what is compared here, its revision alone."""
        self._put(told)

    def grant(self, told):
        node = self.nodes[told["node_id"]]
        assert told["revision"] >= node["revision"], "J4: a revision fell"  # a new team folder is told of twice
        node["revision"] = told["revision"]

    def purge(self, told):
        for node_id in told["purged_node_ids"]:
            del self.nodes[node_id]
            self.purged.add(node_id)

    def delete_versions(self, told):
        self.deleted.update(told["version_ids"])

    def was_thrown_away(self, content, node_ids):
        """Whether somebody deleted each version of these nodes that held a content, or its node with it."""
        holders = {version: node for version, node in self.holders[content].items() if node in node_ids}
        return node_ids <= self.purged | set(holders.values()) and all(
            version in self.deleted or node in self.purged for version, node in holders.items()
        )

    def _put(self, told, **more):
        node = self.nodes.setdefault(told["node_id"], {**dict.fromkeys(_FIELDS), "revision": 0})
        assert told["revision"] > node["revision"], "J4: a revision did not rise"
        node.update({field: told[field] for field in _FIELDS if field in told}, **more)


_ACTS = {
    "files.team_access.changed.v1": Fold.grant,
    "files.folder.created.v1": Fold.create,
    "files.version.committed.v1": Fold.commit,
    "files.node.moved.v1": Fold.move,
    "files.node.changed.v1": Fold.change,
    "files.node.locked.v1": Fold.change,
    "files.node.unlocked.v1": Fold.change,
    "files.node.trashed.v1": Fold.trash,
    "files.node.restored.v1": Fold.restore,
    "files.node.purged.v1": Fold.purge,
    "files.version.deleted.v1": Fold.delete_versions,
}


def check(world):
    """Check everything that is promised at rest."""
    fold = Fold()
    tables = {row[0]: dict(zip(_FIELDS, row[1:], strict=True)) for row in fetch(_NODES)}
    assert fold.nodes == tables, "J6: the stream does not fold to the tables"
    assert_tree_is_sound()
    assert_replica_is_the_tree()
    assert fetch(_JOURNAL_GAPS, [_JOURNALLED]) == [], "J1: an event has no row in the journal"
    _check_versions(fold, world)
    _check_devices(world)


def _check_versions(fold, world):
    versions = {row[0]: row[1:] for row in fetch(_VERSIONS)}
    kept = {content for _, _, content in versions.values()}
    for content, node_ids in world.ledger.items():
        assert content in kept or fold.was_thrown_away(content, {str(one) for one in node_ids}), (
            f"S2: acknowledged content is lost: {world.contents.get(content)}"
        )
    for version_id, previous in fold.heads.items():
        if version_id in versions and versions[version_id][1] is not None:
            assert versions[version_id][1] == previous, "S3: an edit of a stale version became the head"
    edits = [(base, content) for _, base, content in versions.values() if base is not None]
    assert len(edits) == len(set(edits)), "S4: one edit is kept twice"


def _differing(told, truth):
    """Name what differs, behind the words by which a violation is known."""
    names = {
        node[1]
        for one in told.keys() | truth.keys()
        for node in (told.get(one), truth.get(one))
        if told.get(one) != truth.get(one) and node
    }
    return f": {sorted(names)}"


def _check_devices(world):
    """S1, J6: all trees are the server's; so is the one that a snapshot and what came after it give."""
    for device in world.devices:
        truth = {
            one: (node["parent_id"], node["name"], node["content_hash"], node["version_id"], node["revision"])
            for one, node in fresh_tree(device.actor).items()
        }
        disk = device.disk
        for what, tree in (("remote", disk.remote), ("synced", disk.synced)):
            told = {one: (n.parent, n.name, n.content, n.version_id, n.revision) for one, n in tree.items()}
            assert told == truth, f"S1: the {what} tree of {device.name} is not the server's{_differing(told, truth)}"
        local = {one: (n.parent, n.name, n.content) for one, n in disk.local.items()}
        assert local == {one: node[:3] for one, node in truth.items()}, f"S1: {device.name} shows another tree"
