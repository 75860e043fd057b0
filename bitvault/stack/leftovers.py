"""One supervisor for a directory at a time, and an end to whatever a killed one has left behind."""

import fcntl
import json
import os
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from bitvault.stack.errors import StackError
from bitvault.stack.process import MARKER, POLL_SECONDS

PROCESSES = Path("/proc")

# Most of them have got their death signal already and only need to finish.
POLITE_SECONDS = 10.0
KILL_SECONDS = 5.0


class SupervisorLock:
    """The lock that a running supervisor holds; the kernel takes it back when the process ends, however that happens."""

    def __init__(self, path: Path) -> None:
        """Describe a lock file; nothing is opened."""
        self._path = path
        self._stream: IO[str] | None = None

    def take(self) -> None:
        """Hold the lock until this process ends.

        :raises StackError: another supervisor holds it, or the directory has just been deleted.
        :raises OSError: the disk is full; the lock is held, and only by whom could not be noted.
        """
        deleted = StackError(f"{self._path.parent} has just been deleted: start again.")
        try:
            stream = self._path.open("a+", encoding="utf-8")
        except FileNotFoundError:
            raise deleted from None
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.close()
            raise self._refusal() from None
        if not self._is_at_its_place(stream):
            stream.close()
            raise deleted
        self._stream = stream
        os.ftruncate(stream.fileno(), 0)
        os.write(stream.fileno(), json.dumps({"pid": os.getpid()}).encode())

    def require_free(self) -> None:
        """Refuse where somebody holds the lock.

        :raises StackError: another supervisor does, or whoever deletes the directory.
        """
        if self.is_held():
            raise self._refusal()

    def _refusal(self) -> StackError:
        return StackError(
            f"BitVault runs already from {self._path.parent}, or is being deleted there (process {self.holder()}): "
            "use it, or end it with 'make down'."
        )

    def _is_at_its_place(self, stream: IO[str]) -> bool:
        try:
            return os.path.samestat(os.fstat(stream.fileno()), self._path.stat())
        except FileNotFoundError:
            return False

    def is_held(self) -> bool:
        """Tell whether a supervisor is running."""
        if not self._path.exists():
            return False
        with self._path.open("a", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def holder(self) -> int | None:
        """Name the process that took the lock last."""
        try:
            return int(json.loads(self._path.read_text(encoding="utf-8"))["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return None


def end_leftovers(directory: Path) -> int:
    """End every process that an earlier supervisor of this directory started; tell how many there were.

    To be called by the holder of the directory's lock only.
    """
    found = list_leftovers(directory)
    _end(directory, found, signal.SIGTERM, POLITE_SECONDS)
    _end(directory, list_leftovers(directory), signal.SIGKILL, KILL_SECONDS)
    return len(found)


def _end(directory: Path, pids: list[int], number: signal.Signals, patience: float) -> None:
    for pid in _leaders(pids) if number == signal.SIGTERM else pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
    deadline = time.monotonic() + patience
    while list_leftovers(directory) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _leaders(pids: list[int]) -> list[int]:
    """Choose those whom nobody among them will end: a server ends its own workers, in its own order."""
    leaders = []
    for pid in pids:
        with suppress(ProcessLookupError):
            session = os.getsid(pid)
            if session == pid or session not in pids:
                leaders.append(pid)
    return leaders


def list_leftovers(directory: Path) -> list[int]:
    """List the processes that belong to a stack in this directory, apart from our own."""
    entries = [entry for entry in PROCESSES.iterdir() if entry.name.isdigit()] if PROCESSES.exists() else []
    return [int(entry.name) for entry in entries if int(entry.name) != os.getpid() and _belongs(entry, directory)]


def _belongs(process: Path, directory: Path) -> bool:
    """Recognise by the marker in the environment, or, since PostgreSQL writes its title over that, by the place it runs in."""
    try:
        variables = (process / "environ").read_bytes().split(b"\0")
        place = (process / "cwd").readlink()
        is_zombie = (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
    marked = f"{MARKER}={directory}".encode() in variables
    return not is_zombie and (marked or place == directory / "postgresql")
