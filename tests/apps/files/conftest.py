"""What tests of files and folders stand on: short ways to put things into a tree, and eyes that look behind the doors."""

import hashlib
from contextlib import contextmanager
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.files import api as files
from bitvault.kernel import db

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
    assert {what: fetch(sql)[0][0] for what, sql in CHECKS.items()} == dict.fromkeys(CHECKS, 0)


def events(after=0):
    """The tenant's stream as (type, payload), oldest first."""
    return [
        (kind, payload if isinstance(payload, dict) else __import__("json").loads(payload))
        for kind, payload in fetch(
            "SELECT type, payload FROM public.events_stream_event WHERE seq > %s ORDER BY seq", [after]
        )
    ]


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
            media_type="text/plain",
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
def counted_queries():
    """Count the statements inside the block, those that begin and end transactions left out."""

    @contextmanager
    def counting():
        with CaptureQueriesContext(connection) as captured:
            statements = []
            yield statements
        quiet = ("SAVEPOINT", "RELEASE", "BEGIN", "COMMIT", "ROLLBACK")
        # The last statement of a transaction inside a test's own resets the role; a real one ends by itself.
        statements += [
            query["sql"]
            for query in captured.captured_queries
            if not query["sql"].startswith(quiet) and "set_config('role', 'none'" not in query["sql"]
        ]

    return counting
