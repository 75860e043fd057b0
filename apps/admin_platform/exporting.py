"""Exporting the audit log: pages of JSON lines or CSV that say where they end and whether more follows.

A page is bounded by lines and by bytes, since one entry may hold the ids of everything that a purge took. It is read in steps, so that
memory holds what is written and one step beside it.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from apps.admin_platform import anchoring, dtos, queries
from bitvault.kernel import db, tenancy
from bitvault.kernel.actor import Actor
from bitvault.web import naming

Form = Literal["json_lines", "csv"]

BYTES_LIMIT = 4 * 1024 * 1024
"""A page takes no further line once it has so many bytes: a client reads them in one answer, and no web process holds much more."""

STEP = 500
"""Entries of one query."""

CSV_COLUMNS = (
    *(
        "number",
        "occurred_at",
        "type",
        "actor_id",
        "person",
        "node_id",
        "address",
        "device_id",
        "request_id",
        "payload",
    ),
    *("previous_hash", "hash"),
)

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def export(
    actor: Actor,
    *,
    after: int,
    limit: int,
    position: int,
    wanted: dtos.AuditFilter,
    form: Form,
    with_anchors: bool = False,
) -> dtos.AuditExport:
    """Read a page of the entered tenant's log; CSV has a head on its first page, and so has JSON with anchors."""
    write = _WRITERS[form]
    lines: list[bytes] = []
    last_number, size_bytes, count = after, 0, 0
    if form == "csv" and after == 0:
        lines.append(_to_csv(CSV_COLUMNS))
    if with_anchors and after == 0:
        lines.append(_to_line(export={"tenant_id": tenancy.current().id}))
    while True:
        with db.read_transaction(frozen=True):
            entries = queries.list_for_export(after=last_number, limit=STEP, wanted=wanted)
            anchors = _list_anchors(last_number, entries) if with_anchors else {}
        for entry, line in zip(entries, write(actor, entries), strict=True):
            if count == limit or size_bytes >= BYTES_LIMIT:
                return dtos.AuditExport(b"".join(lines), last_number, has_more=True, as_of_seq=position)
            lines += [line, *anchors.get(entry.number, ())]
            last_number, size_bytes, count = entry.number, size_bytes + len(line), count + 1
        if len(entries) < STEP:
            if with_anchors:
                lines.append(_write_end(last_number))
            return dtos.AuditExport(b"".join(lines), last_number, has_more=False, as_of_seq=position)


def _list_anchors(after: int, entries: Sequence[dtos.AuditEntry]) -> dict[int, list[bytes]]:
    """Give the lines of anchors by the entry that they stand behind."""
    if not entries:
        return {}
    rows = anchoring.list_between(after=after, last=entries[-1].number)
    return {row.number: [_to_line(anchor=anchoring.to_dto(row))] for row in rows}


def _write_end(number: int) -> bytes:
    """Sign where the export ends. Entries are never deleted: one that is not there any more has no hash, and ends in zeros."""
    with db.read_transaction():
        digest = queries.find_hash(number)
    return _to_line(end=anchoring.sign_end(number=number, digest=digest or bytes(32)))


def _to_line(**content: object) -> bytes:
    return msgspec.json.encode(content) + b"\n"


def _write_json(actor: Actor, entries: Sequence[dtos.AuditEntry]) -> list[bytes]:
    return [msgspec.json.encode(entry) + b"\n" for entry in entries]


def _write_csv(actor: Actor, entries: Sequence[dtos.AuditEntry]) -> list[bytes]:
    actor_ids: set[UUID] = {entry.actor_id for entry in entries if entry.actor_id is not None}
    names = naming.finder().find_names(actor, people=actor_ids).people
    return [_to_csv(_row_of(entry, names)) for entry in entries]


def _row_of(entry: dtos.AuditEntry, names: Mapping[UUID, str]) -> list[str]:
    facts = {
        "person": "" if entry.actor_id is None else names.get(entry.actor_id, ""),
        "occurred_at": entry.occurred_at.isoformat(),
        "payload": msgspec.json.encode(entry.payload).decode(),
    }
    return [
        _defuse(facts.get(name, "" if (value := getattr(entry, name, None)) is None else str(value)))
        for name in CSV_COLUMNS
    ]


def _defuse(cell: str) -> str:
    """Keep a spreadsheet from taking a name for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def _to_csv(cells: Sequence[str]) -> bytes:
    """Write a line as RFC 4180 has it."""
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()


_WRITERS: dict[Form, Callable[[Actor, Sequence[dtos.AuditEntry]], list[bytes]]] = {
    "json_lines": _write_json,
    "csv": _write_csv,
}
