"""Where backups are kept: a directory, or a bucket of any S3 store.

A target knows names like ``objects/<key>`` and ``backups/<id>/manifest.json``. What it has under a name is whole: nothing that was
interrupted is ever seen.
"""

from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from bitvault.backup.buckets import BucketSettings, BucketTarget
from bitvault.backup.directories import DirectoryTarget
from bitvault.backup.errors import BackupError


class Target(Protocol):
    """Keeps named bytes."""

    name: str
    """What operators read; holds no secret."""

    @property
    def work(self) -> Path | None:
        """Where files may lie until they are brought here; the system's own place for such, if none."""

    def write(self, name: str, pieces: Iterable[bytes], *, size_bytes: int) -> None:
        """Write something; nothing of it is kept when ``pieces`` raises."""

    def read(self, name: str) -> Iterator[bytes]:
        """Read something in pieces of up to 8 MiB; raises ``FileNotFoundError``."""

    def find_sizes(self, names: Collection[str]) -> dict[str, int]:
        """Tell the sizes of those of these names that are there."""

    def list_folders(self, folder: str) -> list[str]:
        """List the names of the folders in a folder."""

    def list_names(self, folder: str) -> list[str]:
        """List the names of all that lies in a folder, however deep."""

    def delete(self, names: Collection[str]) -> None:
        """Delete what is there of these."""


def open_target(address: str, settings: BucketSettings) -> Target:
    """Open ``s3://bucket/prefix``, or a directory by its absolute path.

    :raises BackupError: it is neither.
    """
    if address.startswith("s3://"):
        bucket, _, prefix = address.removeprefix("s3://").partition("/")
        if not bucket:
            raise BackupError("Name a bucket: s3://bucket/prefix.")
        return BucketTarget(bucket=bucket, prefix=prefix.strip("/"), settings=settings)
    path = Path(address)
    if not path.is_absolute():
        raise BackupError(f"Name an absolute path, or s3://bucket/prefix; this is neither: {address!r}.")
    return DirectoryTarget(path)
