"""versitygw for the embedded stack: each object is a file, what S3 says about it are the file's extended attributes.

It answers signed requests on one port and has no other one: without ``--admin-port`` its administration takes the same signatures on
the same port, and there are no accounts but the one from the environment.
"""

import errno
import os
import signal
from pathlib import Path

from bitvault.stack.errors import NO_ROOM, StackError
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program
from bitvault.stack.stores import BUCKET, REGION, EmbeddedStore, StoreKind
from bitvault.stack.versitygw_program import find_program

PROBE_ATTRIBUTE = "user.bitvault"
"""Written and removed again, to learn whether the file system keeps attributes."""

# The store's own attribute of every bucket: it says who may use it.
BUCKET_ATTRIBUTE = "user.acl"

# What a file system answers that keeps no attributes, or none of this kind.
NO_ATTRIBUTES = (errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS)


class Versitygw(EmbeddedStore):
    """The embedded S3 store of plain files."""

    kind = StoreKind.VERSITYGW
    port_names = ("s3",)

    @property
    def sidecar(self) -> Path:
        """Name the directory that holds the attributes where the file system keeps none."""
        return self.directory / "attributes"

    def prepare(self) -> Program:
        """Make the directories and say what to run.

        :raises StackError: the program is not installed, or the data lack their attributes.
        """
        program = find_program()
        if program is None:
            raise StackError("The object store is not installed here: run 'python -m bitvault.stack store'.")
        self.directory.mkdir(mode=0o700, exist_ok=True)
        self.data.mkdir(mode=0o700, exist_ok=True)
        return Program(
            name="versitygw",
            command=(str(program), *self._options()),
            directory=self.directory,
            environment={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.directory),
                "ROOT_ACCESS_KEY": self._secrets.s3_access_key_id,
                "ROOT_SECRET_KEY": self._secrets.s3_secret_access_key,
            },
            # It waits up to 10 s for connections that clients keep open. An object appears by one rename, so that nothing is lost by
            # an end at once.
            grace_seconds=2.0,
            death_signal=signal.SIGKILL,
        )

    def _options(self) -> tuple[str, ...]:
        return (
            *("--port", f"{LOOPBACK}:{self.ports['s3']}"),
            *("--region", REGION, "--keep-alive", "--quiet"),
            "posix",
            # Without it each byte is hashed once more, with MD5; the SHA-256 that clients send is checked in any case.
            "--data-integrity-etag",
            *("--file-perms", "0600", "--dir-perms", "0700"),
            *self._attribute_options(),
            str(self.data),
        )

    def _attribute_options(self) -> tuple[str, ...]:
        """Choose where attributes are kept; data stay with what they began with.

        :raises StackError: the data were moved or copied without their attributes.
        """
        bucket = self.data / BUCKET
        has_attributes = keeps_attributes(self.data)
        if self.sidecar.exists() or not (has_attributes or bucket.exists()):
            self.sidecar.mkdir(mode=0o700, exist_ok=True)
            return ("--sidecar", str(self.sidecar))
        if not has_attributes:
            raise StackError(
                f"The file system under {self.data} keeps no extended attributes, and those of the files there are lost: "
                "bring the directory back from where it was copied, to a file system that keeps them (ext4, XFS, btrfs)."
            )
        if bucket.exists() and BUCKET_ATTRIBUTE not in os.listxattr(bucket):
            raise StackError(
                f"{self.data} was copied without the extended attributes of its files: copy it again with 'cp -a' or 'rsync -aX'."
            )
        return ()


def keeps_attributes(directory: Path) -> bool:
    """Tell whether the file system of a directory keeps attributes that users give to files.

    :raises OSError: it refuses for another reason.
    """
    if not hasattr(os, "setxattr"):
        return False
    try:
        os.setxattr(directory, PROBE_ATTRIBUTE, b"kept")
        os.removexattr(directory, PROBE_ATTRIBUTE)
    except OSError as refusal:
        if refusal.errno in NO_ATTRIBUTES:
            return False
        if refusal.errno not in NO_ROOM:
            raise
    return True
