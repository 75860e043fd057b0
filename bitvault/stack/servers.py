"""The three servers of a stack together: started side by side, made ready, stopped in order."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from bitvault.kernel.child import tied
from bitvault.stack.caddy import DOWNLOAD_PORT, Reach
from bitvault.stack.errors import StackError
from bitvault.stack.layout import ROOT
from bitvault.stack.log_file import QuietOutput
from bitvault.stack.ports import LOOPBACK
from bitvault.stack.postgresql import PostgreSQL
from bitvault.stack.process import POLL_SECONDS, ChildGroup
from bitvault.stack.secrets import StackSecrets
from bitvault.stack.store_choice import STORES
from bitvault.stack.stores import ASSETS_BUCKET, BUCKET, REGION, StoreKind, StoreOrigins
from bitvault.stack.valkey import Valkey

WEB_PORTS = ("web", "wsgi", "sockets")

DEMO_TENANT = "demo"
SOCKET_PATH = "/ws/v1/sync"

# The slowest restart of the store that was ever measured took 8 s; a machine under load gets room.
READY_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a stack is reached: pages, REST and sockets by one origin, and the store where its URLs are signed for."""

    base_url: str
    # For programs: without a domain, they need not resolve names under ``localhost``.
    plain_url: str
    demo_url: str
    socket_url: str
    # The pages of all tenants, with their host name as ``*``.
    tenants_url: str
    store_url: str
    # Through the front, which adds what the embedded stores lack; the store itself where no front runs.
    download_url: str

    @classmethod
    def of(cls, ports: Mapping[str, int], reach: Reach | None = None) -> Self:
        """Derive the addresses from the ports, and from the domain if there is one."""
        reach = reach or Reach(port=ports["web"])
        if reach.domain:
            name, end = reach.domain, reach.suffix
            return cls(
                base_url=f"https://{name}{end}",
                plain_url=f"https://{name}{end}",
                demo_url=f"https://{DEMO_TENANT}.{name}{end}",
                socket_url=f"wss://{name}{end}{SOCKET_PATH}",
                tenants_url=f"https://*.{name}{end}",
                store_url=f"https://store.{name}{end}",
                download_url=f"https://store.{name}{end}",
            )
        end = reach.suffix
        return cls(
            base_url=f"http://localhost{end}",
            plain_url=f"http://{LOOPBACK}:{reach.port}",
            demo_url=f"http://{DEMO_TENANT}.localhost{end}",
            socket_url=f"ws://{LOOPBACK}:{reach.port}{SOCKET_PATH}",
            tenants_url=f"http://*.localhost{end}",
            store_url=f"http://{LOOPBACK}:{ports['s3']}",
            download_url=f"http://{LOOPBACK}:{ports.get(DOWNLOAD_PORT, ports['s3'])}",
        )


def server_ports(store: StoreKind) -> tuple[str, ...]:
    """Name the ports of the servers, with this store among them."""
    return ("postgresql", "valkey", *STORES[store].port_names)


class Servers:
    """PostgreSQL, Valkey and the object store of one directory."""

    def __init__(
        self,
        *,
        directory: Path,
        ports: dict[str, int],
        secrets: StackSecrets,
        store: StoreKind,
        throwaway: bool = False,
        reach: Reach | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        """Describe the servers; nothing is started. ``say`` hears when a log cannot be written."""
        self.directory = directory
        self.ports = ports
        self.addresses = Addresses.of(ports, reach)
        self._secrets = secrets
        self._throwaway = throwaway
        self._output = QuietOutput(directory / "log", say)
        self.group = ChildGroup(stack_directory=directory, output=self._output.of)
        self.postgresql = PostgreSQL(
            directory=directory / "postgresql",
            port=ports["postgresql"],
            admin_password=secrets.database_admin_password,
            password=secrets.database_password,
            throwaway=throwaway,
        )
        self.valkey = Valkey(directory=directory / "valkey", port=ports["valkey"], password=secrets.valkey_password)
        self.store = STORES[store](
            directory=directory / store,
            ports={name: ports[name] for name in STORES[store].port_names},
            secrets=secrets,
            origins=StoreOrigins(bare=self.addresses.base_url, tenants=self.addresses.tenants_url),
        )

    def start(self) -> None:
        """Start all three at once and wait until each does real work.

        :raises StackError: one of them ended, or was not ready in time; the others are stopped again.
        """
        try:
            # The store first: it needs longest. The database's first preparation runs meanwhile.
            self.group.launch(self.store.prepare())
            with self._preparing_buckets() as preparing:
                self.group.launch(self.valkey.prepare())
                self.group.launch(self.postgresql.prepare())
                deadline = time.monotonic() + READY_SECONDS
                self._await("postgresql", self.postgresql.is_ready, deadline)
                self.postgresql.prepare_database()
                self._await("valkey", self.valkey.is_ready, deadline)
                self._await(self.store.kind, lambda: preparing.poll() is not None, deadline)
        except BaseException:
            self.stop()
            raise

    @contextmanager
    def _preparing_buckets(self) -> "Iterator[subprocess.Popen[str]]":
        """Have the buckets made as soon as the store is ready, beside the start of the other servers.

        :raises StackError: the store refuses.
        """
        with subprocess.Popen(
            tied([sys.executable, "-m", "bitvault.stack.buckets"]),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as preparing:
            try:
                if preparing.stdin is not None:
                    preparing.stdin.write(json.dumps(asdict(self.store.access)))
                    preparing.stdin.close()
                yield preparing
                if preparing.returncode != 0 and preparing.stderr is not None:
                    raise StackError(f"The object store refused to make its buckets: {preparing.stderr.read().strip()}")
            finally:
                preparing.kill()

    def log_of(self, name: str) -> Path:
        """Name the file that holds what a server writes."""
        return self._output.path_of(name)

    def _await(self, name: str, is_ready: Callable[[], bool], deadline: float) -> None:
        child = next(child for child in self.group.children if child.program.name == name)
        while not is_ready():
            if child.exit_code() is not None:
                raise StackError(
                    f"{name} ended while starting; the end of {self.log_of(name)} says:\n{self._output.tail(name)}"
                )
            if time.monotonic() > deadline:
                raise StackError(
                    f"{name} was not ready within {READY_SECONDS:.0f} seconds; "
                    f"the end of {self.log_of(name)} says:\n{self._output.tail(name)}"
                )
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """Ask all three to stop, wait, and kill what stays; whoever writes to them has ended before."""
        had_started = bool(self.group.children)
        self.group.stop()
        self.store.clean_up()
        if had_started and not self._throwaway:
            self.store.settle()

    def environment(self) -> dict[str, str]:
        """Give the variables that lead an application to these servers."""
        return {
            "BITVAULT_SECRET_KEY": self._secrets.django_secret_key,
            "BITVAULT_DATABASE_URL": self.postgresql.url,
            "BITVAULT_DATABASE_OWNER_URL": self.postgresql.url,
            "BITVAULT_REDIS_URL": self.valkey.url,
            "BITVAULT_S3_ENDPOINT_URL": self.store.endpoint_url,
            "BITVAULT_S3_PUBLIC_ENDPOINT_URL": self.addresses.store_url,
            "BITVAULT_S3_DOWNLOAD_ENDPOINT_URL": self.addresses.download_url,
            "BITVAULT_S3_REGION": REGION,
            "BITVAULT_S3_ACCESS_KEY_ID": self._secrets.s3_access_key_id,
            "BITVAULT_S3_SECRET_ACCESS_KEY": self._secrets.s3_secret_access_key,
            "BITVAULT_S3_BUCKET": BUCKET,
            "BITVAULT_S3_ASSETS_BUCKET": ASSETS_BUCKET,
            # A throw-away stack flushes nothing, as its PostgreSQL does not.
            "BITVAULT_S3_FLUSH_DIRECTORY": "" if self._throwaway else str(self.store.directory),
            "BITVAULT_BASE_URL": self.addresses.base_url,
        }
