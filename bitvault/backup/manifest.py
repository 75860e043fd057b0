"""What a backup says of itself, and where its parts lie.

``objects/<key>`` holds users' bytes under the keys that they have in the store, once for all backups. ``backups/<id>/`` holds the dumps of
the database, an inventory of objects for each tenant, and last of all ``manifest.json``: a backup without one is unfinished.
"""

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

import msgspec

from bitvault.backup.errors import BackupError, Damaged
from bitvault.backup.targets import Target

FORMAT = 1
BACKUPS, OBJECTS = "backups", "objects"
DIGEST_BYTES = 32

SECRETS = (
    "BITVAULT_SECRET_KEY",
    "BITVAULT_AUDIT_KEY",
    "BITVAULT_PUSH_KEY",
    "BITVAULT_DATABASE_URL",
    "BITVAULT_DATABASE_OWNER_URL",
    "BITVAULT_REDIS_URL",
    "BITVAULT_S3_ACCESS_KEY_ID",
    "BITVAULT_S3_SECRET_ACCESS_KEY",
    "BITVAULT_EMAIL_URL",
    "BITVAULT_METRICS_KEY",
    "BITVAULT_BACKUP_KEYS",
    "BITVAULT_BACKUP_S3_SECRET_ACCESS_KEY",
)
"""What an operator keeps elsewhere: a backup names these, and has none of them."""


class KeptFile(msgspec.Struct, frozen=True):
    """A file of a backup."""

    name: str
    size_bytes: int
    sha256: str


class TableFacts(msgspec.Struct, frozen=True):
    """What a table held: its rows, and the sum of hashes of them, in whatever order they lie."""

    rows: int
    digest: str


class KeptTenant(msgspec.Struct, frozen=True):
    """One tenant in a backup."""

    id: UUID
    slug: str
    name: str
    seq: int
    """The number of its stream at that instant: everything up to it is in the backup, and nothing later."""
    schema_version: str
    dump: int
    """Which of the dumps has its schema, from 0."""
    inventory: KeptFile
    object_count: int
    object_bytes: int
    tables: dict[str, TableFacts]

    @property
    def schema(self) -> str:
        """The schema and role of this tenant."""
        return f"t_{self.id.hex}"


class Loss(msgspec.Struct, frozen=True):
    """An object that the store did not have, or not as it should be, when it was to be copied."""

    key: str
    what: str


class Manifest(msgspec.Struct, frozen=True):
    """A backup."""

    format: int
    id: str
    taken_at: datetime
    """The instant that it shows."""
    finished_at: datetime | None
    versions: dict[str, str]
    public: KeptFile
    dumps: list[KeptFile]
    tenants: list[KeptTenant]
    secrets: tuple[str, ...]
    hold_id: UUID | None = None
    """While it is unfinished: the hold that keeps its objects in the store."""
    copied_count: int = 0
    copied_bytes: int = 0
    lost_count: int = 0
    losses: list[Loss] = []
    """The first thousand of them."""

    @property
    def object_count(self) -> int:
        """How many objects it names."""
        return sum(tenant.object_count for tenant in self.tenants)

    @property
    def object_bytes(self) -> int:
        """How many bytes these have."""
        return sum(tenant.object_bytes for tenant in self.tenants)

    @property
    def database_bytes(self) -> int:
        """How large its dumps are."""
        return self.public.size_bytes + sum(dump.size_bytes for dump in self.dumps)

    @property
    def row_count(self) -> int:
        """How many rows its tenants have."""
        return sum(table.rows for tenant in self.tenants for table in tenant.tables.values())


class KeptObject(NamedTuple):
    """An object that a backup names."""

    key: str
    size_bytes: int
    part_size_bytes: int
    part_hashes: bytes
    store_id: UUID | None = None
    """The store that it lay in; ``None``: the installation's own."""

    @property
    def name(self) -> str:
        """Its name in the target."""
        return f"{OBJECTS}/{self.key}"


def new_id(at: datetime) -> str:
    """Name a backup by its time, so that names sort as backups follow."""
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}"


def name_of(backup_id: str, part: str) -> str:
    """Name a part of a backup in the target."""
    return f"{BACKUPS}/{backup_id}/{part}"


def list_ids(target: Target) -> list[str]:
    """List the backups that are there, unfinished ones too, oldest first."""
    return target.list_folders(BACKUPS)


def find(target: Target, backup_id: str, *, part: str = "manifest.json") -> Manifest | None:
    """Read the manifest of a backup; ``None`` of one that is unfinished.

    :raises BackupError: it was written by a later version.
    """
    try:
        body = b"".join(target.read(name_of(backup_id, part)))
    except FileNotFoundError:
        return None
    try:
        found = msgspec.json.decode(body, type=Manifest)
    except msgspec.DecodeError as error:
        raise Damaged(f"The manifest of {backup_id} cannot be read: {error}.") from error
    if found.format > FORMAT:
        raise BackupError(f"{backup_id} was made by a later BitVault, and this one cannot read it.")
    return found


def list_finished(target: Target) -> list[Manifest]:
    """Read the manifests of all finished backups, oldest first."""
    return [found for backup_id in list_ids(target) if (found := find(target, backup_id)) is not None]


def get(target: Target, backup_id: str | None) -> Manifest:
    """Read the manifest of a backup, or of the latest one.

    :raises BackupError: there is no such.
    """
    for each in [backup_id] if backup_id else reversed(list_ids(target)):
        found = find(target, each)
        if found is not None:
            return found
    raise BackupError(f"There is no finished backup {backup_id or ''} in {target.name}.".replace("  ", " "))


def keep(target: Target, manifest: Manifest, *, part: str = "manifest.json") -> None:
    """Write a manifest."""
    body = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    target.write(name_of(manifest.id, part), [body], size_bytes=len(body))


def read_inventory(target: Target, file: KeptFile) -> Iterator[KeptObject]:
    """Read the objects of a tenant in the order of their keys, a few at a time.

    :raises Damaged: it is not as it was written.
    """
    unpacked = zlib.decompressobj(wbits=31)
    digest, rest = hashlib.sha256(), b""
    for piece in target.read(file.name):
        digest.update(piece)
        *lines, rest = (rest + unpacked.decompress(piece)).split(b"\n")
        yield from map(read_line, lines)
    if rest or digest.hexdigest() != file.sha256:
        raise Damaged(f"{file.name} is not as it was written.")


def read_line(line: bytes) -> KeptObject:
    """Read a line of an inventory."""
    key, size, part_size, hashes, *place = line.decode().split("\t")  # older backups name no store
    return KeptObject(key, int(size), int(part_size), bytes.fromhex(hashes), UUID(place[0]) if any(place) else None)


def packed(lines: Iterable[bytes]) -> Iterator[bytes]:
    """Compress what comes, as gzip does."""
    packer = zlib.compressobj(level=1, wbits=31)
    for line in lines:
        if piece := packer.compress(line):
            yield piece
    yield packer.flush()
