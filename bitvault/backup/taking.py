"""Taking a backup while everything goes on.

1. Deletions are held back, and one snapshot is taken. From it come the dumps, the number of each tenant's stream, and the inventory of
   the objects that have to be there.
2. ``unfinished.json`` says what these are. A backup that is interrupted from here on is gone on with as long as its hold lasts; one whose
   hold has ended is thrown away, since objects may have gone, and begun anew. What was copied stays copied.
3. Objects that the target has not yet are copied, each compared with its hashes. ``manifest.json`` comes last: it makes the backup whole.
"""

import platform
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple, TypeVar
from uuid import UUID

import django
import msgspec
import structlog

from apps.storage import api as storage
from bitvault.backup import database, hashing, manifest, retention, runs
from bitvault.backup.errors import BackupError, Damaged
from bitvault.backup.holding import HOLD, kept_alive
from bitvault.backup.manifest import KeptFile, KeptObject, KeptTenant, Loss, Manifest
from bitvault.backup.targets import Target
from bitvault.kernel import clock
from bitvault.kernel.deadlines import background

SCHEMAS_IN_A_DUMP = 50
"""Each dump reads the whole catalogue of the database, and locks each table of its schemas: few dumps against few locks at once."""

DUMPS_AT_ONCE = 2
COPIES_AT_ONCE = 4
"""Objects on their way at once; each has 8 MiB in memory once or twice."""

BATCH = 500
LOSSES_TOLD = 1000
UNFINISHED = "unfinished.json"

T = TypeVar("T")
Report = Callable[[str, int, int], None]
"""Takes what is being done, how far it is and how much there is of it. May raise to end the backup there."""

logger = structlog.get_logger(__name__)


class Preview(NamedTuple):
    """What a backup would do."""

    tenant_count: int
    database_bytes: int
    object_count: int
    object_bytes: int
    missing_count: int
    missing_bytes: int


class _HoldLost(BackupError):
    """Objects may have gone."""


def preview(target: Target) -> Preview:
    """Count what a backup would copy now; changes nothing."""
    counts = [0, 0, 0, 0]
    with database.snapshot() as seen:
        row = seen.line.execute("SELECT pg_database_size(current_database())").fetchone()
        tenants = database.list_tenants(seen.line)
        for tenant in tenants:
            lines = _lines(database.read_inventory(seen.line, tenant.schema))
            for batch in _batches(map(manifest.read_line, lines)):
                missing = _missing(target, batch)
                for place, objects in ((0, batch), (2, missing)):
                    counts[place] += len(objects)
                    counts[place + 1] += sum(each.size_bytes for each in objects)
    return Preview(len(tenants), int(row[0]) if row else 0, *counts)


def take(target: Target, *, keep: int | None = None, report: Report = lambda *_: None) -> Manifest:
    """Take a backup, or go on with one that was interrupted; then remove older ones than the last ``keep``.

    :raises Busy: another one is being taken or restored.
    :raises BackupError: it cannot be taken; the sentence says why.
    """
    with background(), database.alone():
        begun = _find_unfinished(target) or _begin(target, report)
        try:
            with _held(target, begun) as lost:
                done = _finish(target, begun, report, lost)
        except Exception as error:
            runs.fail(begun.id, str(error) or type(error).__name__)
            raise
        retention.tidy(target, keep=keep)
        return done


def _find_unfinished(target: Target) -> Manifest | None:
    """Find a backup that only lacks objects, and whose objects were held in the store all the time."""
    for backup_id in reversed(manifest.list_ids(target)):
        found = manifest.find(target, backup_id, part=UNFINISHED)
        if found is None or manifest.find(target, backup_id) is not None or found.hold_id is None:
            continue
        if storage.renew_hold(hold_id=found.hold_id, lasts=HOLD):
            logger.info("backup_resumed", backup=backup_id)
            runs.begin(backup_id, target=target.name)
            return found
    return None


# --- the database ----------------------------------------------------------------------------------------------------------


def _begin(target: Target, report: Report) -> Manifest:
    """Hold deletions back, take the snapshot, and keep everything that is read from it."""
    storage.release_holds(reason=_reason(target))  # of backups that died and are gone on with no more
    hold_id = storage.hold_deletions(reason=_reason(target), lasts=HOLD)
    backup_id = manifest.new_id(clock.now())
    runs.begin(backup_id, target=target.name)
    try:
        with kept_alive(hold_id) as lost, tempfile.TemporaryDirectory(dir=target.work) as work:
            begun = _keep_snapshot(target, backup_id, hold_id, Path(work), report)
            _require(lost)
            manifest.keep(target, begun, part=UNFINISHED)
    except BaseException as error:
        storage.release_holds(reason=_reason(target))
        runs.fail(backup_id, str(error) or type(error).__name__)
        raise
    return begun


def _keep_snapshot(target: Target, backup_id: str, hold_id: UUID, work: Path, report: Report) -> Manifest:
    with database.snapshot() as seen, ThreadPoolExecutor(DUMPS_AT_ONCE, thread_name_prefix="backup-dump") as pool:
        tenants = database.list_tenants(seen.line)
        groups = list(_batches(tenants, SCHEMAS_IN_A_DUMP))
        wanted = [["public"], *([tenant.schema for tenant in group] for group in groups)]
        dumping = [
            pool.submit(
                database.dump,
                seen,
                schemas,
                target=target,
                name=manifest.name_of(backup_id, f"database/{number:04}.dump"),
                work=work,
            )
            for number, schemas in enumerate(wanted)
        ]
        try:
            kept = []
            for number, tenant in enumerate(tenants):
                report("database", number, len(tenants))
                count, size_bytes = database.measure_inventory(seen.line, tenant.schema)
                kept.append(
                    KeptTenant(
                        **tenant._asdict(),
                        dump=number // SCHEMAS_IN_A_DUMP,
                        inventory=_keep_inventory(target, backup_id, tenant, seen, work),
                        object_count=count,
                        object_bytes=size_bytes,
                        tables=database.count_rows(seen.line, tenant.schema),
                    )
                )
            public, *dumps = [each.result() for each in dumping]
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise
        report("database", len(tenants), len(tenants))
        return Manifest(
            format=manifest.FORMAT,
            id=backup_id,
            taken_at=seen.taken_at,
            finished_at=None,
            versions={
                "postgresql": seen.server_version,
                "python": platform.python_version(),
                "django": django.get_version(),
            },
            public=public,
            dumps=dumps,
            tenants=kept,
            secrets=manifest.SECRETS,
            hold_id=hold_id,
        )


def _keep_inventory(
    target: Target, backup_id: str, tenant: database.TenantRow, seen: database.Snapshot, work: Path
) -> KeptFile:
    with tempfile.NamedTemporaryFile(dir=work, suffix=".gz") as file:
        for piece in manifest.packed(database.read_inventory(seen.line, tenant.schema)):
            file.write(piece)
        file.flush()
        name = manifest.name_of(backup_id, f"inventory/{tenant.id.hex}.gz")
        return database.keep_file(target, name, Path(file.name))


# --- objects ---------------------------------------------------------------------------------------------------------------


def _finish(target: Target, begun: Manifest, report: Report, lost: threading.Event) -> Manifest:
    """Copy what the target has not yet, and make the backup whole."""
    copied_count = copied_bytes = seen_count = lost_count = 0
    losses: list[Loss] = []
    with ThreadPoolExecutor(COPIES_AT_ONCE, thread_name_prefix="backup-copy") as pool:
        for tenant in begun.tenants:
            for batch in _batches(manifest.read_inventory(target, tenant.inventory)):
                missing = _missing(target, batch)
                seen_count += len(batch) - len(missing)
                for kept, loss in zip(missing, pool.map(lambda each: _copy(target, each), missing), strict=True):
                    seen_count += 1
                    if loss is None:
                        copied_count += 1
                        copied_bytes += kept.size_bytes
                    else:
                        lost_count += 1
                        losses.append(loss)
                    _require(lost)
                    report("objects", seen_count, begun.object_count)
                del losses[LOSSES_TOLD:]
    done = msgspec.structs.replace(
        begun,
        finished_at=clock.now(),
        hold_id=None,
        copied_count=copied_count,
        copied_bytes=copied_bytes,
        lost_count=lost_count,
        losses=losses,
    )
    _require(lost)
    manifest.keep(target, done)
    target.delete([manifest.name_of(done.id, UNFINISHED)])
    runs.finish(done)
    return done


def _missing(target: Target, batch: list[KeptObject]) -> list[KeptObject]:
    """Leave out what the target has already: a key is never used again, so what has its name and size is it."""
    sizes = target.find_sizes([each.name for each in batch])
    return [each for each in batch if sizes.get(each.name) != each.size_bytes]


def _copy(target: Target, kept: KeptObject) -> Loss | None:
    """Copy an object; one that differs is read a second time: a broken line is no broken disk."""
    with background():
        for turn in range(2):
            try:
                pieces = storage.read_stored(key=kept.key, store_id=kept.store_id, size_bytes=kept.size_bytes)
                target.write(kept.name, hashing.parts_of(kept, _Source(pieces)), size_bytes=kept.size_bytes)
            except (Damaged, _NotThere) as error:
                if turn:
                    logger.exception("object_not_backed_up", what=str(error))
                    return Loss(key=kept.key, what=str(error))
            else:
                return None
    return None


class _NotThere(Exception):
    """The store does not have the object."""


class _Source:
    """Reads from the store, so that what is missing there is told from what is missing in the target."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._pieces
        except FileNotFoundError:
            raise _NotThere("The store does not have it.") from None


# --- the hold --------------------------------------------------------------------------------------------------------------


@contextmanager
def _held(target: Target, begun: Manifest) -> Iterator[threading.Event]:
    """Keep the hold of a backup inside the block, and release it once the backup is whole, or never will be."""
    if begun.hold_id is None:
        raise BackupError(f"{begun.id} has no hold.")
    with kept_alive(begun.hold_id) as lost:
        yield lost
    storage.release_holds(reason=_reason(target))


def _reason(target: Target) -> str:
    return f"backup to {target.name}"


def _require(lost: threading.Event) -> None:
    if lost.is_set():
        raise _HoldLost("Deletions were not held back all the time, so objects may have gone; take the backup again.")


def _batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    found = iter(items)
    while batch := list(islice(found, size)):
        yield batch


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
