"""No way around a hold: every statement that deletes nodes and versions, marks a purge or gives a node another place is known here."""

import re
from pathlib import Path

from apps.files import api as files

FILES = Path(files.__file__).parents[1]

_FORBIDDEN = {
    "deletes": r"DELETE FROM files_(?:node|version)\b|\bversion\.delete\(\)|\b(?:Node|Version)\.objects\b[^\n]*\.delete\(",
    "marks": r"SET purging = true|purging=True, purged_by=",
}

KNOWN = {
    "sql/trash.py": {"deletes": 2},  # DELETE deletes what is marked
    "operations/purging.py": {"marks": 1},  # _mark, before which mark_one and _mark_free judge
    "operations/versions.py": {
        "deletes": 1
    },  # _delete, before which delete asks require_version_free, and expire find_kept_moments
    "sql/nodes.py": {
        "places": 3
    },  # MOVE and RESTORE: write_move and write_restore carry; HAND_OVER: a root lies in nothing
    "rewinding/sql.py": {"places": 1},  # PLACE: _write_places carries
}


def test_every_statement_that_deletes_marks_or_places_is_known():
    found: dict[str, dict[str, int]] = {}
    for path in FILES.rglob("*.py"):
        if "migrations" in path.parts:
            continue
        # What follows SET says what changes; conditions compare.
        changes = re.findall(r"UPDATE files_node SET(.*?)(?:WHERE|FROM|RETURNING|$)", path.read_text(), re.DOTALL)
        source = path.read_text()
        counts = {
            "deletes": len(re.findall(_FORBIDDEN["deletes"], source)),
            "marks": len(re.findall(_FORBIDDEN["marks"], source)),
            "places": sum("parent_id = %(" in one or "parent_id = told" in one for one in changes),
        }
        if any(counts.values()):
            found[path.relative_to(FILES).as_posix()] = {what: count for what, count in counts.items() if count}
    assert found == KNOWN


def test_whoever_places_or_marks_asks_retention_first():
    for path, *all_asked in (
        ("operations/structure.py", "retaining.carry("),
        ("operations/trash.py", "retaining.carry("),
        ("rewinding/writing.py", "retaining.carry("),
        ("operations/versions.py", "retaining.require_version_free(", "retaining.find_kept_moments("),
        ("operations/purging.py", "retaining.find_trash_keepers("),
    ):
        source = (FILES / path).read_text()
        assert all(asked in source for asked in all_asked), path
