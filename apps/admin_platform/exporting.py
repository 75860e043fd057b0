"""Exporting the audit log: pages of JSON lines that say where they end and whether more follows.

A page is bounded by lines and by bytes, since one entry may hold the ids of everything that a purge took. It is read in steps, so that
memory holds what is written and one step beside it.
"""

import msgspec

from apps.admin_platform import dtos, queries
from bitvault.kernel import db

BYTES_LIMIT = 4 * 1024 * 1024
"""A page takes no further line once it has so many bytes: a client reads them in one answer, and no web process holds much more."""

STEP = 500
"""Entries of one query."""


def export(*, after: int, limit: int, position: int) -> dtos.AuditExport:
    """Read a page of the entered tenant's log."""
    lines: list[bytes] = []
    last_number, size_bytes = after, 0
    while True:
        with db.read_transaction():
            entries = queries.list_for_export(after=last_number, limit=STEP)
        for entry in entries:
            if len(lines) == limit or size_bytes >= BYTES_LIMIT:
                return dtos.AuditExport(b"".join(lines), last_number, has_more=True, as_of_seq=position)
            lines.append(msgspec.json.encode(entry) + b"\n")
            last_number, size_bytes = entry.number, size_bytes + len(lines[-1])
        if len(entries) < STEP:
            return dtos.AuditExport(b"".join(lines), last_number, has_more=False, as_of_seq=position)
