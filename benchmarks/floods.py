"""What whoever holds a program up does: ``python -m benchmarks.floods KIND JSON`` goes on with it until it is ended.

A process of its own, so that the clock of who measures does not wait for its threads.
"""

import http.client
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

PATIENCE_SECONDS = 60.0
LOOPBACK = "127.0.0.1"


class Target:
    """Where the flood goes."""

    def __init__(self, *, port: int, token: str = "", host: str = "", paths: list[str] | None = None) -> None:
        self.port, self.token, self.host = port, token, host or f"localhost:{port}"
        self.paths = paths or []

    def ask(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Any = None,
        *,
        anonymous: bool = False,
    ) -> int:
        headers = {} if anonymous else {"Authorization": f"Bearer {self.token}"}
        if anonymous:
            headers["Host"] = self.host
        data = None
        if body is not None:
            data = json.dumps(body)
            headers |= {"Content-Type": "application/json", "Origin": f"http://{self.host}"}
        try:
            connection.request(method, path, data, headers)
            answer = connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            time.sleep(0.05)
            return 0
        return answer.status

    def connect(self, source: str | None = None) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(
            LOOPBACK, self.port, timeout=PATIENCE_SECONDS, source_address=(source, 0) if source else None
        )


def bodies(target: Target) -> None:
    """Ten connections that announce a body and send a byte of it; each comes again when it is ended."""
    head = (
        f"POST /api/v1/auth/login HTTP/1.1\r\nHost: {target.host}\r\nContent-Type: application/json\r\n"
        "Content-Length: 1000\r\n\r\n{"
    ).encode()

    def one(_: int) -> None:
        with socket.create_connection((LOOPBACK, target.port), timeout=PATIENCE_SECONDS) as held:
            held.sendall(head)
            held.recv(1)

    at_once(10, one)


def waiters(target: Target) -> None:
    """Thirty who wait for a number of the stream that does not come."""
    at_once(30, lambda _: target.ask(target.connect(), "GET", "/api/v1/usage?min_seq=99999999&wait_ms=10000"))


def commits(target: Target) -> None:
    """Twelve commits of what was sent."""
    at_once(len(target.paths), lambda number: target.ask(target.connect(), "POST", target.paths[number], {}))


def readiness(target: Target) -> None:
    """Twelve strangers who ask for readiness."""
    at_once(12, lambda _: target.ask(target.connect(), "GET", "/readyz", anonymous=True))


def sign_ins(target: Target, *, many_addresses: bool) -> None:
    """Sixty wrong passwords at once, again and again."""

    def one(number: int) -> None:
        body = {"email": f"nobody-{number}-{time.time()}@flood.example", "password": "wrong"}
        source = f"127.0.40.{number + 1}" if many_addresses else None
        target.ask(target.connect(source), "POST", "/api/v1/auth/login", body, anonymous=True)

    at_once(60, one)


def full_speed(target: Target) -> None:
    """One token on 24 connections, as fast as it is answered; it never waits, whatever it is told."""
    connections = [target.connect() for _ in range(24)]
    at_once(24, lambda number: target.ask(connections[number], "GET", target.paths[0]))


KINDS: dict[str, Callable[[Target], None]] = {
    "bodies": bodies,
    "waiters": waiters,
    "commits": commits,
    "readiness": readiness,
    "sign-ins": lambda target: sign_ins(target, many_addresses=False),
    "sign-ins-many": lambda target: sign_ins(target, many_addresses=True),
    "full-speed": full_speed,
}


def at_once(count: int, act: Callable[[int], object]) -> None:
    """Let each of so many threads repeat an act until the process ends."""

    def repeat(number: int) -> None:
        while True:
            try:
                act(number)
            except OSError:
                time.sleep(0.05)

    for number in range(count):
        threading.Thread(target=repeat, args=(number,), daemon=True).start()
    print("begun", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    KINDS[sys.argv[1]](Target(**json.loads(sys.argv[2])))
