"""Writes of one node: the row, what it hangs from and the counters above it in one statement, so that the tree lock is held for one round
trip, and a name is judged with the write that takes it.
"""

from apps.files.sql import COLUMNS

COUNTED = """
    UPDATE files_node SET
        child_count = child_count + above.added,
        levels_below_bound = greatest(levels_below_bound, above.levels),
        path_bytes_below_bound = greatest(path_bytes_below_bound, above.path_bytes)
    FROM unnest(%(above_ids)s::uuid[], %(above_added)s::int[], %(above_levels)s::int[], %(above_path_bytes)s::int[])
        AS above(id, added, levels, path_bytes)
    WHERE files_node.id = above.id
"""

COUNTED_ALONE = COUNTED.strip()

_NODE_VALUES = """
    INSERT INTO files_node (
        id, kind, parent_id, owner_user_id, is_team_folder, name, name_key, key_version, sort_key, revision, version_id, size_bytes,
        media_type, content_hash, created_at, modified_at, client_modified_at, created_by,
        trashed_at, child_count, levels_below_bound, path_bytes_below_bound
    ) VALUES (
        %(id)s, %(kind)s, %(parent_id)s, %(owner_user_id)s, %(is_team_folder)s, %(name)s, %(name_key)s, %(key_version)s, %(sort_key)s, 1,
        %(version_id)s, %(size_bytes)s, %(media_type)s, %(content_hash)s, %(now)s, %(now)s, %(client_modified_at)s,
        %(created_by)s, NULL, 0, 0, 0
    )
"""

INSERT_ROOT = f"{_NODE_VALUES} ON CONFLICT (owner_user_id) DO NOTHING RETURNING {COLUMNS}"

INSERT_TEAM_FOLDER = f"{_NODE_VALUES} RETURNING {COLUMNS}"

INSERT_FOLDER = f"""
WITH made AS ({_NODE_VALUES} ON CONFLICT (parent_id, name_key) DO NOTHING RETURNING {COLUMNS}),
counted AS ({COUNTED} AND EXISTS (SELECT FROM made))
SELECT {COLUMNS} FROM made
"""

VERSION_COLUMNS = (
    "id, node_id, blob_id, upload_id, size_bytes, content_hash, media_type, created_at, created_by, client_modified_at, "
    "base_version_id, made_on, restored_from_id"
)

VERSION_VALUES = (
    "%(version_id)s, %(id)s, %(blob_id)s, %(upload_id)s, %(size_bytes)s, %(content_hash)s, %(media_type)s, %(now)s, %(created_by)s, "
    "%(client_modified_at)s, %(base_version_id)s, %(made_on)s, %(restored_from_id)s"
)

INSERT_FILE = f"""
WITH made AS ({_NODE_VALUES} ON CONFLICT (parent_id, name_key) DO NOTHING RETURNING {COLUMNS}),
versioned AS (INSERT INTO files_version ({VERSION_COLUMNS}) SELECT {VERSION_VALUES} FROM made),
counted AS ({COUNTED} AND EXISTS (SELECT FROM made))
SELECT {COLUMNS} FROM made
"""

WRITE_VERSION = f"""
WITH changed AS (
    UPDATE files_node SET
        version_id = %(version_id)s, size_bytes = %(size_bytes)s, media_type = %(media_type)s, content_hash = %(content_hash)s,
        modified_at = %(now)s, client_modified_at = %(client_modified_at)s, revision = revision + 1
    WHERE id = %(id)s
    RETURNING {COLUMNS}
),
versioned AS (INSERT INTO files_version ({VERSION_COLUMNS}) SELECT {VERSION_VALUES} FROM changed)
SELECT {COLUMNS} FROM changed
"""

# Once more the name is judged with the write, and the revision too: a content commit takes only its row, not the tree lock.
MOVE = f"""
WITH moved AS (
    UPDATE files_node SET
        parent_id = %(parent_id)s, name = %(name)s, name_key = %(name_key)s, key_version = %(key_version)s, sort_key = %(sort_key)s,
        media_type = CASE WHEN media_type = %(old_media_type)s THEN %(media_type)s ELSE media_type END,
        client_modified_at = coalesce(%(client_modified_at)s::timestamptz, client_modified_at),
        levels_below_bound = %(levels_below)s, path_bytes_below_bound = %(path_bytes_below)s, revision = revision + 1
    WHERE id = %(id)s AND (%(revision)s::bigint IS NULL OR revision = %(revision)s) AND NOT EXISTS (
        SELECT FROM files_node sibling
        WHERE sibling.parent_id = %(parent_id)s AND sibling.name_key = %(name_key)s AND sibling.id <> %(id)s
    )
    RETURNING {COLUMNS}
),
stays AS (DELETE FROM files_displaced WHERE node_id IN (SELECT id FROM moved)),
counted AS ({COUNTED} AND EXISTS (SELECT FROM moved))
SELECT {COLUMNS} FROM moved
"""

SET_TIME = f"""
UPDATE files_node SET client_modified_at = %(client_modified_at)s, revision = revision + 1
WHERE id = %(id)s AND (%(revision)s::bigint IS NULL OR revision = %(revision)s) RETURNING {COLUMNS}
"""

TRASH = f"""
WITH trashed AS (
    UPDATE files_node SET parent_id = NULL, trashed_at = %(now)s, revision = revision + 1
    WHERE id = %(id)s AND (%(revision)s::bigint IS NULL OR revision = %(revision)s)
    RETURNING {COLUMNS}
),
kept AS (
    INSERT INTO files_trash (
        node_id, root_id, origin_parent_id, origin_ids, origin_path, trashed_by, trashed_at, expires_at, purging, purged_bytes
    )
    SELECT id, %(root_id)s, %(origin_parent_id)s, %(origin_ids)s, %(origin_path)s, %(trashed_by)s, %(now)s, %(expires_at)s, false, 0
    FROM trashed
),
stays AS (DELETE FROM files_displaced WHERE node_id IN (SELECT id FROM trashed)),
counted AS ({COUNTED} AND EXISTS (SELECT FROM trashed))
SELECT {COLUMNS} FROM trashed
"""

RESTORE = f"""
WITH restored AS (
    UPDATE files_node SET
        parent_id = %(parent_id)s, trashed_at = NULL, name = %(name)s, name_key = %(name_key)s, key_version = %(key_version)s,
        sort_key = %(sort_key)s, media_type = %(media_type)s,
        levels_below_bound = %(levels_below)s, path_bytes_below_bound = %(path_bytes_below)s,
        revision = revision + 1
    WHERE id = %(id)s
        AND NOT EXISTS (SELECT FROM files_node sibling WHERE sibling.parent_id = %(parent_id)s AND sibling.name_key = %(name_key)s)
    RETURNING {COLUMNS}
),
dropped AS (DELETE FROM files_trash WHERE node_id IN (SELECT id FROM restored)),
counted AS ({COUNTED} AND EXISTS (SELECT FROM restored))
SELECT {COLUMNS} FROM restored
"""

HAND_OVER = f"""
WITH moved AS (
    UPDATE files_node SET
        owner_user_id = NULL, parent_id = %(parent_id)s, name = %(name)s, name_key = %(name_key)s, key_version = %(key_version)s,
        sort_key = %(sort_key)s, revision = revision + 1
    WHERE id = %(id)s AND NOT EXISTS (
        SELECT FROM files_node sibling WHERE sibling.parent_id = %(parent_id)s AND sibling.name_key = %(name_key)s
    )
    RETURNING {COLUMNS}
),
counted AS ({COUNTED} AND EXISTS (SELECT FROM moved))
SELECT {COLUMNS} FROM moved
"""
