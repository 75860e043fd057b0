"""A light HTTP/1.1 client: blocking sockets, kept alive. It runs on the same two cores as what it measures, so it does little."""

import re
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_BODILESS = (204, 304)
_READ_BYTES = 256 * 1024
PATIENCE_SECONDS = 120


class UnexpectedAnswer(Exception):
    """A server answered otherwise than the measurement needs; a figure made of such answers would be none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, head as it came, and body (empty when it was only counted)."""

    status: int
    head: bytes
    body: bytes
    body_bytes: int

    def header(self, name: str) -> str | None:
        found = re.search(rb"\r\n" + re.escape(name.encode()) + rb": *([^\r]*)", self.head, re.IGNORECASE)
        return found[1].decode("latin-1") if found else None

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


class Connection:
    """One kept-alive connection to one server; opened when first used, and again after the server has closed it."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        host_header: str | None = None,
        headers: Mapping[str, str] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
        source: str | None = None,
    ) -> None:
        self._address = (host, port)
        self._patience_seconds = patience_seconds
        self._source = (source, 0) if source else None
        common = {"Host": host_header or f"{host}:{port}", **(headers or {})}
        self._common = _written(common)
        self._socket: socket.socket | None = None
        self._scratch = memoryview(bytearray(_READ_BYTES))
        self.sent_bytes = 0
        self.received_bytes = 0

    @classmethod
    def to(cls, url: str) -> "Connection":
        """Connect to the server of a URL."""
        parts = urlsplit(url)
        return cls(parts.hostname or "", parts.port or 80)

    def request(
        self,
        method: str,
        target: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Iterable[memoryview | bytes] = b"",
        expect: tuple[int, ...] = (200, 201, 204),
        keep_body: bool = True,
    ) -> Answer:
        """Send a request and read its answer.

        :raises UnexpectedAnswer: its status is not one of ``expect``.
        """
        pieces = [body] if isinstance(body, bytes) else list(body)
        length = sum(len(piece) for piece in pieces)
        head = f"{method} {target} HTTP/1.1\r\n".encode("latin-1") + self._common + _written(headers or {})
        if length or method in {"POST", "PUT", "PATCH"}:
            head += b"Content-Length: %d\r\n" % length
        head += b"\r\n"
        # One packet for what is small; what is large is not copied.
        pieces = [b"".join([head, *pieces])] if length < _READ_BYTES else [head, *pieces]
        connection = self._connected()
        for piece in pieces:
            connection.sendall(piece)
        self.sent_bytes += len(head) + length
        answer = self._read(connection, bodiless=method == "HEAD", keep_body=keep_body)
        if answer.status not in expect:
            raise UnexpectedAnswer(f"{method} {target.partition('?')[0]} gave {answer.status}: {answer.body[:600]!r}")
        return answer

    def json(self, method: str, target: str, value: Any, **options: Any) -> Answer:
        """Send a JSON body."""
        headers = {"Content-Type": "application/json", **options.pop("headers", {})}
        return self.request(method, target, headers=headers, body=msgspec.json.encode(value), **options)

    def get(self, target: str, **options: Any) -> Answer:
        return self.request("GET", target, **options)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _connected(self) -> socket.socket:
        if self._socket is None:
            self._socket = socket.create_connection(
                self._address, timeout=self._patience_seconds, source_address=self._source
            )
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self._socket

    def _read(self, connection: socket.socket, *, bodiless: bool, keep_body: bool) -> Answer:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._some(connection)
        head, rest = received[:end], received[end + 4 :]
        status = int(head[9:12])
        if bodiless or status in _BODILESS:
            body, count = b"", 0
        elif found := _LENGTH.search(head):
            body, count = self._body(connection, rest, int(found[1]), keep=keep_body)
        elif _CHUNKED.search(head):
            body = self._chunks(connection, rest)
            count = len(body)
        else:
            raise UnexpectedAnswer(f"an answer without a length: {head!r}")
        if _CLOSE.search(head):
            self.close()
        return Answer(status, head, body, count)

    def _body(self, connection: socket.socket, rest: bytes, length: int, *, keep: bool) -> tuple[bytes, int]:
        if keep:
            parts, count = [rest], len(rest)
            while count < length:
                parts.append(self._some(connection))
                count += len(parts[-1])
            return b"".join(parts), count
        count = len(rest)
        while count < length:
            got = connection.recv_into(self._scratch)
            if got == 0:
                raise UnexpectedAnswer(f"the connection ended after {count} of {length} bytes")
            count += got
            self.received_bytes += got
        return b"", count

    def _chunks(self, connection: socket.socket, rest: bytes) -> bytes:
        body = b""
        while True:
            while (end := rest.find(b"\r\n")) < 0:
                rest += self._some(connection)
            size = int(rest[:end].partition(b";")[0], 16)
            rest = rest[end + 2 :]
            while len(rest) < size + 2:
                rest += self._some(connection)
            if size == 0:
                return body
            body += rest[:size]
            rest = rest[size + 2 :]

    def _some(self, connection: socket.socket) -> bytes:
        data = connection.recv(_READ_BYTES)
        if not data:
            self.close()
            raise UnexpectedAnswer("the server closed the connection")
        self.received_bytes += len(data)
        return data


def _written(headers: Mapping[str, str]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("latin-1")


def target_of(url: str) -> str:
    """Give the path and query of a URL exactly as they stand: a signature covers them."""
    return "/" + url.split("/", 3)[3]
