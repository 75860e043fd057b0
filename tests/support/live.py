"""BitVault's own processes, as `make up` runs them, on a free port and a database of their own.

PostgreSQL and the object store are the test run's; the database is a clone, Valkey is another one, so that a worker that is started
here never takes a task of another test.
"""

import io
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import boto3
import httpx
import psycopg
from botocore.config import Config
from celery import Celery
from kombu.exceptions import OperationalError
from redis import Redis

from bitvault.stack import fingerprints
from bitvault.stack.applications import Applications, answers
from bitvault.stack.caddy import DOWNLOAD_PORT, HTTP_PORT, listens
from bitvault.stack.console import Console
from bitvault.stack.layout import ROOT, Layout
from bitvault.stack.ports import LOOPBACK, free_ports
from bitvault.stack.process import POLL_SECONDS, Child
from bitvault.stack.valkey import Valkey
from tests.support import databases
from tests.support.world import ACME, BETA, PASSWORD

SETTINGS = "tests.support.live_settings"
CORS_LOCK = 4243
"""Tests of several processes add their origin to the one bucket; each reads, adds and writes under this lock."""
READY_SECONDS = 60.0

logging.getLogger("httpx").setLevel(logging.WARNING)


class LiveClient:
    """A REST client of one token's holder, over HTTP: paths below /api/v1, JSON in, JSON out."""

    def __init__(self, base_url: str, *, token: str | None = None, host: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(
            base_url=f"{base_url}/api/v1",
            headers={**headers, **({"Host": host} if host else {})},
            timeout=httpx.Timeout(30.0),
            verify=False,  # noqa: S501 - no TLS here, and preparing it takes longer than a request
        )

    def request(
        self, method: str, path: str, /, body: Any = None, *, headers: dict[str, str] | None = None, **query: Any
    ):
        if body is None:
            return self.http.request(method, path, headers=headers, params=query or None)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **(headers or {})}
        return self.http.request(method, path, headers=headers, params=query or None, content=content)

    def get(self, path: str, /, **query: Any):
        return self.request("GET", path, **query)

    def post(self, path: str, body: Any = None, *, headers: dict[str, str] | None = None):
        return self.request("POST", path, {} if body is None else body, headers=headers)

    def patch(self, path: str, body: Any, *, revision: int | None = None):
        return self.request("PATCH", path, body, headers=None if revision is None else {"If-Match": f'"{revision}"'})

    def delete(self, path: str):
        return self.request("DELETE", path)

    def close(self) -> None:
        self.http.close()


class Relay:
    """Calls the consumers that lag each second, as beat does, and does nothing else of beat's.

    What a worker that is killed had taken from the broker is lost, and a commit that follows at once sends no second message for it: only
    the relay makes up for that.
    """

    def __init__(self, broker: str) -> None:
        self._celery = Celery(broker=broker, set_as_current=False)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._ended.wait(1.0):
            with suppress(OperationalError):
                self._celery.send_task("events.relay", queue="relay", expires=2, ignore_result=True, retry=False)

    def end(self) -> None:
        self._ended.set()
        self._thread.join(timeout=10)
        self._celery.close()


def _waiting(broker: Redis) -> set[str]:
    """Name the clients of Valkey that wait for a message: a worker that has just been killed may be among them for a moment."""
    return {one["id"] for one in broker.client_list() if "b" in one["flags"]}


class Live:
    """A BitVault that serves; ``mia@acme.test`` is who ``email``, ``password`` and ``token`` belong to."""

    email = "mia@acme.test"
    password = PASSWORD
    token = ACME.people["mia"].token

    def __init__(
        self, *, template: str, name: str, changes: dict[str, str] | None = None, origins: bool = True
    ) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="bitvault-live-"))
        store_url = (changes or {}).get(
            "BITVAULT_S3_PUBLIC_ENDPOINT_URL", os.environ["BITVAULT_S3_PUBLIC_ENDPOINT_URL"]
        )
        self.ports = free_ports(("web", "wsgi", "sockets", "valkey", DOWNLOAD_PORT))
        self.ports["s3"] = urlsplit(store_url).port or HTTP_PORT
        self.database_name = name
        self._template = template
        self._origins = origins
        self._clients: list[LiveClient] = []
        self.layout = Layout(self.directory)
        self.layout.log.mkdir()
        self.valkey = Valkey(
            directory=self.directory / "valkey", port=self.ports["valkey"], password=secrets.token_hex(16)
        )
        self.variables = {
            "BITVAULT_DATABASE_URL": self.database_url,
            "BITVAULT_DATABASE_OWNER_URL": self.database_url,
            "BITVAULT_REDIS_URL": self.valkey.url,
            "BITVAULT_BASE_URL": self.bare_url,
            "BITVAULT_S3_DOWNLOAD_ENDPOINT_URL": f"http://{LOOPBACK}:{self.ports[DOWNLOAD_PORT]}",
            "BITVAULT_LOG_FORMAT": "json",
            "BITVAULT_MAILBOX_DIRECTORY": str(self.directory / "mailbox"),
            "BITVAULT_STATIC_DIRECTORY": str(_static_root()),
            "BITVAULT_TEST_STATIC_ROOT": str(_static_root()),
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            **(changes or {}),
        }
        self.applications = Applications(
            layout=self.layout,
            console=Console(io.StringIO(), directory=self.layout.log),
            ports=self.ports,
            variables=self.variables,
        )
        self._web: Child | None = None
        self._relay: Relay | None = None

    def change(self, **variables: str) -> None:
        """Give the processes that are started from now on other variables."""
        self.variables.update(variables)
        self.applications._environment.update(variables)

    # --- addresses ----------------------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return self.ports["web"]

    @property
    def base_url(self) -> str:
        """The plain address: the REST surface by token."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def web_url(self) -> str:
        """The web process itself, past the front."""
        return f"http://{LOOPBACK}:{self.ports['wsgi']}"

    @property
    def bare_url(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def tenant_url(self) -> str:
        """Acme's own host. Python does not resolve it: send ``Host: tenant_host`` to ``base_url``."""
        return f"http://acme.localhost:{self.port}"

    @property
    def tenant_host(self) -> str:
        return f"acme.localhost:{self.port}"

    @property
    def database_url(self) -> str:
        return _on_database(os.environ["BITVAULT_DATABASE_URL"], self.database_name)

    def client(self, name: str = "mia", *, host: str | None = None) -> LiveClient:
        """Speak REST as a person of the world, by token."""
        return self.client_of({**ACME.people, **BETA.people}[name].token, host=host)

    def client_of(self, token: str | None, *, host: str | None = None) -> LiveClient:
        client = LiveClient(self.base_url, token=token, host=host)
        self._clients.append(client)
        return client

    @contextmanager
    def database(self):
        """Look into the database as the superuser."""
        url = _on_database(os.environ["BITVAULT_DATABASE_ADMIN_URL"], self.database_name)
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    def logs(self) -> str:
        """Everything that the processes have written."""
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.layout.log.glob("*.log*")))

    # --- life ---------------------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            with databases.administration() as admin:
                databases.clone(admin, source=self._template, name=self.database_name)
            self.applications.group.launch(self.valkey.prepare())
            self._collect_static()
            if self._origins:
                self._allow_origins(present=True)
            self.await_that(self.valkey.is_ready)
            self.start_web()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end_relay()
        for client in self._clients:
            client.close()
        self.applications.group.stop()
        self.applications.front.stop()
        if self._origins:
            self._allow_origins(present=False)
        with databases.administration() as admin:
            databases.drop(admin, self.database_name)
        shutil.rmtree(self.directory, ignore_errors=True)

    def start_web(self, application: str | None = None) -> None:
        """Start the web server, behind the front, and wait until it answers; ``application`` names another one than BitVault's own."""
        if not self.applications.front.children:
            self.applications.start_front()
        program = self.applications._web()
        if application is not None:
            from dataclasses import replace

            program = replace(program, command=(*program.command[:-1], application))
        self._web = self.applications.group.launch(program)
        self.await_that(lambda: answers(self.ports["wsgi"]) and listens(LOOPBACK, self.port))

    def kill_web(self) -> None:
        """End the web server and all its workers at once, as a power cut would."""
        assert self._web is not None
        self.kill(self._web)
        self._web = None

    def start_worker(self, *, relay: bool = True) -> Child:
        """Start a Celery worker, and unless it is to be left alone a relay beside it; it waits for messages when this returns."""
        with Redis.from_url(f"{self.valkey.url}/0") as broker:
            others = _waiting(broker)
            worker = self.applications.group.launch(self.applications._worker())
            self.await_that(lambda: _waiting(broker) - others)
        if relay and self._relay is None:
            self._relay = Relay(f"{self.valkey.url}/0")
        return worker

    def kill(self, child: Child) -> None:
        child.kill()
        child.wait_or_kill(grace_seconds=5.0)
        self.applications.group.children.remove(child)
        if not any(one.program.name == "worker" for one in self.applications.group.children):
            self._end_relay()

    def _end_relay(self) -> None:
        if self._relay is not None:
            self._relay.end()
            self._relay = None

    @staticmethod
    def await_that(condition, *, seconds: float = READY_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"not so within {seconds} s"
            time.sleep(POLL_SECONDS)

    def manage(self, *arguments: str, **variables: str) -> None:
        """Run one of ``manage.py``'s commands to its end."""
        environment = {**self.applications._environment, **variables}
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True)

    # --- surroundings -------------------------------------------------------------------------------------------------------

    def _collect_static(self) -> None:
        """Collect the static files, once for each state of them and test run."""
        root = Path(self.variables["BITVAULT_TEST_STATIC_ROOT"])
        if root.exists():
            return
        growing = root.with_name(f"{root.name}.{os.getpid()}")
        self.manage("collectstatic", "--noinput", "--verbosity", "0", BITVAULT_TEST_STATIC_ROOT=str(growing))
        with suppress(OSError):
            growing.rename(root)
        shutil.rmtree(growing, ignore_errors=True)

    def _allow_origins(self, *, present: bool) -> None:
        """Let the pages of this port talk to the store from a browser, or no more."""
        store = boto3.client(
            "s3",
            endpoint_url=os.environ["BITVAULT_S3_ENDPOINT_URL"],
            region_name=os.environ["BITVAULT_S3_REGION"],
            aws_access_key_id=os.environ["BITVAULT_S3_ACCESS_KEY_ID"],
            aws_secret_access_key=os.environ["BITVAULT_S3_SECRET_ACCESS_KEY"],
            config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
        )
        bucket = os.environ["BITVAULT_S3_BUCKET"]
        origins = [f"http://localhost:{self.port}", f"http://*.localhost:{self.port}"]
        with databases.administration() as admin:
            admin.execute("SELECT pg_advisory_lock(%s)", [CORS_LOCK])
            rules = store.get_bucket_cors(Bucket=bucket)["CORSRules"]
            rules = [rule for rule in rules if rule["AllowedOrigins"] != origins]
            if present:
                rules.append({**rules[0], "AllowedOrigins": origins})
            store.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
        store.close()


def _static_root() -> Path:
    return Path(os.environ["BITVAULT_TEST_SERVICES"]).parent / f"static-{fingerprints.of_static_files()[:16]}"


def _on_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
