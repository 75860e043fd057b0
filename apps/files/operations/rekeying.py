"""Keys of names after the functions that make them have changed: brought up to the code in small steps, while people work.

Whoever runs this may be killed anywhere: each step is a transaction, and what it has written says so itself.
"""

import time
from typing import Any

from apps.files import limits
from apps.files.rows import fetch_page
from apps.files.sql.names import REKEY, REKEY_DUE
from bitvault.kernel import db, names


def compute(rows: list[tuple[Any, str]]) -> dict[str, Any]:
    """Give what ``REKEY`` needs for nodes as (id, name)."""
    return {
        "ids": [node_id for node_id, _ in rows],
        "names": [name for _, name in rows],
        "sort_keys": [names.sort_key_of(name) for _, name in rows],
        "key_version": names.KEY_VERSION,
    }


def rekey(*, seconds: float) -> int:
    """Bring the keys of the entered tenant's names up to the code, for so long at most; returns how many were written.

    ``name_key`` is left as it is: its function has not changed since the first version, and another one could meet a sibling's.
    """
    deadline = time.monotonic() + seconds
    count = 0
    while time.monotonic() < deadline:
        with db.read_transaction():
            # The version as a constant: then the index of what is left is one that the planner can use.
            rows = fetch_page(REKEY_DUE.format(version=names.KEY_VERSION), [limits.REKEY_BATCH])
        if not rows:
            break
        values = compute(rows)
        with db.write_transaction():
            fetch_page(f"{REKEY} RETURNING files_node.id", values)
        count += len(rows)
    return count
