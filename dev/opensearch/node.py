"""A node that runs: started on loopback behind a password, watched until it answers, and ended with its group."""

import base64
import hashlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from bitvault.stack.accounts import Account, give_tree
from dev.opensearch.assembling import ASSEMBLED, NotHere, assemble

HEAP = "256m"
"""With it a node takes 260 MiB idle and 450 MiB after thirty thousand documents."""

READY_SECONDS = 120.0
STOP_SECONDS = 15.0
USER = "bitvault"
UID = 60_843
"""The server refuses to run as root. As PostgreSQL's in ``bitvault.stack.accounts``, the account is nobody else's."""

_JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xss1m",
    "-XX:MaxDirectMemorySize=64m",
    "-XX:-OmitStackTraceInFastThrow",
    "-Djava.awt.headless=true",
    "-Djava.security.manager=allow",
    "-Djava.locale.providers=SPI,COMPAT",
    "-Dfile.encoding=UTF-8",
    "-Djna.nosys=true",
    "-Dio.netty.noUnsafe=true",
    "-Dio.netty.noKeySetOptimization=true",
    "-Dio.netty.recycler.maxCapacityPerThread=0",
    "-Dio.netty.allocator.numDirectArenas=0",
    "-Dlog4j.shutdownHookEnabled=false",
    "-Dlog4j2.disable.jmx=true",
    "-Dopensearch.distribution.type=tar",
)

_LOGGING = """status = error
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1.} %m%n
rootLogger.level = warn
rootLogger.appenderRef.out.ref = out
"""


class Node:
    """One node in a folder of the caller, and nowhere else: ``with Node(directory) as node`` and ``node.url``.

    :param directory: takes program, data, settings and log; the caller deletes it. Other accounts have to be able to enter it.
    """

    def __init__(self, directory: Path, *, port: int = 0, heap: str = HEAP) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.port = port or _find_port()
        self.password = secrets.token_urlsafe(24)
        self._heap = heap
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it answers, with its password."""
        return f"http://{USER}:{self.password}@127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Its process, which is its group as well."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        """Start it and wait until it answers.

        :raises NotHere: this machine cannot run a node.
        """
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    def start(self) -> None:
        """Start it and wait until it answers; after a stop it has the data that it had.

        :raises NotHere: this machine cannot run a node, or it ended by itself.
        """
        assemble(ASSEMBLED)
        if not self.home.is_dir():
            # Where an account without rights can read it.
            shutil.copytree(ASSEMBLED, self.home)
        account = Account(uid=UID, gid=UID) if os.geteuid() == 0 else None
        self._write_settings()
        if account is not None:
            give_tree(self.directory, account)
        with (self.directory / "node.log").open("ab") as log:
            self._process = self._launch(account, log)
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the node, by force if it takes long."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        self._process = None

    def call(self, path: str) -> Any:
        """Read an answer of the node.

        :raises OSError: it does not answer so.
        """
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}")
        login = base64.b64encode(f"{USER}:{self.password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
        with urllib.request.urlopen(request, timeout=3) as answer:  # noqa: S310 - loopback
            return json.load(answer)

    def _write_settings(self) -> None:
        for name in ("config", "data", "tmp"):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        settings = {
            "cluster.name": "bitvault",
            "node.name": "one",
            "node.processors": 2,
            "path.data": self.directory / "data",
            "path.logs": self.directory / "tmp",
            "network.host": "127.0.0.1",
            "http.port": self.port,
            "transport.port": _find_port(),
            "discovery.type": "single-node",
            "action.auto_create_index": "false",
            # A full disk of a test machine would make every index read-only.
            "cluster.routing.allocation.disk.threshold_enabled": "false",
            "bitvault.password": hashlib.sha256(f"{USER}:{self.password}".encode()).hexdigest(),
        }
        config = self.directory / "config"
        (config / "opensearch.yml").write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        (config / "opensearch.yml").chmod(0o600)
        (config / "log4j2.properties").write_text(_LOGGING)
        (config / "jvm.options").write_text("")

    def _launch(self, account: Account | None, log: IO[bytes]) -> subprocess.Popen[bytes]:
        temporary = self.directory / "tmp"
        java = shutil.which("java")
        if java is None:
            raise NotHere("java not installed")
        command = [
            java,
            f"-Xms{self._heap}",
            f"-Xmx{self._heap}",
            *_JVM,
            f"-Djava.io.tmpdir={temporary}",
            f"-Djna.tmpdir={temporary}",
            f"-Dopensearch.path.home={self.home}",
            f"-Dopensearch.path.conf={self.directory / 'config'}",
            "-cp",
            f"{self.home}/lib/*",
            "org.opensearch.bootstrap.OpenSearch",
        ]
        become: dict[str, Any] = (
            {} if account is None else {"user": account.uid, "group": account.gid, "extra_groups": []}
        )
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.directory,
            start_new_session=True,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            **become,
        )

    def _wait(self) -> None:
        until = time.monotonic() + READY_SECONDS
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise NotHere(f"the node ended by itself, see {self.directory / 'node.log'}")
            try:
                self.call("/_cluster/health?wait_for_status=yellow&timeout=2s")
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise NotHere(f"the node did not answer within {READY_SECONDS:.0f} s")


def _find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
