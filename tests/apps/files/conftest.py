"""What tests of files and folders stand on: short ways to put things into a tree, and eyes that look behind the doors."""

import hashlib
import json
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.files import api as files
from apps.files.api import rules
from bitvault.kernel import db, tenancy
from bitvault.kernel.errors import Conflict, Forbidden, Invalid, Locked, NotFound, PreconditionFailed

CHECKS = {
    "unreachable nodes": """
        WITH RECURSIVE reached AS (
            SELECT id FROM files_node WHERE parent_id IS NULL
            UNION ALL SELECT child.id FROM reached JOIN files_node child ON child.parent_id = reached.id
        ) SELECT count(*) FROM files_node WHERE id NOT IN (SELECT id FROM reached)""",
    "parents that are files": """
        SELECT count(*) FROM files_node child JOIN files_node parent ON parent.id = child.parent_id WHERE parent.kind <> 0""",
    "wrong child counts": """
        SELECT count(*) FROM files_node folder
        WHERE child_count <> (SELECT count(*) FROM files_node child WHERE child.parent_id = folder.id)""",
    "bounds below the truth": """
        WITH RECURSIVE below AS (
            SELECT id AS top_id, id, 0 AS levels, 0 AS path_bytes FROM files_node
            UNION ALL
            SELECT below.top_id, child.id, below.levels + 1, below.path_bytes + 1 + octet_length(child.name)
            FROM below JOIN files_node child ON child.parent_id = below.id
        ), truth AS (SELECT top_id, max(levels) AS levels, max(path_bytes) AS path_bytes FROM below GROUP BY top_id)
        SELECT count(*) FROM files_node node JOIN truth ON truth.top_id = node.id
        WHERE node.levels_below_bound < truth.levels OR node.path_bytes_below_bound < truth.path_bytes""",
    "roots that are not one thing": """
        SELECT count(*) FROM files_node WHERE (owner_user_id IS NOT NULL)::int + (is_team_folder AND trashed_at IS NULL)::int
            + (parent_id IS NOT NULL)::int + (trashed_at IS NOT NULL)::int <> 1""",
    "files whose version is not their own": """
        SELECT count(*) FROM files_node node WHERE kind = 1
        AND NOT EXISTS (SELECT FROM files_version v WHERE v.id = node.version_id AND v.node_id = node.id
            AND v.content_hash = node.content_hash AND v.size_bytes = node.size_bytes)""",
    "trashed nodes without an entry": """
        SELECT count(*) FROM files_node WHERE trashed_at IS NOT NULL AND id NOT IN (SELECT node_id FROM files_trash)""",
    "entries of nodes that are not trashed": """
        SELECT count(*) FROM files_trash entry JOIN files_node node ON node.id = entry.node_id WHERE node.trashed_at IS NULL""",
}


def fetch(sql, parameters=()):
    """Read rows behind the doors' back."""
    with db.read_transaction(), connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def assert_tree_is_sound():
    """Check every invariant of the tree (reliability N1 to N4) by other code than the one that keeps them."""
    for what, sql in CHECKS.items():  # one by one: on a tree with a circle, only the first would ever end
        assert fetch(sql)[0][0] == 0, what


def analyze(*tables):
    """Let the planner know how much there is, which a tenant's role may not, and let nothing wait before an index, as autovacuum would."""
    schema = tenancy.current().schema
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE bitvault_owner")
        for table in tables:
            cursor.execute(f'ANALYZE "{schema}".{table}')
            cursor.execute(
                "SELECT gin_clean_pending_list(indexrelid) FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
                " JOIN pg_am ON pg_am.oid = relam WHERE amname = 'gin' AND indrelid = %s::regclass",
                [f'"{schema}".{table}'],
            )
        cursor.execute("RESET ROLE")


def events(after=0):
    """The tenant's stream as (type, payload), oldest first."""
    return [
        (kind, payload if isinstance(payload, dict) else json.loads(payload))
        for kind, payload in fetch(
            "SELECT type, payload FROM public.events_stream_event WHERE seq > %s ORDER BY seq", [after]
        )
    ]


def assert_events_tell_all():
    """Fold the whole stream over nothing, by other code than the one that writes: it must give the tables as they are."""
    nodes = {}
    for kind, told in events():
        if kind.startswith("files.") and not kind.startswith(("files.rewind.", "files.retention.")):
            _FOLD[kind](nodes, told)
    shares, lefts = {}, set()
    for kind, told in events():
        if kind in _FOLD_SHARES:
            _FOLD_SHARES[kind](shares, told)
        elif kind.startswith("sharing.share."):
            _FOLD_LEFTS[kind](lefts, (told["share_id"], told["user_id"]))
    assert {pair for pair in lefts if pair[0] in shares} == set(
        fetch("SELECT share_id::text, user_id::text FROM sharing_left_share")
    )
    assert {share_id: share for share_id, share in shares.items() if share[0] in nodes} == {
        row[0]: row[1:]
        for row in fetch(
            "SELECT id::text, node_id::text, principal_kind, CASE WHEN principal_kind <> 'everyone' THEN principal_id::text END, role"
            " FROM sharing_permission"
        )
        if row[1] in nodes
    }
    rows = fetch(
        "SELECT id::text, kind, parent_id::text, name, revision, version_id::text, size_bytes, content_hash, media_type,"
        " client_modified_at, trashed_at IS NOT NULL, file_rules, lock"
        " FROM files_node"
    )
    rows = [(*row[:-2], _without_setter(row[-2]), row[-1] and json.loads(row[-1])) for row in rows]
    versions = {
        row[0]: {
            "size_bytes": row[1],
            "label": row[2],
            "pinned": row[3],
            **dict(zip(_VERSION_FACTS, row[4:], strict=True)),
        }
        for row in fetch(
            "SELECT id::text, size_bytes, label, pinned, made_on, restored_from_id::text FROM files_version"
        )
    }
    assert versions == {key: version for node in nodes.values() for key, version in node.pop("versions", {}).items()}
    for node in nodes.values():
        told_at = node["client_modified_at"]
        node["client_modified_at"] = told_at and datetime.fromisoformat(told_at)
    assert nodes == {
        row[0]: {"kind": ("folder", "file")[row[1]], **dict(zip(_FOLDED, row[2:], strict=True))} for row in rows
    }


_VERSION_FACTS = ("made_on", "restored_from_id")
_FOLDED = (
    "parent_id",
    "name",
    "revision",
    "version_id",
    "size_bytes",
    "content_hash",
    "media_type",
    "client_modified_at",
    "trashed",
    "rules",
    "lock",
)
_EMPTY = {
    "version_id": None,
    "size_bytes": 0,
    "content_hash": "",
    "media_type": "",
    "client_modified_at": None,
    "trashed": False,
    "rules": None,
    "lock": None,
}


def _take(told, *fields):
    return {field: told[field] for field in fields}


def _fold_created(nodes, told):
    nodes[told["node_id"]] = {"kind": "folder", **_EMPTY, **_take(told, "parent_id", "name", "revision")}


def _fold_committed(nodes, told):
    assert told["node_created"] is (told["node_id"] not in nodes)
    assert told["previous_version_id"] == nodes.get(told["node_id"], _EMPTY)["version_id"]
    versions = nodes.get(told["node_id"], {"versions": {}})["versions"]
    lock = nodes.get(told["node_id"], _EMPTY)["lock"]
    versions[told["version_id"]] = {"label": "", "pinned": False, **_take(told, "size_bytes", *_VERSION_FACTS)}
    nodes[told["node_id"]] = {
        "kind": "file",
        "trashed": False,
        "rules": None,
        "lock": lock,
        "versions": versions,
        **_take(told, "parent_id", "name", "revision", "version_id", "size_bytes", "content_hash"),
        **_take(told, "media_type", "client_modified_at"),
    }


def _fold_moved(nodes, told):
    node = nodes[told["node_id"]]
    assert (node["parent_id"], node["name"]) == (told["old_parent_id"], told["old_name"])
    node.update(_take(told, "parent_id", "name", "revision"))
    _fold_what_is_said(node, told)


def _fold_what_is_said(node, told):
    node.update({name: told[name] for name in ("media_type", "client_modified_at") if told.get(name) is not None})


def _fold_changed(nodes, told):
    node = nodes[told["node_id"]]
    assert node["parent_id"] == told["parent_id"]
    node.update(_take(told, "revision", "client_modified_at"))


def _fold_locked(nodes, told):
    node = nodes[told["node_id"]]
    assert (node["parent_id"], node["trashed"]) == (told["parent_id"], False)
    facts = _take(told, "holder_id", "holder_name", "device", "locked_at", "expires_at")
    node.update(revision=told["revision"], lock={**facts, "reason": told["stated_reason"]})


def _fold_unlocked(nodes, told):
    node = nodes[told["node_id"]]
    assert node["lock"]["holder_id"] == told["holder_id"]
    node.update(revision=told["revision"], lock=None)


def _fold_rules(nodes, told):
    rules = _take(told, "types", "extensions", "largest_bytes")
    nodes[told["node_id"]]["rules"] = None if rules["types"] == "all" and rules["largest_bytes"] is None else rules


def _without_setter(stored):
    return stored and {key: value for key, value in json.loads(stored).items() if not key.startswith("set_")}


def _fold_trashed(nodes, told):
    node = nodes[told["node_id"]]
    assert node["parent_id"] == told["old_parent_id"]
    node.update(parent_id=None, trashed=True, revision=told["revision"])


def _fold_restored(nodes, told):
    nodes[told["node_id"]].update(trashed=False, **_take(told, "parent_id", "name", "revision"))
    _fold_what_is_said(nodes[told["node_id"]], told)


def _fold_purged(nodes, told):
    for node_id in told["purged_node_ids"]:
        del nodes[node_id]
    assert told["is_last"] is (told["node_id"] not in nodes)


def _fold_described(nodes, told):
    nodes[told["node_id"]]["versions"][told["version_id"]].update(_take(told, "label", "pinned"))


def _fold_versions_deleted(nodes, told):
    node = nodes[told["node_id"]]
    assert node["version_id"] not in told["version_ids"]
    gone = [node["versions"].pop(version_id) for version_id in told["version_ids"]]
    assert sum(version["size_bytes"] for version in gone) == told["size_bytes"]


def _fold_granted(shares, told):
    assert told["share_id"] not in shares
    _fold_share(shares, told)


def _fold_share(shares, told):
    shares[told["share_id"]] = tuple(_take(told, "node_id", "principal_kind", "principal_id", "role").values())


def _fold_revoked(shares, told):
    del shares[told["share_id"]]


_FOLD_SHARES = {
    "sharing.share.granted.v1": _fold_granted,
    "sharing.share.changed.v1": _fold_share,
    "sharing.share.revoked.v1": _fold_revoked,
    "sharing.share.expired.v1": _fold_revoked,
}
_FOLD_LEFTS = {"sharing.share.left.v1": set.add, "sharing.share.rejoined.v1": set.remove}
_FOLD = {
    "files.folder.created.v1": _fold_created,
    "files.version.committed.v1": _fold_committed,
    "files.version.described.v1": _fold_described,
    "files.version.deleted.v1": _fold_versions_deleted,
    "files.node.moved.v1": _fold_moved,
    "files.node.changed.v1": _fold_changed,
    "files.node.locked.v1": _fold_locked,
    "files.node.unlocked.v1": _fold_unlocked,
    "files.rules.changed.v1": _fold_rules,
    "files.node.trashed.v1": _fold_trashed,
    "files.node.restored.v1": _fold_restored,
    "files.node.purged.v1": _fold_purged,
}
EVERY_KIND = set(_FOLD)


def live_a_little(tree, chance, steps, *, locks=False):
    """Do things at random, as people would who do not look first; whatever is refused is refused."""
    for _ in range(steps):
        try:
            do_something(tree, chance, locks=locks)
        except (Conflict, Invalid, Locked, PreconditionFailed, NotFound, Forbidden):
            continue


def do_something(tree, chance, *, locks=True):
    """Do one thing at random."""
    nodes = fetch("SELECT id, revision, version_id FROM files_node ORDER BY id")
    node_id, revision, version_id = chance.choice(nodes)
    target_id = chance.choice(nodes)[0]
    content = b"%d" % chance.randrange(3)
    moment = chance.choice([None, datetime(2001, 2, 3, 4, chance.randrange(60), tzinfo=UTC)])
    match chance.randrange(21 if locks else 18):
        case 18 | 19 | 20:
            _do_something_with_locks(tree, chance, node_id)
        case 12 | 15 | 16 | 17:
            _do_something_with_versions(tree, chance)
        case 13 | 14:
            tree.file(f"a{chance.randrange(5)}.txt", target_id, b"%d" % chance.randrange(9), mode="overwrite")
        case 0 | 1:
            tree.folder(f"f{chance.randrange(5)}", node_id)
        case 2:
            tree.file(f"a{chance.randrange(5)}.txt", node_id, content, mode="overwrite")
        case 11:
            moment = datetime(2002, 2, 3, 4, chance.randrange(60), tzinfo=UTC)
            files.update_node(actor=tree.actor, node_id=node_id, client_modified_at=moment, expected_revision="any")
        case 10:
            files.update_node(
                actor=tree.actor,
                node_id=node_id,
                name=chance.choice([None, "a1.md", "a1.txt"]),
                client_modified_at=moment,
                expected_revision="any",
            )
        case 3:
            tree.commit(
                tree.grant("u", node_id, mode="update", node_id=node_id, base_version_id=version_id),
                content,
                client_modified_at=moment,
            )
        case 4 | 5:
            files.update_node(actor=tree.actor, node_id=node_id, parent_id=target_id, expected_revision=revision)
        case 6:
            files.update_node(
                actor=tree.actor, node_id=node_id, name=f"n{chance.randrange(9)}", expected_revision="any"
            )
        case 7:
            files.trash_node(actor=tree.actor, node_id=node_id)
        case _:
            _do_something_in_the_trash(tree, chance)


def _do_something_with_versions(tree, chance):
    known = fetch("SELECT node_id, id FROM files_version ORDER BY id")
    if not known:
        return
    node_id, version_id = chance.choice(known)
    which = {"actor": tree.actor, "node_id": node_id, "version_id": version_id}
    match chance.randrange(4):
        case 0:
            files.update_version(
                **which, label=chance.choice([None, "", "good"]), pinned=chance.choice([None, True, False])
            )
        case 1 | 2:
            files.restore_version(**which, restore_id=UUID(int=chance.getrandbits(128), version=4), made_on="laptop")
        case 3:
            files.delete_version(**which)


def _do_something_with_locks(tree, chance, node_id):
    if chance.random() < 0.35:
        limit = chance.choice([None, 10**9])
        rules.set_rules(actor=tree.actor, node_id=node_id, largest_bytes=limit, extensions=["exe"])
    elif chance.random() < 0.6:
        files.lock_node(actor=tree.actor, node_id=node_id, reason=chance.choice([None, "", "at work"]))
    else:
        files.unlock_node(actor=tree.actor, node_id=node_id)


def _do_something_in_the_trash(tree, chance):
    trash = files.list_trash(actor=tree.actor).items
    if not trash:
        return
    item = chance.choice(trash)
    if chance.random() < 0.6:
        files.restore_node(actor=tree.actor, node_id=item.id, on_conflict=chance.choice(["fail", "rename"]))
    else:
        files.purge_node(actor=tree.actor, node_id=item.id)


def last_seq():
    return fetch("SELECT coalesce(max(seq), 0) FROM public.events_stream_event")[0][0]


class Tree:
    """One person's tree, spoken to by the doors."""

    def __init__(self, actor):
        self.actor = actor
        self.root = files.ensure_personal_root(actor=actor)

    def folder(self, name, parent=None, **more):
        return files.create_folder(actor=self.actor, parent_id=_id(parent or self.root), name=name, **more)

    def folders(self, path):
        """Make nested folders: `a/b/c`; returns the innermost."""
        parent = self.root
        for name in path.split("/"):
            parent = self.folder(name, parent)
        return parent

    def grant(self, name, parent=None, *, size_bytes=3, **more):
        return files.authorise_upload(
            actor=self.actor, parent_id=_id(parent or self.root), name=name, size_bytes=size_bytes, **more
        )

    def commit(self, grant, content=b"abc", *, upload_id=None, actor=None, **more):
        return files.commit_upload(
            actor=actor or self.actor,
            upload_id=upload_id or uuid4(),
            grant=grant,
            blob_id=more.pop("blob_id", None) or uuid4(),
            size_bytes=len(content),
            content_hash=hash_of(content),
            media_type=more.pop("media_type", "text/plain"),
            **more,
        )

    def file(self, name, parent=None, content=b"abc", **more):
        return self.commit(self.grant(name, parent, size_bytes=len(content), **more), content).node

    def write(self, node, content, **more):
        """Another version of a file, from its current one."""
        grant = self.grant(node.name, node.parent_id, mode="update", node_id=node.id, base_version_id=node.version_id)
        return self.commit(grant, content, **more)

    def update(self, node, **more):
        more.setdefault("expected_revision", node.revision)
        return files.update_node(actor=self.actor, node_id=node.id, **more)

    def trash(self, node):
        files.trash_node(actor=self.actor, node_id=node.id)

    def restore(self, node, **more):
        return files.restore_node(actor=self.actor, node_id=node.id, **more)

    def get(self, node):
        return files.get_node(actor=self.actor, node_id=_id(node))

    def names(self, parent=None, **more):
        return [
            item.name for item in files.list_children(actor=self.actor, node_id=_id(parent or self.root), **more).items
        ]


def _id(node):
    return node if isinstance(node, UUID | str) else node.id


def hash_of(content):
    return hashlib.sha256(hashlib.sha256(content).digest()).hexdigest()


@pytest.fixture
def tree(tenant, actor):
    return Tree(actor)


@pytest.fixture
def counted_queries(lasting_memory):
    """Count the statements inside the block, those that begin and end transactions left out."""

    @contextmanager
    def counting():
        with CaptureQueriesContext(connection) as captured:
            statements = []
            yield statements
        quiet = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")
        # What is said before the first statement of a transaction travels with it, and counts as a statement all the same. The last
        # statement of a transaction inside a test's own resets the role; a real one ends by itself.
        for query in captured.captured_queries:
            said = (
                query["sql"].split("; ", 1)
                if query["sql"].startswith("SELECT set_config('search_path'")
                else [query["sql"]]
            )
            statements += [sql for sql in said if not sql.startswith(quiet) and "set_config('role', 'none'" not in sql]

    return counting
