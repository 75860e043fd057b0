"""Attempts as plain rows: every upload passes here twice, and building model instances would be a tenth of its cost."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

import msgspec
from django.db import connection

from apps.storage import parts
from bitvault.kernel import db


@dataclass(slots=True)
class Attempt:
    """A row of ``storage_multipart_upload``; the model tells what its columns mean."""

    id: UUID
    user_id: UUID
    state: str
    size_bytes: int
    part_size_bytes: int
    part_count: int
    part_hashes: bytes
    resigned: dict[str, str]
    media_type: str
    destination: dict[str, Any]
    client_modified_at: datetime | None
    store_upload_id: str
    base_blob_id: UUID | None
    known_blob_id: UUID | None
    blob_id: UUID | None
    completion: dict[str, Any] | None
    store_id: UUID | None
    boot_id: UUID | None
    has_strays: bool
    created_at: datetime
    expires_at: datetime
    sweep_at: datetime
    swept_at: datetime | None

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Self:
        """Make it of a fetched row, whose columns are ``COLUMNS``."""
        attempt = cls(*row)
        attempt.part_hashes = bytes(attempt.part_hashes)
        attempt.resigned = msgspec.json.decode(row[_RESIGNED])
        attempt.destination = msgspec.json.decode(row[_DESTINATION])
        if row[_COMPLETION] is not None:
            attempt.completion = msgspec.json.decode(row[_COMPLETION])
        return attempt

    @property
    def is_handed_over(self) -> bool:
        """Whether a worker has it to complete, so that it takes no more parts."""
        return self.blob_id is None and "handed_at" in (self.completion or {})

    @property
    def layout(self) -> parts.Layout:
        """How the attempt's file is cut: as it was when it began, whatever the rule is now."""
        return parts.Layout(self.size_bytes, self.part_size_bytes, self.part_count)


_NAMES = [field.name for field in fields(Attempt)]
_RESIGNED, _DESTINATION = _NAMES.index("resigned"), _NAMES.index("destination")
_COMPLETION = _NAMES.index("completion")

COLUMNS = ", ".join(_NAMES)

_INSERT = f"INSERT INTO storage_multipart_upload ({COLUMNS}) VALUES ({', '.join(['%s'] * len(_NAMES))})"
_FIND = f"SELECT {COLUMNS} FROM storage_multipart_upload WHERE id = %(id)s"
_FIND_MANY = f"SELECT {COLUMNS} FROM storage_multipart_upload WHERE id = ANY(%s::uuid[])"
_DUE = f"""
SELECT {COLUMNS} FROM storage_multipart_upload WHERE sweep_at <= %s AND swept_at IS NULL AND (sweep_at, id) > (%s, %s)
ORDER BY sweep_at, id LIMIT %s
"""
_FORGET = """
DELETE FROM storage_multipart_upload WHERE id IN (
    SELECT id FROM storage_multipart_upload WHERE sweep_at <= %s AND swept_at IS NOT NULL LIMIT %s
)
"""
# A condemned one too: Files asks for what a version holds, and as long as the object is there it is given.
_READABLE_KEY = """
SELECT key, scan_state, store_id FROM storage_blob WHERE id = %(id)s AND state IN ('pending', 'live', 'condemned') AND damaged_at IS NULL
"""


def insert(attempt: Attempt) -> None:
    """Write the row of a new attempt."""
    with db.prepared_cursor() as cursor:
        cursor.execute(_INSERT, _values_of(attempt))


def insert_last(attempt: Attempt, tx: db.Transaction) -> None:
    """Write the row of a new attempt as the last statement of a transaction."""
    tx.run_last(_INSERT, _values_of(attempt))


def _values_of(attempt: Attempt) -> list[Any]:
    values = [getattr(attempt, name) for name in _NAMES]
    values[_RESIGNED] = msgspec.json.encode(attempt.resigned).decode()
    values[_DESTINATION] = msgspec.json.encode(attempt.destination).decode()
    values[_COMPLETION] = attempt.completion and msgspec.json.encode(attempt.completion).decode()
    return values


def find(upload_id: UUID, *, lock: bool = False) -> Attempt | None:
    """Read an attempt, and hold its row if it is to change."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_FIND} FOR UPDATE" if lock else _FIND, {"id": upload_id})
        row = cursor.fetchone()
    return None if row is None else Attempt.of(row)


def find_many(upload_ids: Sequence[UUID]) -> dict[UUID, Attempt]:
    """Read attempts (inside a transaction); unknown ones are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_MANY, [list(upload_ids)])
        return {attempt.id: attempt for attempt in map(Attempt.of, cursor.fetchall())}


def find_alone(upload_id: UUID) -> Attempt | None:
    """Read an attempt in a transaction of its own."""
    found = db.read_alone(_FIND, {"id": upload_id})
    return Attempt.of(found[0]) if found else None


_BEGINNING = datetime.fromtimestamp(0, UTC)


def list_due(now: datetime, limit: int, *, behind: Attempt | None = None) -> list[Attempt]:
    """Read the attempts that the sweeper has to look at, the longest due first: the first ones, or those behind one."""
    position = (_BEGINNING, UUID(int=0)) if behind is None else (behind.sweep_at, behind.id)
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [now, *position, limit])
        return [Attempt.of(row) for row in cursor.fetchall()]


def forget_old(now: datetime, limit: int) -> int:
    """Delete the rows of attempts that ended long ago; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [now, limit])
        return int(cursor.rowcount)


def find_readable_key(blob_id: UUID) -> tuple[str, str, UUID | None] | None:
    """Find the key of a blob whose bytes are there, what scanning says of them, and the store that they lie in.

    ``pending`` is such a state: a version may name it before the attempt's last step.
    """
    found = db.read_alone(_READABLE_KEY, {"id": blob_id})
    return (str(found[0][0]), str(found[0][1]), found[0][2]) if found else None
