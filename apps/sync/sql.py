"""Statements that are hand-written: the feed is asked by every device after every change, and the replica is a tree.

Each is recursive, or writes as many rows as a batch of events has in one statement, or is the one statement of an answer.
"""

from collections.abc import Sequence

# --- columns -------------------------------------------------------------------------------------------------------------------

_TYPES = {
    "node_id": "uuid",
    "parent_id": "uuid",
    "is_folder": "bool",
    "name": "text",
    "revision": "bigint",
    "size_bytes": "bigint",
    "media_type": "text",
    "content_hash": "text",
    "version_id": "uuid",
    "created_at": "timestamptz",
    "modified_at": "timestamptz",
    "client_modified_at": "timestamptz",
    "created_by": "uuid",
    "lock": "jsonb",
    "is_trashed": "bool",
}
COLUMNS = tuple(_TYPES)
"""Of the replica."""

STATE = ", ".join(name for name in COLUMNS if name != "is_trashed")
"""What a device is told of a node."""

NO_LOCK = "{}"
"""Told of a file whose lock is over; nothing told leaves it as it was."""

_CHANGING = ("name", "size_bytes", "media_type", "content_hash", "version_id", "modified_at", "is_trashed")
"""What an event about a known node says or leaves as it is. Its parent is said always: no parent is a place too."""

UPDATED_COLUMNS = ("node_id", "parent_id", "revision", "client_modified_at", "lock", *_CHANGING)


def _unnest(columns: Sequence[str]) -> str:
    return f"unnest({', '.join(f'%({name})s::{_TYPES[name]}[]' for name in columns)}) AS told({', '.join(columns)})"


# --- projecting: a batch of events is a handful of statements, of whatever number of nodes ------------------------------------

# Revisions rise with every change of a node, so what is known to be newer stays: an event applied again changes nothing.
INSERT_NODES = f"""
INSERT INTO sync_node ({", ".join(COLUMNS)})
SELECT {", ".join(COLUMNS).replace("lock", f"nullif(lock, '{NO_LOCK}'::jsonb)")} FROM {_unnest(COLUMNS)}
ON CONFLICT (node_id) DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])}
WHERE sync_node.revision < excluded.revision
"""

# Of content whose sender names no time, none is known: then the older one's does not stay.
UPDATE_NODES = f"""
UPDATE sync_node SET parent_id = told.parent_id, revision = told.revision,
    client_modified_at = CASE WHEN told.version_id IS NULL THEN coalesce(told.client_modified_at, sync_node.client_modified_at)
        ELSE told.client_modified_at END,
    {", ".join(f"{name} = coalesce(told.{name}, sync_node.{name})" for name in _CHANGING)},
    lock = nullif(coalesce(told.lock, sync_node.lock), '{NO_LOCK}'::jsonb)
FROM {_unnest(UPDATED_COLUMNS)}
WHERE sync_node.node_id = told.node_id AND sync_node.revision < told.revision
"""

# The way up is walked once for each parent, not for each node: a batch is often many files of few folders.
PATHS = """
WITH RECURSIVE told AS (
    SELECT node_id, coalesce(parent_id, node_id) AS begin_id FROM sync_node WHERE node_id = ANY(%(node_ids)s::uuid[])
),
way AS (
    SELECT begun.begin_id, node.parent_id, node.is_trashed, ARRAY[node.node_id] AS path
    FROM (SELECT DISTINCT begin_id FROM told) begun JOIN sync_node node ON node.node_id = begun.begin_id
    UNION ALL
    SELECT way.begin_id, above.parent_id, above.is_trashed, way.path || above.node_id
    FROM way JOIN sync_node above ON above.node_id = way.parent_id
)
SELECT told.node_id, CASE WHEN told.node_id = told.begin_id THEN way.path ELSE told.node_id || way.path END AS path
FROM told JOIN way ON way.begin_id = told.begin_id AND way.parent_id IS NULL AND NOT way.is_trashed
"""

# Topmost first, so that the rows of an event have the same order however the events are batched.
PLACES = f"""
SELECT node_id, path[cardinality(path)] AS root_id, ARRAY(
    SELECT shared.node_id FROM unnest(path[:cardinality(path) - 1]) WITH ORDINALITY AS above(node_id, place)
    JOIN sync_shared_node shared ON shared.node_id = above.node_id ORDER BY above.place DESC
) AS shared_ids
FROM ({PATHS}) AS placed
"""

# Whether it is live or not: what lies in the trash has left no shared node in it.
SHARED_ABOVE = """
WITH RECURSIVE way AS (
    SELECT node_id, parent_id FROM sync_node WHERE node_id = %s
    UNION ALL
    SELECT above.node_id, above.parent_id FROM way JOIN sync_node above ON above.node_id = way.parent_id
)
SELECT shared.node_id FROM way JOIN sync_shared_node shared ON shared.node_id = way.node_id ORDER BY shared.node_id
"""

# `bulk_create` took 2.6 times as long for the two hundred rows of a batch.
WRITE_JOURNAL = """
INSERT INTO sync_change_journal (seq, ordinal, node_id, root_id, old_root_id, happened_at)
SELECT * FROM unnest(%s::bigint[], %s::int[], %s::uuid[], %s::uuid[], %s::uuid[], %s::timestamptz[])
ON CONFLICT (seq, ordinal) DO NOTHING
"""

# Behind the rows of the top comes what hangs below it, parents first.
WRITE_JOURNAL_BELOW = """
WITH RECURSIVE below AS (
    SELECT node_id, 0 AS level FROM sync_node WHERE node_id = %(node_id)s
    UNION ALL
    SELECT child.node_id, below.level + 1 FROM below JOIN sync_node child ON child.parent_id = below.node_id
)
INSERT INTO sync_change_journal (seq, ordinal, node_id, root_id, old_root_id, happened_at)
SELECT %(seq)s, %(ordinal)s + row_number() OVER (ORDER BY level, node_id, place), node_id, entered.id, NULL, %(happened_at)s
FROM below CROSS JOIN unnest(%(entered)s::uuid[]) WITH ORDINALITY AS entered(id, place) WHERE level > 0
ON CONFLICT (seq, ordinal) DO NOTHING
"""

# --- reading: what a device asks for ----------------------------------------------------------------------------------------------

# One statement for each answer: whose device this is, and how far the feed has come, at the same instant.
STANDING = """
SELECT feed.epoch, feed.seq, feed.horizon, device.user_id
FROM sync_feed feed LEFT JOIN sync_device device ON device.id = %s AND device.ended_at IS NULL
"""

# For each scope the next rows after a position, by its own index: what others change elsewhere costs nothing here. What happened before a
# scope was told in one piece is none of its reader's business.
ENTRIES = """
SELECT DISTINCT entry.seq, entry.ordinal, entry.node_id
FROM unnest(%(scope_ids)s::uuid[], %(sinces)s::bigint[]) AS scope(id, since) CROSS JOIN LATERAL (
    (SELECT seq, ordinal, node_id FROM sync_change_journal
     WHERE root_id = scope.id AND (seq, ordinal) > (%(seq)s, %(ordinal)s) AND seq > scope.since AND seq <= %(head)s
     ORDER BY seq, ordinal LIMIT %(limit)s)
    UNION ALL
    (SELECT seq, ordinal, node_id FROM sync_change_journal
     WHERE old_root_id = scope.id AND (seq, ordinal) > (%(seq)s, %(ordinal)s) AND seq > scope.since AND seq <= %(head)s
     ORDER BY seq, ordinal LIMIT %(limit)s)
) AS entry
ORDER BY entry.seq, entry.ordinal LIMIT %(limit)s
"""

STATES = f"""
SELECT {", ".join("node." + column for column in STATE.split(", "))}, placed.path
FROM ({PATHS}) AS placed JOIN sync_node node ON node.node_id = placed.node_id
"""

# Ten thousand rows of a page: as tuples, without a model's instance for each.
ITEMS = f"""
SELECT ordinal, root_id, {STATE} FROM sync_snapshot_item WHERE snapshot_id = %s AND ordinal > %s ORDER BY ordinal LIMIT %s
"""

# Roots have rows of the journal whoever shares them, and so has every node that was shared once. What lies in the trash leads nowhere.
SCOPE_PATHS = """
WITH RECURSIVE way AS (
    SELECT node.node_id AS given_id, node.parent_id, node.is_trashed, ARRAY[node.node_id] AS path, coalesce(shared.seq, 0) AS shared_seq
    FROM sync_node node LEFT JOIN sync_shared_node shared ON shared.node_id = node.node_id
    WHERE node.node_id = ANY(%(node_ids)s::uuid[]) AND (node.parent_id IS NULL OR shared.seq IS NOT NULL)
    UNION ALL
    SELECT way.given_id, above.parent_id, above.is_trashed, way.path || above.node_id, way.shared_seq
    FROM way JOIN sync_node above ON above.node_id = way.parent_id
)
SELECT given_id, path, shared_seq FROM way WHERE parent_id IS NULL AND NOT is_trashed
"""

# --- snapshots --------------------------------------------------------------------------------------------------------------------

# One statement sees one instant: the projector moves replica and feed in the same transaction. What lies above a scope is not told.
MAKE_SNAPSHOT = f"""
WITH RECURSIVE made AS (
    INSERT INTO sync_snapshot (
        id, device_id, scope, epoch, seq, root_ids, masks, inner_ids, inner_masks, made_for, created_at, last_used_at
    )
    SELECT %(id)s, %(device_id)s, %(scope)s, epoch, seq, %(root_ids)s::uuid[], %(masks)s::smallint[], %(inner_ids)s::uuid[],
        %(inner_masks)s::smallint[], %(made_for)s, %(now)s, %(now)s
    FROM sync_feed
),
tree AS (
    SELECT {STATE.replace("parent_id", "NULL::uuid AS parent_id")}, node_id AS root_id, 0 AS level
    FROM sync_node WHERE node_id = ANY(%(root_ids)s::uuid[]) AND NOT is_trashed
    UNION ALL
    SELECT {", ".join("child." + column for column in STATE.split(", "))},
        CASE WHEN child.node_id = ANY(%(inner_ids)s::uuid[]) THEN child.node_id ELSE tree.root_id END, tree.level + 1
    FROM tree JOIN sync_node child ON child.parent_id = tree.node_id
)
INSERT INTO sync_snapshot_item (snapshot_id, ordinal, root_id, {STATE})
SELECT %(id)s, row_number() OVER (ORDER BY level, node_id), root_id, {STATE} FROM tree
"""

# Level by level, until the limit is reached: a tree of millions costs as much as one of the limit.
COUNT_NODES = """
WITH RECURSIVE tree AS (
    SELECT node_id FROM sync_node WHERE node_id = ANY(%(root_ids)s::uuid[]) AND NOT is_trashed
    UNION ALL
    SELECT child.node_id FROM tree JOIN sync_node child ON child.parent_id = tree.node_id
)
SELECT count(*) FROM (SELECT FROM tree LIMIT %(limit)s) AS counted
"""

# --- rebuilding, and conflicts -----------------------------------------------------------------------------------------------------

SWAP_REPLICA = f"""
INSERT INTO sync_node ({", ".join(COLUMNS)}) SELECT {", ".join(COLUMNS)} FROM sync_rebuilt_node
"""

_PATHS_OF_OPEN = PATHS.replace(
    "ANY(%(node_ids)s::uuid[])", "ANY(ARRAY(SELECT node_id FROM sync_conflict WHERE resolved_at IS NULL))"
)

# A copy that lies in the trash is settled for as long as it lies there.
OPEN_CONFLICTS = f"""
SELECT conflict.node_id, conflict.original_id, conflict.made_by, device.name, conflict.opened_at
FROM ({_PATHS_OF_OPEN}) AS placed JOIN sync_conflict conflict ON conflict.node_id = placed.node_id
LEFT JOIN sync_device device ON device.id = conflict.device_id
WHERE placed.path && %(scope_ids)s::uuid[] AND conflict.node_id < coalesce(%(before)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
ORDER BY conflict.node_id DESC LIMIT %(limit)s
"""
