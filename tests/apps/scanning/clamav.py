"""A real clamd on loopback, with a database of one signature of our own: it starts in a moment, and asks nobody for updates."""

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

MARKER = b"This is no virus, but the mark by which BitVault's tests know one: 6d1f0c5e"
SIGNATURE = "BitVault.Test.Mark.UNOFFICIAL"
STREAM_LIMIT_BYTES = 3 * 1024 * 1024
READY_SECONDS = 30.0

program = shutil.which("clamd")


class Clamd:
    """A clamd that runs until ``stop``."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.socket_path = directory / "clamd.ctl"
        database = directory / "database"
        database.mkdir()
        (database / "bitvault.ndb").write_text(f"BitVault.Test.Mark:0:*:{MARKER.hex()}\n")
        (directory / "clamd.conf").write_text(
            "\n".join([
                "Foreground yes",
                f"DatabaseDirectory {database}",
                "TCPAddr 127.0.0.1",
                f"TCPSocket {self.port}",
                f"LocalSocket {self.socket_path}",
                f"StreamMaxLength {STREAM_LIMIT_BYTES}",
                "SelfCheck 0",
                "",
            ])
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"clamd://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert program is not None
        log = (self._directory / "clamd.log").open("ab")
        self._process = subprocess.Popen(
            [program, "--config-file", str(self._directory / "clamd.conf")], stdout=log, stderr=log
        )
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError((self._directory / "clamd.log").read_text())

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None
