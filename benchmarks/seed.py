"""Rows made directly in a tenant's tables: thousands of nodes in a second, with everything that the tree keeps about them."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

import psycopg

from benchmarks.vault import Vault
from bitvault.kernel import ids, names
from bitvault.kernel.tenancy import schema_of

_NODE = (
    "id, kind, parent_id, name, name_key, key_version, sort_key, revision, version_id, size_bytes, media_type, content_hash, "
    "created_at, modified_at, created_by, child_count, levels_below_bound, path_bytes_below_bound"
)
_VERSION = "id, node_id, blob_id, upload_id, size_bytes, content_hash, media_type, created_at, created_by"
FOLDER, FILE = 0, 1

_LEAVES = "SELECT id FROM files_node WHERE parent_id IN (SELECT id FROM files_node WHERE parent_id = %(folder_id)s)"
_PLACEMENT = "node_id, from_seq, from_at, state, kind, parent_id, name, sort_key, version_id, revision, changes_content, changes_place"
_ENCRYPT = (
    (
        f"INSERT INTO files_placement ({_PLACEMENT}, request_id) SELECT id, 0, now() - interval '1 day', 0, kind, parent_id, name, "
        f"sort_key, version_id, 1, true, true, '' FROM files_node WHERE parent_id = %(folder_id)s OR id IN ({_LEAVES})"
    ),
    (
        f"INSERT INTO files_version ({_VERSION}) SELECT gen_random_uuid(), id, gen_random_uuid(), gen_random_uuid(), size_bytes, "
        f"encode(sha256(id::text::bytea), 'hex'), media_type, now(), created_by FROM files_node WHERE id IN ({_LEAVES})"
    ),
    (
        "UPDATE files_node SET version_id = version.id, content_hash = version.content_hash, name = files_node.name || '.locked', "
        "name_key = files_node.name_key || '.locked', revision = 3 FROM files_version version "
        f"WHERE version.node_id = files_node.id AND version.id <> files_node.version_id AND files_node.id IN ({_LEAVES})"
    ),
    (
        "UPDATE files_placement SET until_seq = 1, until_at = now() - interval '1 hour' "
        f"WHERE until_seq IS NULL AND node_id IN ({_LEAVES})"
    ),
    (
        f"INSERT INTO files_placement ({_PLACEMENT}, actor_id, device_id, request_id) SELECT id, 1, now() - interval '1 hour', 0, kind, "
        "parent_id, name, sort_key, version_id, 3, true, true, %(user_id)s, %(device_id)s, '' FROM files_node "
        f"WHERE id IN ({_LEAVES})"
    ),
)
"""What a device does that encrypts a folder: another version and another name of each file below its folders."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose tree it is."""

    tenant_id: UUID
    user_id: UUID
    root_id: UUID

    @classmethod
    def of(cls, vault: Vault) -> "Owner":
        """Ask who the demo's owner is."""
        connection = vault.connect()
        me = connection.get("/api/v1/me").json()
        connection.close()
        return cls(UUID(me["tenant"]["id"]), UUID(me["user"]["id"]), UUID(me["root_id"]))


@dataclass(frozen=True, slots=True)
class Sown:
    """A node that was made."""

    id: UUID
    name: str


class Served(Protocol):
    """A running BitVault whose database the superuser reaches."""

    def database(self) -> AbstractContextManager[psycopg.Connection]:
        """Connect as the superuser."""


class Sower:
    """Writes trees of one owner; the tests do so too, where thousands of rows are needed."""

    def __init__(self, served: Served, owner: Owner) -> None:
        self._served = served
        self.owner = owner
        self._now = datetime.now(UTC)

    def fill(self, folder_id: UUID, *, folders: int = 0, files: int = 0, prefix: str = "report") -> list[Sown]:
        """Put folders and files into a folder that is empty."""
        made = [Sown(ids.new_id(), f"{prefix} {number}") for number in range(folders)]
        made_files = [Sown(ids.new_id(), f"{prefix} {number}.pdf") for number in range(folders, folders + files)]
        rows = [self._row(one, FOLDER, folder_id, number) for number, one in enumerate(made)]
        rows += [self._row(one, FILE, folder_id, number) for number, one in enumerate(made_files)]
        with self._served.database() as database, database.transaction():
            self._enter(database)
            self._copy(database, rows)
            longest = max(len(one.name) for one in [*made, *made_files]) + 1
            database.execute(
                "UPDATE files_node SET child_count = child_count + %s, levels_below_bound = greatest(levels_below_bound, 1), "
                "path_bytes_below_bound = greatest(path_bytes_below_bound, %s) WHERE id = %s",
                [len(rows), longest, folder_id],
            )
        self._analyse()
        return [*made, *made_files]

    def forest(
        self,
        folder_id: UUID,
        *,
        branches: int,
        leaves: int,
        name: Callable[[int, int], str] = lambda _, leaf: f"leaf {leaf}.txt",
    ) -> int:
        """Put ``branches`` folders of ``leaves`` files each into an empty folder; returns how many nodes hang below it.

        :param name: names a file by the numbers of its branch and in it.
        """
        folders = [Sown(ids.new_id(), f"branch {number}") for number in range(branches)]
        rows = [self._row(one, FOLDER, folder_id, number, child_count=leaves) for number, one in enumerate(folders)]
        for number, branch in enumerate(folders):
            made = [Sown(ids.new_id(), name(number, leaf)) for leaf in range(leaves)]
            rows += [self._row(one, FILE, branch.id, leaf) for leaf, one in enumerate(made)]
        with self._served.database() as database, database.transaction():
            self._enter(database)
            self._copy(database, rows)
            database.execute(
                "UPDATE files_node SET child_count = %s, levels_below_bound = 2, path_bytes_below_bound = 64 WHERE id = %s",
                [branches, folder_id],
            )
        self._analyse()
        return len(rows)

    def encrypt(self, folder_id: UUID, device_id: UUID) -> None:
        """Let a device have written and renamed every file of a forest, an hour ago; history knows what they were the day before."""
        with self._served.database() as database, database.transaction():
            self._enter(database)
            for statement in _ENCRYPT:
                database.execute(
                    statement, {"folder_id": folder_id, "device_id": device_id, "user_id": self.owner.user_id}
                )
        self._analyse()

    def _row(self, one: Sown, kind: int, parent_id: UUID, number: int, *, child_count: int = 0) -> dict[str, Any]:
        name = names.parse(one.name)
        moment = self._now - timedelta(minutes=number)
        file = kind == FILE
        return {
            "id": one.id,
            "kind": kind,
            "parent_id": parent_id,
            "name": name.text,
            "name_key": name.key,
            "key_version": names.KEY_VERSION,
            "sort_key": name.sort_key,
            "revision": 1,
            "version_id": ids.new_id() if file else None,
            "size_bytes": 1000 + number if file else 0,
            "media_type": "application/pdf" if file else "",
            "content_hash": hashlib.sha256(one.id.bytes).hexdigest() if file else "",
            "created_at": moment,
            "modified_at": moment,
            "created_by": self.owner.user_id,
            "child_count": child_count,
            "levels_below_bound": 1 if child_count else 0,
            "path_bytes_below_bound": 32 if child_count else 0,
        }

    def _copy(self, database: psycopg.Connection, rows: Sequence[dict[str, Any]]) -> None:
        with database.cursor().copy(f"COPY files_node ({_NODE}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([row[column] for column in _NODE.split(", ")])
        with database.cursor().copy(f"COPY files_version ({_VERSION}) FROM STDIN") as copy:
            for values in self._versions(rows):
                copy.write_row(values)

    def _versions(self, rows: Sequence[dict[str, Any]]) -> Iterator[list[Any]]:
        for row in rows:
            if row["kind"] == FILE:
                facts = [
                    row["size_bytes"],
                    row["content_hash"],
                    row["media_type"],
                    row["created_at"],
                    row["created_by"],
                ]
                yield [row["version_id"], row["id"], ids.new_id(), ids.new_id(), *facts]

    def _enter(self, database: psycopg.Connection) -> None:
        database.execute("SELECT set_config('search_path', %s, true)", [schema_of(self.owner.tenant_id)])

    def _analyse(self) -> None:
        # What autovacuum does within a minute on its own.
        schema = schema_of(self.owner.tenant_id)
        with self._served.database() as database:
            database.execute(f"ANALYZE {schema}.files_node, {schema}.files_version, {schema}.files_placement")


class Seed(Sower):
    """Writes trees of the demo's owner."""

    def __init__(self, vault: Vault) -> None:
        super().__init__(vault, Owner.of(vault))
        self._vault = vault

    def folder(self, name: str) -> UUID:
        """Make a folder in the owner's root, as a client does."""
        connection = self._vault.connect()
        made = connection.json("POST", "/api/v1/folders", {"parent_id": str(self.owner.root_id), "name": name}).json()
        connection.close()
        return UUID(made["id"])
