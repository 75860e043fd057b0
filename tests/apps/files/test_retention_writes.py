"""No way around a hold: every statement that deletes nodes and versions, marks a purge or gives a node another place is known here."""

import re
from pathlib import Path

from apps.files import api as files

FILES = Path(files.__file__).parents[1]

_FORBIDDEN = {
    "deletes": r"DELETE FROM files_(?:node|version)\b|\bversion\.delete\(\)",
    "marks": r"SET purging = true",
}

KNOWN = {
    "operations/purging.py": {
        "deletes": 2,
        "marks": 1,
    },  # _DELETE deletes what is marked, and _mark_free and mark_one judge first
    "operations/versions.py": {"deletes": 1},  # delete, which asks require_version_free
    "operations/structure.py": {"places": 1},  # _MOVE: write_move carries
    "operations/trash.py": {"places": 1},  # _RESTORE: write_restore carries
    "rewinding/writing.py": {"places": 1},  # _PLACE: _write_places carries
    "operations/handing_over.py": {"places": 1},  # a root lies in nothing that could cover it
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
    for path, asked in {
        "operations/structure.py": "retaining.carry(",
        "operations/trash.py": "retaining.carry(",
        "rewinding/writing.py": "retaining.carry(",
        "operations/versions.py": "retaining.require_version_free(",
        "operations/purging.py": "retaining.find_trash_keepers(",
    }.items():
        assert asked in (FILES / path).read_text(), path
