"""Servers for one run of tests or one day of development: free ports, nothing flushed to disk."""

import json
import shutil
import sys
from pathlib import Path
from types import TracebackType

from bitvault.stack.ports import free_ports
from bitvault.stack.secrets import ensure_secrets, write_private
from bitvault.stack.servers import WEB_PORTS, Servers, server_ports
from bitvault.stack.store_choice import asked_store, obtain_store
from bitvault.stack.stores import StoreKind


class ThrowawayServices:
    """Real servers that nobody will miss.

    ``with ThrowawayServices(directory) as env:`` gives the environment variables, which ``env.json`` in the directory holds
    as well; ``BITVAULT_DATABASE_ADMIN_URL`` among them is the superuser's. Start and stop from the main thread.
    """

    def __init__(self, directory: Path, *, store: StoreKind | None = None) -> None:
        """Describe servers in a directory of their own; nothing is started, but the program of the store may be built.

        :raises StackError: the store that is asked for cannot be had.
        """
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = obtain_store(_say, store or asked_store())
        self.directory = directory
        self.servers = Servers(
            directory=directory,
            ports=free_ports((*server_ports(store), *WEB_PORTS)),
            secrets=ensure_secrets(directory / "secrets.json"),
            store=store,
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
        for server in (self.servers.postgresql, self.servers.valkey, self.servers.store):
            shutil.rmtree(server.directory)


def _say(message: str) -> None:
    print(f"bitvault: {message}", file=sys.stderr, flush=True)
