"""Targets as the settings know them."""

from django.conf import settings

from bitvault.backup.buckets import BucketSettings
from bitvault.backup.errors import BackupError
from bitvault.backup.targets import Target, open_target


def open_configured(address: str = "") -> Target:
    """Open a target by its address, or the one that nightly backups go to.

    :raises BackupError: there is none.
    """
    wanted = address or str(settings.BITVAULT_BACKUP["target"])
    if not wanted:
        raise BackupError("Say where: an absolute path, s3://bucket/prefix, or BITVAULT_BACKUP_TARGET.")
    return open_target(wanted, BucketSettings(**settings.BITVAULT_BACKUP_STORE))
