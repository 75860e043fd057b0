"""Whom PostgreSQL runs as: it refuses root, so a stack started by root gives it an unprivileged account."""

import os
import pwd
from dataclasses import dataclass
from pathlib import Path

from bitvault.stack.errors import StackError

# A uid that no passwd entry, no Debian package range (100-999), no login (1000-59999) and no systemd range in use owns,
# and that fits the 65536 ids of a rootless container. A number of its own keeps the data from everything else that runs
# as "nobody".
DATABASE_UID = 60_842

EVERYBODY_ENTERS = 0o001


@dataclass(frozen=True, slots=True)
class Account:
    """A numeric user and group that a child process becomes."""

    uid: int
    gid: int


def database_account() -> Account | None:
    """Name the account for PostgreSQL, or None when the stack itself runs unprivileged and needs none."""
    return Account(uid=DATABASE_UID, gid=DATABASE_UID) if os.geteuid() == 0 else None


def initdb_account() -> Account:
    """Name an account with a passwd entry: initdb insists on one, the server does not."""
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise StackError(
            "PostgreSQL refuses to run as root, and this machine has no account 'nobody' to set it up with: "
            "start BitVault as an ordinary user."
        ) from None
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def give_tree(directory: Path, account: Account) -> None:
    """Hand a directory and everything in it to an account.

    :raises StackError: the system does not let this root do that.
    """
    try:
        os.lchown(directory, account.uid, account.gid)
        for parent, folders, files in os.walk(directory):
            for name in [*folders, *files]:
                os.lchown(Path(parent) / name, account.uid, account.gid)
    except OSError as refusal:
        raise StackError(
            f"PostgreSQL refuses to run as root, and {directory} cannot be given to another account ({refusal.strerror}): "
            "start BitVault as an ordinary user."
        ) from refusal


def is_reachable(directory: Path) -> bool:
    """Tell whether every account can enter ``directory`` and all directories above it."""
    resolved = directory.resolve()
    return all(part.stat().st_mode & EVERYBODY_ENTERS == EVERYBODY_ENTERS for part in [resolved, *resolved.parents])
