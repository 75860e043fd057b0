"""A tenant's rows of the public schema: taken out of a dump of all tenants', and put into the place of those that are there.

``pg_restore`` gives the rows as text; those of the tenant are told by the column that names it. Nothing but a row at a time is in memory.
"""

import re
import subprocess
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from bitvault.backup.errors import BackupError
from bitvault.backup.manifest import KeptTenant
from bitvault.kernel.postgres.programs import find_program

_COPY = re.compile(rb"COPY public\.(?P<table>[a-z_0-9]+) \((?P<columns>[a-z_0-9, ]+)\) FROM stdin;")
_PARTITION = re.compile(r"events_stream_event_(?:[0-9]{8}|default)")

IDENTITY = "identity_"
LEFT = frozenset({"storage_run", "identity_session", "identity_tenant_deletion"})
"""What stays as it is: what operators are told of the past, and who is signed in."""

_OF_TENANT = """
SELECT class.relname FROM pg_attribute attribute JOIN pg_class class ON class.oid = attribute.attrelid
JOIN pg_namespace space ON space.oid = class.relnamespace
WHERE space.nspname = 'public' AND class.relkind IN ('r', 'p') AND NOT class.relispartition AND attribute.attname = 'tenant_id'
ORDER BY class.relname
"""


class _Block(NamedTuple):
    """The rows of a table in a dump."""

    table: str
    columns: list[str]
    rows: Iterator[bytes]


def swap(line: "psycopg.Connection[Any]", kept: KeptTenant, public: Path, *, is_new: bool, note: str) -> None:
    """Replace the tenant's rows by those of a dump, and drop what was put aside, in one transaction.

    :param note: kept with the tenant's schema until the restore has come to its end.
    :param is_new: whether the tenant is not here: then its people come from the dump too, but for accounts that are here.
    """
    named = {table for (table,) in line.execute(_OF_TENANT).fetchall()} - LEFT
    replaced = {table for table in named if is_new or not table.startswith(IDENTITY)}
    with line.transaction():
        line.execute("SET CONSTRAINTS ALL DEFERRED")
        for table in sorted(replaced):
            line.execute(
                sql.SQL("DELETE FROM {} WHERE tenant_id = %s").format(sql.Identifier("public", table)), [kept.id]
            )
        if is_new:
            _bring_people(line, kept, public)
        else:
            line.execute(
                "UPDATE public.identity_tenant SET schema_version = %s WHERE id = %s", [kept.schema_version, kept.id]
            )
        _bring_rows(line, public, replaced, "tenant_id", {str(kept.id)})
        line.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(f"aside_{kept.id.hex}")))
        line.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(kept.schema), note))


def _bring_people(line: "psycopg.Connection[Any]", kept: KeptTenant, public: Path) -> None:
    """Bring the tenant itself, and of its people and groups what is named by them alone."""
    own = {str(kept.id)}
    people: set[str] = set()
    groups: set[str] = set()
    with _blocks(public) as blocks:
        for block in blocks:
            if block.table.startswith(IDENTITY) and "tenant_id" in block.columns:
                for row in _matching(block, "tenant_id", own):
                    values = dict(zip(block.columns, _values(row), strict=True))
                    people |= {value for name, value in values.items() if name in _PEOPLE and value != r"\N"}
                    groups |= {values["id"]} if block.table == "identity_group" else set()
    _bring_rows(line, public, {"identity_tenant"}, "id", own)
    _bring_rows(line, public, {"identity_user"}, "id", people, skips_present=True)
    _bring_rows(line, public, {"identity_group_member"}, "group_id", groups)


_PEOPLE = frozenset({"user_id", "successor_id", "invited_by_id"})


def _bring_rows(
    line: "psycopg.Connection[Any]",
    public: Path,
    tables: Collection[str],
    column: str,
    wanted: Collection[str],
    *,
    skips_present: bool = False,
) -> None:
    """Copy the rows of these tables that have one of the wanted values in a column."""
    with _blocks(public) as blocks:
        for block in blocks:
            table = "events_stream_event" if _PARTITION.fullmatch(block.table) else block.table
            if table not in tables or column not in block.columns:
                continue
            names = sql.SQL(", ").join(map(sql.Identifier, block.columns))
            place = sql.Identifier("public", table)
            if skips_present:
                line.execute(sql.SQL("CREATE TEMPORARY TABLE arriving (LIKE {}) ON COMMIT DROP").format(place))
            into = sql.Identifier("arriving") if skips_present else place
            with line.cursor() as cursor, cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(into, names)) as copy:
                for row in _matching(block, column, wanted):
                    copy.write(row)
            if skips_present:
                line.execute(
                    sql.SQL("INSERT INTO {} ({}) SELECT {} FROM arriving ON CONFLICT (id) DO NOTHING").format(
                        place, names, names
                    )
                )


def _matching(block: _Block, column: str, wanted: Collection[str]) -> Iterator[bytes]:
    place = block.columns.index(column)
    for row in block.rows:
        if _values(row)[place] in wanted:
            yield row


def _values(row: bytes) -> list[str]:
    return row.rstrip(b"\n").decode().split("\t")


@contextmanager
def _blocks(public: Path) -> Iterator[Iterator[_Block]]:
    """Read the rows of a dump, table by table."""
    command = [find_program("pg_restore"), "--data-only", "--schema=public", "--file=-", str(public)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as reading:
        if reading.stdout is None or reading.stderr is None:
            raise BackupError("pg_restore gives nothing to read.")
        yield _parse(iter(reading.stdout))
        for _ in reading.stdout:
            pass
        said = reading.stderr.read().decode(errors="replace").strip()
    if reading.returncode != 0:
        raise BackupError(f"pg_restore has failed: {said[-2000:]}")


def _parse(lines: Iterator[bytes]) -> Iterator[_Block]:
    for line in lines:
        head = _COPY.fullmatch(line.rstrip(b"\n"))
        if head is None:
            continue
        rows = iter(lines.__next__, b"\\.\n")
        columns = [name.strip() for name in head["columns"].decode().split(",")]
        yield _Block(head["table"].decode(), columns, rows)
        for _ in rows:  # what nobody has read
            pass
