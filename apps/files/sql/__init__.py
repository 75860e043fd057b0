"""SQL that the ORM cannot say, or says too slowly, each in the room of what it is about; everything else of files is a queryset.

Three reasons put a statement here: it walks the tree (``WITH RECURSIVE``), it changes several tables or counters as one fact in one round
trip under the tree lock, or it is a page of a long list whose plan has to stay an index scan at any depth. What each has measured is told
in its module; ``tests/apps/files/test_plans.py`` looks at the plans, ``test_locked_writes.py`` and ``test_retention_writes.py`` know
every statement that writes.
"""

COLUMNS = (
    "id, kind, parent_id, owner_user_id, is_team_folder, name, revision, version_id, size_bytes, media_type, content_hash, created_at, "
    "modified_at, client_modified_at, created_by, trashed_at, child_count, levels_below_bound, path_bytes_below_bound, lock, "
    "file_rules"
)


def columns_of(table: str) -> str:
    """Give ``COLUMNS`` of a table."""
    return ", ".join(f"{table}.{column}" for column in COLUMNS.split(", "))
