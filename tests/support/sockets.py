"""Sockets as clients of all kinds open them, against the real socket process of a ``Live``."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from redis import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from bitvault.stack.ports import LOOPBACK
from bitvault.stack.process import Child
from tests.support.live import Live
from tests.support.world import ACME, BETA, PASSWORD

PATH = "/ws/v1/sync"


class SocketProcess:
    """The socket process beside the web of a ``Live``, and ways to it."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.port = live.ports["sockets"]
        self._open: list[ClientConnection] = []
        self.child: Child = self.start()

    def start(self) -> Child:
        self.child = self.live.applications.group.launch(self.live.applications._sockets())
        self.live.await_that(self._answers)
        return self.child

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://{LOOPBACK}:{self.port}/healthz").status_code == 200
        return False

    def valkey(self) -> Redis:
        return Redis.from_url(f"{self.live.valkey.url}/1")

    # --- credentials --------------------------------------------------------------------------------------------------------

    def ticket(self, name: str = "mia", *, token: str | None = None, device_id: str | None = None) -> str:
        """Ask for a ticket as a person of the world, by token."""
        client = self.live.client_of(token or {**ACME.people, **BETA.people}[name].token)
        answer = client.post("/sync/ticket", {"device_id": device_id} if device_id else {})
        assert answer.status_code == 201, answer.text
        return answer.json()["ticket"]

    def new_token(self, name: str = "mia") -> dict[str, str]:
        """Make another token of a person's, to be ended."""
        expires_at = (datetime.now(UTC) + timedelta(days=30)).isoformat()
        body = {"name": "socket", "scopes": ["files:read", "account"], "expires_at": expires_at}
        answer = self.live.client(name).post("/tokens", body)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def sign_in(self, name: str = "mia", slug: str = "acme") -> httpx.Client:
        """Sign a browser in by the form; its cookies are in the client."""
        host = f"{slug}.localhost:{self.live.port}"
        client = httpx.Client(base_url=self.live.base_url, headers={"Host": host, "Origin": f"http://{host}"})
        client.get("/sign-in/")
        cookie = client.cookies["csrftoken"]
        person = {**ACME.people, **BETA.people}[name]
        form = {"email": person.email, "password": PASSWORD, "csrfmiddlewaretoken": cookie}
        answer = client.post("/sign-in/", data=form)
        assert answer.status_code in (302, 303), answer.text
        return client

    # --- sockets ------------------------------------------------------------------------------------------------------------

    def open(
        self,
        *,
        ticket: str | None = None,
        host: str = LOOPBACK,
        origin: str | None = None,
        browser: httpx.Client | None = None,
        path: str = PATH,
        plug: socket.socket | None = None,
        **options,
    ) -> ClientConnection:
        """Open a socket; ``host`` is the name that is asked for, ``browser`` lends its cookies."""
        headers = dict(options.pop("additional_headers", {}))
        if browser is not None:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        connection = connect(
            f"ws://{host}:{self.port}{path}{f'?ticket={ticket}' if ticket is not None else ''}",
            sock=plug or socket.create_connection((LOOPBACK, self.port)),
            origin=origin,
            additional_headers=headers,
            compression=None,
            open_timeout=15,
            close_timeout=2,
            ping_interval=None,  # the server asks whether anybody is there; some of these are not to know
            legacy=True,
            **options,
        )
        self._open.append(connection)
        return connection

    def open_as(self, name: str = "mia", **options) -> ClientConnection:
        """Open a socket by a fresh ticket and read its first head."""
        connection = self.open(ticket=self.ticket(name), **options)
        head_of(connection)
        return connection

    def forget(self, connection: ClientConnection) -> None:
        """Leave a connection alone that has ended in a way which nobody can say good-bye in."""
        self._open.remove(connection)

    def close_all(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()

    def await_nobody(self) -> None:
        """Wait until the process has let all sockets go: as long as it holds one of a tenant, it remembers the head that was told there."""
        with self.valkey() as valkey:
            self.live.await_that(lambda: not valkey.pubsub_channels("*:head"))


def head_of(connection: ClientConnection, *, seconds: float = 10.0) -> int:
    """Read the next word; it is a head and nothing else."""
    word = json.loads(connection.recv(timeout=seconds))
    assert word.keys() == {"type", "seq"}
    assert word["type"] == "head"
    return word["seq"]


def close_code(connection: ClientConnection, *, seconds: float = 10.0) -> int:
    """Wait until the server closes, and tell why."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            connection.recv(timeout=max(deadline - time.monotonic(), 0.01))
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@contextmanager
def refused(status: int = 403) -> Iterator[None]:
    """Expect an answer in HTTP instead of a socket."""
    with pytest.raises(InvalidStatus) as refusal:
        yield
    assert refusal.value.response.status_code == status
