"""Removing backups, and the objects that no other one names.

Nothing is listed: what a removed backup's inventories name and no other's do is deleted. A removal that dies is gone on with by the next
one: a backup loses its manifest first, so nobody restores from it, and its inventories last.
"""

import heapq
from collections.abc import Iterator, Sequence
from itertools import groupby, islice

import structlog

from bitvault.backup import manifest
from bitvault.backup.manifest import KeptTenant, Manifest
from bitvault.backup.targets import Target

BATCH = 500
REMOVING, UNFINISHED, WHOLE = "removing.json", "unfinished.json", "manifest.json"

logger = structlog.get_logger(__name__)


def tidy(target: Target, *, keep: int | None) -> int:
    """Remove what was interrupted, and all but the last ``keep`` backups; returns how many objects were deleted.

    Nobody else may take a backup meanwhile.
    """
    finished = manifest.list_finished(target)
    for old in finished[:-keep] if keep else []:
        manifest.keep(target, old, part=REMOVING)
        target.delete([manifest.name_of(old.id, WHOLE)])
    kept = finished[-keep:] if keep else finished
    whole = {each.id for each in kept}
    deleted = 0
    for backup_id in manifest.list_ids(target):
        if backup_id not in whole:
            deleted += _remove(target, backup_id, kept)
    return deleted


def _remove(target: Target, backup_id: str, kept: Sequence[Manifest]) -> int:
    """Remove a backup that has no manifest any more, or never had one."""
    old = manifest.find(target, backup_id, part=REMOVING) or manifest.find(target, backup_id, part=UNFINISHED)
    deleted = 0
    for tenant in old.tenants if old is not None else ():
        names = _only_there(target, tenant, kept)
        while batch := list(islice(names, BATCH)):
            target.delete(batch)
            deleted += len(batch)
    last = [manifest.name_of(backup_id, part) for part in (REMOVING, UNFINISHED)]
    target.delete([name for name in target.list_names(f"{manifest.BACKUPS}/{backup_id}") if name not in last])
    target.delete(last)
    logger.info("backup_removed", backup=backup_id, objects=deleted)
    return deleted


def _only_there(target: Target, tenant: KeptTenant, kept: Sequence[Manifest]) -> Iterator[str]:
    """Name the objects of a tenant that no other backup has: all inventories are read side by side, in the order of their keys."""
    others = [each for one in kept for each in one.tenants if each.id == tenant.id]
    read = [_names(target, tenant, is_kept=False), *(_names(target, each, is_kept=True) for each in others)]
    for name, found in groupby(heapq.merge(*read), key=lambda each: each[0]):
        if not any(is_kept for _, is_kept in found):
            yield name


def _names(target: Target, tenant: KeptTenant, *, is_kept: bool) -> Iterator[tuple[str, bool]]:
    try:
        for each in manifest.read_inventory(target, tenant.inventory):
            yield each.name, is_kept
    except FileNotFoundError:
        if is_kept:
            raise
