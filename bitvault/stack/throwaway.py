"""Servers for one run of tests or one day of development: free ports, nothing flushed to disk."""

import json
import shutil
from pathlib import Path
from types import TracebackType

from bitvault.stack.ports import free_ports
from bitvault.stack.secrets import ensure_secrets, write_private
from bitvault.stack.servers import SERVER_PORTS, WEB_PORTS, Servers


class ThrowawayServices:
    """Real servers that nobody will miss.

    ``with ThrowawayServices(directory) as env:`` gives the environment variables, which ``env.json`` in the directory holds
    as well; ``BITVAULT_DATABASE_ADMIN_URL`` among them is the superuser's. Start and stop from the main thread.
    """

    def __init__(self, directory: Path) -> None:
        """Describe servers in a directory of their own; nothing is started."""
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory = directory
        self.servers = Servers(
            directory=directory,
            ports=free_ports((*SERVER_PORTS, *WEB_PORTS)),
            secrets=ensure_secrets(directory / "secrets.json"),
            throwaway=True,
        )

    @property
    def environment_file(self) -> Path:
        """Name the file that holds the variables while the servers run."""
        return self.directory / "env.json"

    def __enter__(self) -> dict[str, str]:
        """Start the servers and give the variables that lead to them."""
        self.servers.start()
        environment = {
            **self.servers.environment(),
            "BITVAULT_DATABASE_ADMIN_URL": self.servers.postgresql.admin_url,
        }
        write_private(self.environment_file, json.dumps(environment, indent=2) + "\n")
        return environment

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the servers and throw their data away; logs stay in the directory, which is the caller's to delete."""
        self.environment_file.unlink(missing_ok=True)
        self.servers.stop()
        for server in (self.servers.postgresql, self.servers.valkey, self.servers.seaweedfs):
            shutil.rmtree(server.directory)
