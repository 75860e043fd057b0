"""The one way out: a POST to an address that was judged, without redirects and proxies, bounded in time and size.

httpcore connects through a network backend of ours: it resolves the name, judges every address and connects to one of those. The name
of the certificate and the header ``Host`` stay those of the address that was given.
"""

import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore

from bitvault.kernel import clock, db
from bitvault.kernel.outbound import addresses
from bitvault.kernel.outbound.failures import Failure

TOTAL_SECONDS = 15.0
"""From asking the name server to the end of the answer: the specification says 15 to 30."""

CONNECT_SECONDS = 5.0
CONNECTIONS_TRIED = 3
"""Addresses of one host that are tried one after another."""

ANSWER_LIMIT = 64 * 1024
"""Bytes of an answer that are read: whoever sends more is cut off, and its status counts."""

KEPT_LIMIT = 2000
"""Characters of an answer that are kept."""

RETRY_AFTER_LIMIT = 24 * 3600


@dataclass(frozen=True, slots=True)
class Answer:
    """How a try ended."""

    duration_ms: int
    status: int | None = None
    failure: Failure = ""
    text: str = ""
    retry_after_seconds: float = 0.0

    @property
    def is_success(self) -> bool:
        """Whether the receiver has taken it."""
        return self.failure == ""


class _Stream(httpcore.NetworkStream):
    """A connection whose every wait ends at the deadline: one byte now and then holds nobody up."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Judging(httpcore.NetworkBackend):
    """Connects to addresses that may be reached."""

    def __init__(self, *, scheme: str, deadline: float, is_trusted: bool) -> None:
        self._backend = httpcore.SyncBackend()
        self._is_trusted = is_trusted
        self._scheme = scheme
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        seconds = min(left, addresses.RESOLVE_SECONDS)
        found = addresses.find(host, port, scheme=self._scheme, seconds=seconds, is_trusted=self._is_trusted)
        failed: Exception = httpcore.ConnectError("no address")
        for address in found[:CONNECTIONS_TRIED]:
            left = _left(self._deadline, httpcore.ConnectTimeout)
            try:
                return _Stream(self._backend.connect_tcp(address, port, min(left, CONNECT_SECONDS)), self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed


def _left(deadline: float, error: type[Exception]) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise error("the time is over")
    return left


def post(url: str, body: bytes, headers: Mapping[str, str], *, is_trusted: bool = False) -> Answer:
    """Send a body; whatever becomes of it is the answer.

    :param is_trusted: operators have named the address themselves: it may be inside.
    """
    db.forbid_transaction("sending to a machine elsewhere")
    begun = time.monotonic()

    def ended(failure: Failure, **facts: Any) -> Answer:
        return Answer(duration_ms=round((time.monotonic() - begun) * 1000), failure=failure, **facts)

    try:
        parts = addresses.parse(url)
        judging = _Judging(scheme=parts.scheme, deadline=begun + TOTAL_SECONDS, is_trusted=is_trusted)
        status, told, text = _exchange(url, body, headers, judging)
    except addresses.Refused as error:
        return ended("address_unknown" if error.reason == "unknown_host" else "address_refused")
    except httpcore.TimeoutException:
        return ended("timeout")
    except httpcore.ConnectError as error:
        return ended("certificate" if isinstance(error.__cause__, ssl.SSLError) else "connection")
    except httpcore.NetworkError:
        return ended("connection")
    except httpcore.ProtocolError:
        return ended("protocol")
    is_success = 200 <= status < 300  # noqa: PLR2004 - the range of success
    return ended("" if is_success else "answer", status=status, text=text, retry_after_seconds=_read_retry_after(told))


def _exchange(
    url: str, body: bytes, headers: Mapping[str, str], backend: httpcore.NetworkBackend
) -> tuple[int, Mapping[str, str], str]:
    pool = httpcore.ConnectionPool(
        ssl_context=ssl.create_default_context(), network_backend=backend, max_keepalive_connections=0
    )
    with pool, pool.stream("POST", url, headers=list(headers.items()), content=body) as response:
        read = b""
        try:
            for chunk in response.iter_stream():
                read += chunk
                if len(read) >= ANSWER_LIMIT:
                    break
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
            # The receiver has said whether it took the message; the rest is for the log.
            pass
        told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
        text = read[:ANSWER_LIMIT].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")
        return response.status, told, text[:KEPT_LIMIT]


def _read_retry_after(headers: Mapping[str, str]) -> float:
    """Read ``Retry-After`` (RFC 9110): seconds or a date; what is neither asks for nothing."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdecimal():
        seconds = float(value[:9])
    else:
        try:
            seconds = (parsedate_to_datetime(value) - clock.now()).total_seconds()
        except (TypeError, ValueError):
            return 0.0
    return min(max(seconds, 0.0), RETRY_AFTER_LIMIT)
