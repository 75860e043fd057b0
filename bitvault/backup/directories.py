"""Backups in a directory: a disk of its own, or one that is mounted."""

import os
import shutil
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from uuid import uuid4

from bitvault.backup.errors import BackupError

PIECE_BYTES = 8 * 1024**2

UNFINISHED = ".unfinished"
"""Where files grow until they are whole; what lies there when a backup begins is left of one that died."""


class DirectoryTarget:
    """Keeps named bytes as files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.name = str(root)
        self._growing = root / UNFINISHED

    @property
    def work(self) -> Path | None:
        """Where files may lie until they are whole.

        :raises BackupError: the directory cannot be written.
        """
        try:
            self._growing.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise BackupError(f"{self.root} cannot be written: {error.strerror}.") from error
        return self._growing

    def write(self, name: str, pieces: Iterable[bytes], *, size_bytes: int) -> None:
        """Write a file beside its place, flush it, and rename it."""
        place = self._place(name)
        growing = self._growing / uuid4().hex
        try:
            self._growing.mkdir(mode=0o700, parents=True, exist_ok=True)
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with growing.open("xb") as file:
                for piece in pieces:
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            growing.replace(place)
            _sync_folder(place.parent)
        except BaseException:
            growing.unlink(missing_ok=True)
            raise

    def read(self, name: str) -> Iterator[bytes]:
        """Read a file in pieces."""
        with self._place(name).open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    def find_sizes(self, names: Collection[str]) -> dict[str, int]:
        """Ask for each file."""
        found = {}
        for name in names:
            try:
                found[name] = self._place(name).stat().st_size
            except FileNotFoundError:
                continue
        return found

    def list_folders(self, folder: str) -> list[str]:
        """List the folders in a folder; none where there is no such."""
        try:
            return sorted(each.name for each in os.scandir(self._place(folder)) if each.is_dir())
        except FileNotFoundError:
            return []

    def list_names(self, folder: str) -> list[str]:
        """List all files below a folder."""
        place = self._place(folder)
        return sorted(str(each.relative_to(self.root)) for each in place.rglob("*") if each.is_file())

    def delete(self, names: Collection[str]) -> None:
        """Delete files, and the folders that are empty then."""
        for name in names:
            place = self._place(name)
            place.unlink(missing_ok=True)
            for folder in place.parents:
                if folder == self.root or not _remove_empty(folder):
                    break

    def clear_unfinished(self) -> None:
        """Delete what writers have left that died. Nobody else may write meanwhile."""
        shutil.rmtree(self.root / UNFINISHED, ignore_errors=True)

    def _place(self, name: str) -> Path:
        place = self.root / name
        if ".." in place.parts:
            raise BackupError(f"{name!r} is no name in a backup.")
        return place


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


def _sync_folder(folder: Path) -> None:
    """Take a new name to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
