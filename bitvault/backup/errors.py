"""What keeps a backup, or a restore, from being made. Each says in a sentence what to do; operators alone read them."""


class BackupError(Exception):
    """It cannot be made as things are."""


class Busy(BackupError):
    """Another process makes a backup, or restores one, at this moment."""


class Damaged(BackupError):
    """Bytes are not those that were written."""
