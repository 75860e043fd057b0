"""Targets as the settings know them."""

from contextlib import nullcontext

from django.conf import settings

from bitvault.backup import database, sealed
from bitvault.backup.buckets import BucketSettings
from bitvault.backup.errors import BackupError
from bitvault.backup.targets import Target, open_target


def open_configured(address: str = "", *, writes: bool) -> Target:
    """Open a target by its address, or the one that nightly backups go to; sealed where it is, or is to be.

    :param writes: whether a backup is to be taken.
    :raises Busy: ``writes``, and another backup or restore is under way.
    :raises BackupError: there is none, or it cannot be opened with the keys that there are.
    """
    wanted = address or str(settings.BITVAULT_BACKUP["target"])
    if not wanted:
        raise BackupError("Say where: an absolute path, s3://bucket/prefix, or BITVAULT_BACKUP_TARGET.")
    target = open_target(wanted, BucketSettings(**settings.BITVAULT_BACKUP_STORE))
    keys = sealed.parse_keys(str(settings.BITVAULT_BACKUP["keys"]))
    # Of two first backups at once one makes the target's key.
    with database.alone() if writes and keys else nullcontext():
        return sealed.open_sealed(target, keys, writes=writes)
