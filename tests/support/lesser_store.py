"""A store that lacks something: the real one, behind a proxy that answers some requests otherwise, or not at all."""

import http.client
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from apps.storage import provider

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "expect"}


@dataclass(frozen=True)
class Asked:
    """A request, as the store would get it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def name(self) -> str:
        """The last word of the key."""
        return urlsplit(self.target).path.rpartition("/")[2]

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    def without(self, *names: str) -> "Asked":
        """The same without some headers."""
        return replace(self, headers={name: value for name, value in self.headers.items() if name not in names})

    @property
    def is_signed(self) -> bool:
        return "X-Amz-Signature" in self.query or "authorization" in self.headers


@dataclass(frozen=True)
class Answer:
    """What the client gets."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("ETag", '"0"'),)
    body: bytes = b""

    def with_header(self, name: str, value: str | None) -> "Answer":
        """The same with another header, or without it."""
        kept = tuple(header for header in self.headers if header[0].lower() != name.lower())
        return replace(self, headers=kept if value is None else (*kept, (name, value)))


NOT_IMPLEMENTED = Answer(501, (), b"<Error><Code>NotImplemented</Code></Error>")

Behaviour = Callable[[Asked, Callable[[], Answer]], Answer | None]
"""Gives the answer to a request, for which it may ask the real store; ``None`` cuts the line."""


class LesserStore:
    """A proxy that behaves as it is told, and the store that one sees through it."""

    def __init__(self, server: ThreadingHTTPServer, *, is_whole: bool) -> None:
        self.asked: list[Asked] = []
        self._is_whole = is_whole
        self.behaviour: Behaviour = faithfully
        configured = {name: value for name, value in settings.BITVAULT_STORE.items() if name != "assets_bucket"}
        self._real = urlsplit(configured["endpoint_url"]).netloc
        here = f"http://127.0.0.1:{server.server_address[1]}"
        everywhere = dict.fromkeys(("endpoint_url", "public_endpoint_url", "download_endpoint_url"), here)
        self.store = provider.ObjectStore(**{**configured, **everywhere})

    def answer(self, asked: Asked) -> Answer | None:
        self.asked.append(asked)
        return self.behaviour(asked, lambda: self._complete(asked) if self._is_whole else self._forward(asked))

    def _complete(self, asked: Asked) -> Answer:
        """Answer as the real store would if it lacked nothing that is useful."""
        wanted = asked.headers.get("if-range")
        answer = self._forward(asked.without("if-range"))
        if wanted is not None and wanted not in {value for name, value in answer.headers if name.lower() == "etag"}:
            answer = self._forward(asked.without("if-range", "range"))
        return answer.with_header("X-Content-Type-Options", "nosniff")

    def _forward(self, asked: Asked) -> Answer:
        line = http.client.HTTPConnection(self._real, timeout=30)
        try:
            # Host stays as the client wrote and signed it.
            line.putrequest(asked.method, asked.target, skip_host=True, skip_accept_encoding=True)
            for name, value in asked.headers.items():
                line.putheader(name, value)
            line.endheaders(asked.body)
            answer = line.getresponse()
            return Answer(answer.status, tuple(answer.getheaders()), answer.read())
        finally:
            line.close()


def faithfully(_: Asked, forward: Callable[[], Answer]) -> Answer:
    """Behave as the real store does."""
    return forward()


@contextmanager
def running(*, is_whole: bool = False) -> Iterator[LesserStore]:
    """Run a proxy before the configured store; a whole one adds what that store lacks, so that each ability can be taken away."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body in one packet: the client would otherwise acknowledge the head after 40 ms, each time.
        wbufsize = -1
        disable_nagle_algorithm = True

        def relay(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items() if name.lower() != "expect"}
            answer = lesser.answer(Asked(self.command, self.path, headers, body))
            if answer is None:
                self.close_connection = True
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                if name.lower() not in _HOP_BY_HOP or (self.command == "HEAD" and name.lower() == "content-length"):
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_OPTIONS = relay  # noqa: N815 - the names that http.server calls

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        lesser = LesserStore(server, is_whole=is_whole)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield lesser
        finally:
            server.shutdown()
            thread.join()
