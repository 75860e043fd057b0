"""Request bodies as they reach a thread: read when a view asks, by a bounded share of the threads.

The front keeps a body until it has the whole of it, so reading takes no time. Whoever comes past the front may announce a body and send
none; granian's threads then wait for as long as the client likes, and nothing in WSGI ends that. So only some of them may.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Protocol

from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded

READING = Dependency("request body", share=3, queue_seconds=0.25, queue_length=1)
"""Of the five threads of a web process: two are left for what needs no body, and only one of those waits for a place."""

LEFTOVERS = Dependency("unread request body", share=1)
"""Reading what a refused request brought along is a courtesy: one thread at most does so."""

LEFTOVER_LIMIT_BYTES = 2 * 1024 * 1024
"""As much as the front lets through."""

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Stream(Protocol):
    """The part of ``wsgi.input`` that Django reads by."""

    def read(self, size: int = ..., /) -> bytes:
        """Read up to ``size`` bytes."""

    def readline(self, size: int = ..., /) -> bytes:
        """Read up to the end of a line."""


class BoundedStream:
    """A request's ``wsgi.input``.

    Reading raises Overloaded while too many threads wait for bodies already.
    """

    def __init__(self, stream: Stream, *, length: int) -> None:
        self._stream = stream
        self._unread = length

    def read(self, size: int = -1, /) -> bytes:
        """Read up to ``size`` bytes, or to the end."""
        with READING.held():
            return self._count(self._stream.read(self._unread if size < 0 else size))

    def readline(self, size: int = -1, /) -> bytes:
        """Read up to the end of a line, or ``size`` bytes."""
        with READING.held():
            return self._count(self._stream.readline(self._unread if size < 0 else size))

    def read_leftovers(self) -> None:
        """Read what nobody wanted, if a thread is to spare: granian cuts a connection on which unread bytes lie, and the answer with it."""
        if 0 < self._unread <= LEFTOVER_LIMIT_BYTES:
            with suppress(Overloaded, OSError), LEFTOVERS.held():
                self._count(self._stream.read(self._unread))

    def _count(self, content: bytes) -> bytes:
        # A stream that ends early has no more to give either.
        self._unread = max(self._unread - len(content), 0) if content else 0
        return content


def bounded(application: Application) -> Application:
    """Give an application bodies that only a share of the threads reads at once."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        length = environ.get("CONTENT_LENGTH") or "0"
        if length == "0":
            return application(environ, start_response)
        number = (
            int(length)
            if length.isascii() and length.isdecimal() and len(length) <= len(str(LEFTOVER_LIMIT_BYTES))
            else 0
        )
        stream = BoundedStream(environ["wsgi.input"], length=number)
        environ["wsgi.input"] = stream
        content = application(environ, start_response)
        stream.read_leftovers()
        return content

    return answer
