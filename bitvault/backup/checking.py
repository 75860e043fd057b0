"""Verifying a backup: every file and every object is read and compared with its hashes. Asks no database and no store of users' bytes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from bitvault.backup import hashing, manifest
from bitvault.backup.errors import BackupError, Damaged
from bitvault.backup.manifest import KeptObject, KeptTenant, Manifest
from bitvault.backup.targets import Target

READS_AT_ONCE = 4
BATCH = 500


def verify(
    target: Target, checked: Manifest, *, report: Callable[[str, int, int], None] = lambda *_: None
) -> Iterator[str]:
    """Read a backup whole; yields a sentence for each thing that is wrong with it."""
    files = [checked.public, *checked.dumps, *(tenant.inventory for tenant in checked.tenants)]
    for number, file in enumerate(files):
        report("files", number, len(files))
        yield from _try(lambda file=file: hashing.compare_file(target, file))  # type: ignore[misc] # bound at once
    done = 0
    known_losses = {loss.key for loss in checked.losses}
    with ThreadPoolExecutor(READS_AT_ONCE, thread_name_prefix="backup-verify") as pool:
        for tenant in checked.tenants:
            try:
                objects = manifest.read_inventory(target, tenant.inventory)
                while batch := list(islice(objects, BATCH)):
                    for kept, wrong in zip(batch, pool.map(lambda each: _compare(target, each), batch), strict=True):
                        done += 1
                        if wrong and kept.key not in known_losses:
                            yield wrong
                    report("objects", done, checked.object_count)
            except (Damaged, FileNotFoundError):
                continue  # told above


def require_files(target: Target, taken: Manifest, tenants: Sequence[KeptTenant]) -> None:
    """Read the dumps and inventories that a restore of these tenants needs, before it changes anything.

    :raises BackupError: one is not there, or not as it was written.
    """
    dumps = [taken.dumps[number] for number in sorted({tenant.dump for tenant in tenants})]
    for file in (taken.public, *dumps, *(tenant.inventory for tenant in tenants)):
        try:
            hashing.compare_file(target, file)
        except Damaged as error:
            raise BackupError(f"Nothing was changed here: {error} Restore another backup.") from error


def _compare(target: Target, kept: KeptObject) -> str:
    for sentence in _try(lambda: _read(target, kept)):
        return sentence
    return ""


def _read(target: Target, kept: KeptObject) -> None:
    try:
        for _ in hashing.parts_of(kept, target.read(kept.name)):
            pass
    except FileNotFoundError:
        raise Damaged(f"{kept.name} is not there.") from None


def _try(check: Callable[[], None]) -> Iterator[str]:
    try:
        check()
    except Damaged as error:
        yield str(error)
