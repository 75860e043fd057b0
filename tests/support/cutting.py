"""A client whose line is cut: in the middle of a request, while the server works on it, or in the middle of the answer.

To cut at a certain moment, the server is made to stand still there: a table that the request writes is locked, so the request waits at that
write, or at the number of its events, which is the last thing before a commit.
"""

import json
import select
import socket
import struct
import time
from contextlib import contextmanager
from typing import Any

from tests.support.live import Live

PATIENCE_SECONDS = 20.0
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends a reset instead of a farewell."""

_WAITING = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""


class CutLine:
    """Sends one request and cuts the line."""

    def __init__(self, live: Live, headers: dict[str, str], method: str, path: str, body: Any) -> None:
        self._live = live
        content = b"" if body is None else json.dumps(body).encode()
        lines = {
            "Host": f"127.0.0.1:{live.port}",
            **headers,
            "Content-Length": str(len(content)),
            **({"Content-Type": "application/json"} if content else {}),
        }
        head = [f"{method} /api/v1{path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())]
        self._request = "\r\n".join(head).encode() + b"\r\n\r\n" + content

    def in_the_request(self) -> None:
        """Cut before the last byte of the request was sent."""
        line = self._connect()
        line.sendall(self._request[:-1])
        line.close()

    def before_the_commit(self, table: str) -> None:
        """Cut while the server waits to write, and kill what it would have committed."""
        with self._held(table) as (line, watcher):
            line.close()
            for pid in self._waiting(watcher):
                watcher.execute("SELECT pg_terminate_backend(%s)", [pid])
            self._await(lambda: not self._waiting(watcher))

    def before_the_answer(self, table: str) -> None:
        """Cut while the server waits to write, and then let it go on to its commit: nobody is there to be answered."""
        with self._held(table) as (line, _):
            line.close()

    def in_the_answer(self) -> None:
        """Cut when the answer has begun to arrive."""
        line = self._connect()
        line.sendall(self._request)
        assert select.select([line], [], [], PATIENCE_SECONDS)[0], "no answer"
        line.close()

    def _connect(self) -> socket.socket:
        line = socket.create_connection(("127.0.0.1", self._live.port), timeout=PATIENCE_SECONDS)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return line

    @contextmanager
    def _held(self, table: str):
        """Send the request and wait until it waits for the table. Who watches stands outside the transaction that holds: inside, the
        statistics stay as they were first read."""
        with self._live.database() as watcher, self._live.database() as holder, holder.transaction(force_rollback=True):
            holder.execute(f"LOCK TABLE {table} IN EXCLUSIVE MODE")
            line = self._connect()
            line.sendall(self._request)
            self._await(lambda: self._waiting(watcher) or self._refuse_answer(line))
            yield line, watcher

    @staticmethod
    def _refuse_answer(line: socket.socket) -> None:
        """Fail when there is an answer already: the request does not write that table."""
        if select.select([line], [], [], 0)[0]:
            raise AssertionError(f"answered without waiting: {line.recv(4096)!r}")

    @staticmethod
    def _waiting(database: Any) -> list[int]:
        return [pid for (pid,) in database.execute(_WAITING).fetchall()]

    @staticmethod
    def _await(condition) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, "the server does not come there"
            time.sleep(0.005)
