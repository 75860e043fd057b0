"""What the machine itself does in the same run: the store without BitVault, the database without BitVault."""

import base64
import hashlib
import itertools
import os
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

import boto3
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from benchmarks import load
from benchmarks.http11 import Connection, target_of
from benchmarks.vault import Vault
from bitvault.stack.postgresql import installed_binaries

SMALL_BYTES = 4096
_LIFETIME_SECONDS = 3600
_SIGNED_AHEAD_PER_SECOND = 5_000
"""More than the store takes, so that signing never stands in the measured time."""


class Store:
    """The object store as a client with its keys sees it: plain signed requests, the same ones that BitVault hands out."""

    def __init__(self, vault: Vault) -> None:
        environment = vault.servers.environment()
        self.endpoint = environment["BITVAULT_S3_ENDPOINT_URL"]
        self.bucket = environment["BITVAULT_S3_BUCKET"]
        self._region = environment["BITVAULT_S3_REGION"]
        keys = environment["BITVAULT_S3_ACCESS_KEY_ID"], environment["BITVAULT_S3_SECRET_ACCESS_KEY"]
        self._signer = S3SigV4QueryAuth(Credentials(*keys), "s3", self._region, _LIFETIME_SECONDS)
        self.client: Any = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self._region,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )

    def sign(
        self, method: str, key: str, *, query: dict[str, str] | None = None, headers: dict[str, str] | None = None
    ) -> str:
        """Sign a request and give its target."""
        asked = f"?{urlencode(query, quote_via=quote)}" if query else ""
        request = AWSRequest(method, f"{self.endpoint}/{self.bucket}/{key}{asked}", headers=headers or {})
        self._signer.add_auth(request)
        return target_of(str(request.url))

    def connect(self) -> Connection:
        return Connection.to(self.endpoint)


def checksum_header(digest: bytes) -> dict[str, str]:
    return {"x-amz-checksum-sha256": base64.b64encode(digest).decode()}


class SmallPayloads:
    """Bytes of small files, each unlike every other one."""

    def __init__(self, size_bytes: int = SMALL_BYTES) -> None:
        # Content that the caller has in the vault already would not be sent a second time.
        self._rest = hashlib.shake_128(os.urandom(16)).digest(size_bytes - 16)
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def next(self) -> tuple[int, bytes]:
        with self._lock:
            number = next(self._numbers)
        return number, number.to_bytes(16, "big") + self._rest


@dataclass
class Machine:
    """The physical rates, each measured when first asked for."""

    vault: Vault
    seconds: float
    crowd: int = load.CROWD
    _signed: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)

    @cached_property
    def store(self) -> Store:
        return Store(self.vault)

    @cached_property
    def small_puts(self) -> load.Rate:
        """PUT 4 KiB objects with signed URLs."""
        self._signed = list(self._sign_small(int(self.seconds * _SIGNED_AHEAD_PER_SECOND)))
        waiting = list(self._signed)

        def worker() -> load.Step:
            connection = self.store.connect()

            def step() -> None:
                target, headers, payload = waiting.pop()
                connection.request("PUT", target, headers=headers, body=payload)

            return step

        with self.vault.metered() as meter:
            rate = load.run_for(self.seconds, [worker() for _ in range(self.crowd)])
        rate.meter = meter
        self._signed = self._signed[len(waiting) :]
        return rate

    def _sign_small(self, count: int) -> Iterator[tuple[str, dict[str, str], bytes]]:
        payloads = SmallPayloads()
        for _ in range(count):
            number, payload = payloads.next()
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Encoding": "identity",
                **checksum_header(hashlib.sha256(payload).digest()),
            }
            signed = {**headers, "Content-Length": str(len(payload))}
            yield self.store.sign("PUT", f"bench/{number}", headers=signed), headers, payload

    @cached_property
    def small_gets(self) -> load.Rate:
        """GET 4 KiB objects with signed URLs."""
        count = min(2000, self.small_puts.count)
        total = int(self.seconds * _SIGNED_AHEAD_PER_SECOND)
        put = self._signed[-count:]
        keys = [target.split("?")[0].partition(f"/{self.store.bucket}/")[2] for target, _, _ in put]
        targets = itertools.cycle([self.store.sign("GET", key) for key in keys[: min(len(keys), total)]])
        lock = threading.Lock()

        def worker() -> load.Step:
            connection = self.store.connect()

            def step() -> None:
                with lock:
                    target = next(targets)
                connection.get(target)

            return step

        with self.vault.metered() as meter:
            rate = load.run_for(self.seconds, [worker() for _ in range(self.crowd)])
        rate.meter = meter
        return rate

    @cached_property
    def commits(self) -> float:
        """One-row INSERT and commit in PostgreSQL, by its own pgbench, as many clients as ours."""
        with self.vault.database() as database:
            database.execute("CREATE SCHEMA IF NOT EXISTS bench")
            database.execute("CREATE TABLE IF NOT EXISTS bench.row (id bigserial PRIMARY KEY, name text)")
        script = "INSERT INTO bench.row (name) VALUES ('a name of some length');\n"
        return self._pgbench(script)

    @cached_property
    def selects(self) -> float:
        """SELECT of one row by key in PostgreSQL, by its own pgbench."""
        assert self.commits
        return self._pgbench("\\set id random(1, 1000)\nSELECT name FROM bench.row WHERE id = :id;\n")

    def _pgbench(self, script: str) -> float:
        command = [
            str(installed_binaries() / "pgbench"),
            *("--no-vacuum", "--client", str(self.crowd), "--jobs", "1", "--time", str(max(2, int(self.seconds)))),
            *("--protocol", "prepared", "--file", "/dev/stdin"),
            self.vault.servers.postgresql.admin_url,
        ]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=True)
        for line in done.stdout.splitlines():
            if line.startswith("tps = "):
                return float(line.split()[2])
        raise AssertionError(done.stdout)
