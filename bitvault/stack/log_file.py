"""What a process writes, kept in a file that never grows beyond a size, whoever writes how much, and that survives a full disk."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

# Two files of this size per process: enough to look back over a bad day, too little to fill a disk.
LOG_BYTES = 10 * 1024 * 1024

# How much of a line is taken at once: a process that never ends its line fills no memory.
PIECE_BYTES = 64 * 1024

# What is quoted where a process has failed, and how long its last words are waited for.
TAIL_LINES, TAIL_SECONDS = 5, 1.0


class LogFile:
    """A file and one older one. What cannot be written is dropped and counted, and told once; a process is never held up by its log."""

    def __init__(self, path: Path, say: Callable[[str], None] | None = None) -> None:
        """Write to ``path``; ``say`` hears when that fails for the first time, and when it works again."""
        self._path = path
        self._say = say
        self._descriptor: int | None = None
        self._size = 0
        self._dropped = 0

    def write(self, line: bytes) -> None:
        """Keep a line, or a piece of a long one."""
        try:
            self._append(line)
        except OSError as refusal:
            self._dropped += 1
            self._close()
            if self._dropped == 1:
                self._tell(f"{self._path} cannot be written ({refusal.strerror}): its lines are dropped until it can")
            return
        if self._dropped:
            self._tell(f"{self._path} can be written again; {self._dropped} lines were dropped")
            self._dropped = 0

    def close(self) -> None:
        """Close the file; the next line opens it anew."""
        self._close()

    def _append(self, line: bytes) -> None:
        if self._descriptor is not None and self._size + len(line) > LOG_BYTES:
            self._close()
        if self._descriptor is None:
            self._open(len(line))
        assert self._descriptor is not None  # noqa: S101 - opened just now
        left = memoryview(line)
        while left:
            written = os.write(self._descriptor, left)
            self._size += written
            left = left[written:]

    def _open(self, coming: int) -> None:
        if self._path.exists() and self._path.stat().st_size + coming > LOG_BYTES:
            self._path.replace(self._path.with_name(f"{self._path.name}.1"))
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._descriptor).st_size

    def _close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _tell(self, message: str) -> None:
        if self._say is not None:
            self._say(message)


class QuietOutput:
    """The output of servers that are not shown: each writes into a pipe that a thread empties into its file."""

    def __init__(self, directory: Path, say: Callable[[str], None] | None = None) -> None:
        """Keep the files in ``directory``; ``say`` hears when one cannot be written."""
        self._directory = directory
        self._say = say
        self._copying: dict[str, threading.Thread] = {}

    def path_of(self, name: str) -> Path:
        """Name the file of a process."""
        return self._directory / f"{name}.log"

    @contextmanager
    def of(self, name: str) -> Iterator[int]:
        """Lend the descriptor that a child writes to; every line is kept until the child's last copy is closed."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        with suppress(OSError):
            # Who looks for it finds it, though nothing was said yet.
            self.path_of(name).touch(mode=0o600)
        reading, writing = os.pipe()
        copying = threading.Thread(target=self._copy, args=(name, reading), name=f"log of {name}", daemon=True)
        self._copying[name] = copying
        copying.start()
        try:
            yield writing
        finally:
            os.close(writing)

    def _copy(self, name: str, pipe: int) -> None:
        with open(pipe, "rb") as lines, closing(LogFile(self.path_of(name), self._say)) as kept:
            while line := lines.readline(PIECE_BYTES):
                kept.write(line)

    def tail(self, name: str) -> str:
        """Give the last lines of a process that has ended, or of one that goes on."""
        return tail(self.path_of(name), self._copying.get(name))


def tail(path: Path, copying: threading.Thread | None) -> str:
    """Give the last lines of a log, indented to stand below a sentence; what was written to it just now gets a moment to arrive."""
    if copying is not None:
        copying.join(TAIL_SECONDS)
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL_LINES:]
    except FileNotFoundError:
        lines = []
    return "\n".join(f"    {line}" for line in lines)
