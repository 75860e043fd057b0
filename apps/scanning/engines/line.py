"""A connection to a scanner: each step has a deadline, and an answer that comes early is heard while bytes are sent."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

from apps.scanning.engines.port import ScanBroken, ScannerDown

CONNECT_SECONDS = 5.0
STEP_SECONDS = 30.0
"""How long one step of sending may take: a scanner that takes no more bytes is as good as gone."""
ANSWER_SECONDS = 300.0
"""How long the verdict may take once all has been sent: archives within archives are unpacked there."""
ANSWER_LIMIT_BYTES = 64 * 1024
"""How much of an answer is read: verdicts are a line, heads a few."""

Address = tuple[str, int] | str


class Line:
    """One connection, for one question."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._read = bytearray()
        self._answer_by = 0.0

    def send(self, data: bytes | memoryview) -> None:
        """Send all of it.

        :raises ScanBroken: it breaks off, or takes nothing for too long.
        """
        self._socket.settimeout(STEP_SECONDS)
        try:
            self._socket.sendall(data)
        except OSError as error:
            raise ScanBroken(f"sending: {type(error).__name__}") from error

    @property
    def has_answer(self) -> bool:
        """Whether the scanner says something already, or has hung up."""
        asked = select.poll()
        asked.register(self._socket, select.POLLIN | select.POLLHUP)
        return bool(asked.poll(0))

    def read_until(self, mark: bytes) -> bytes | None:
        """Read up to a mark, which is left out; ``None`` where the scanner hangs up before. Together with all reads, within the deadline.

        :raises ScanBroken: nothing comes for too long, or too much.
        """
        while mark not in self._read:
            if len(self._read) > ANSWER_LIMIT_BYTES:
                raise ScanBroken("its answer has no end")
            if not (more := self._receive()):
                return None
            self._read += more
        found, _, rest = bytes(self._read).partition(mark)
        self._read = bytearray(rest)
        return found

    def _receive(self) -> bytes:
        self._answer_by = self._answer_by or time.monotonic() + ANSWER_SECONDS
        left = self._answer_by - time.monotonic()
        if left <= 0:
            raise ScanBroken("no verdict in its time")
        self._socket.settimeout(left)
        try:
            return self._socket.recv(16 * 1024)
        except ConnectionError:
            return b""
        except OSError as error:
            raise ScanBroken(f"reading: {type(error).__name__}") from error


@contextmanager
def open_line(address: Address) -> Iterator[Line]:
    """Connect to a host and port, or to a socket in the file system.

    :raises ScannerDown: nobody answers there.
    """
    try:
        if isinstance(address, str):
            connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            connected.settimeout(CONNECT_SECONDS)
            connected.connect(address)
        else:
            connected = socket.create_connection(address, timeout=CONNECT_SECONDS)
    except OSError as error:
        raise ScannerDown(f"connecting: {type(error).__name__}") from error
    with connected:
        yield Line(connected)


def cut(piece: bytes, limit_bytes: int) -> Iterator[memoryview]:
    """Cut a piece into smaller ones, without copies."""
    view = memoryview(piece)
    for at in range(0, len(view), limit_bytes):
        yield view[at : at + limit_bytes]
