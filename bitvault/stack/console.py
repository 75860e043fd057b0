"""What the supervisor shows: one line per message, with the time and the name of the process in front; the same goes to a file."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import IO

from bitvault.stack.log_file import PIECE_BYTES, LogFile, tail

NAME_WIDTH = 10

COLOURS = {"web": 36, "sockets": 35, "worker": 32, "beat": 33, "bitvault": 1}
SERVER_COLOUR = 34


class Console:
    """The terminal, or whatever stands in its place."""

    def __init__(self, stream: IO[str], *, directory: Path) -> None:
        """Write to ``stream``; log files lie in ``directory``."""
        self._stream = stream
        self._directory = directory
        self._coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()
        self._copying: dict[str, threading.Thread] = {}

    @classmethod
    def standard(cls, directory: Path) -> "Console":
        """Use standard output."""
        return cls(sys.stdout, directory=directory)

    def say(self, message: str) -> None:
        """Report about the supervisor's own work."""
        self.line("bitvault", message)

    def line(self, name: str, message: str) -> None:
        """Show one line of a process."""
        now = datetime.now().astimezone().strftime("%H:%M:%S")
        prefix = f"{now} {name:<{NAME_WIDTH}}│"
        if self._coloured:
            prefix = f"\033[{COLOURS.get(name, SERVER_COLOUR)}m{prefix}\033[0m"
        self.show(f"{prefix} {message}")

    def show(self, text: str) -> None:
        """Show text as it is."""
        with self._lock:
            try:
                print(text, file=self._stream, flush=True)
            except (OSError, ValueError):
                # The terminal has gone; the files go on, and so does the service.
                return

    @contextmanager
    def output_of(self, name: str) -> Iterator[int]:
        """Lend the descriptor that a child writes to; every line is shown and kept until the child's last copy is closed."""
        reading, writing = os.pipe()
        copying = threading.Thread(target=self._copy, args=(name, reading), name=f"log of {name}", daemon=True)
        self._copying[name] = copying
        copying.start()
        try:
            yield writing
        finally:
            os.close(writing)

    def tail(self, name: str) -> str:
        """Give the last lines of a process, as its file has them."""
        return tail(self._directory / f"{name}.log", self._copying.get(name))

    def _copy(self, name: str, pipe: int) -> None:
        with open(pipe, "rb") as lines, closing(LogFile(self._directory / f"{name}.log", self.say)) as kept:
            while line := lines.readline(PIECE_BYTES):
                text = line.decode(errors="replace").rstrip("\n")
                kept.write(f"{text}\n".encode())
                self.line(name, text)
