"""Sending bytes over TCP or TLS to a machine elsewhere, and knowing as well as can be known that all of them have come.

Protocols that answer nothing (syslog) are believed to have arrived once the other side, told that nothing follows, ends the connection in
its turn, and the kernel over there has acknowledged every byte. A side that breaks off, resets or says nothing has not got them.
"""

import fcntl
import socket
import ssl
import struct
import termios
import time
from typing import Any

from bitvault.kernel import db
from bitvault.kernel.outbound import addresses
from bitvault.kernel.outbound.egress import CONNECT_SECONDS, CONNECTIONS_TRIED, TOTAL_SECONDS, Answer
from bitvault.kernel.outbound.failures import Failure

STEP = 64 * 1024
POLL_SECONDS = 0.01


def send(host: str, port: int, data: bytes, *, is_encrypted: bool, is_trusted: bool = False) -> Answer:
    """Send bytes over one connection; whatever becomes of them is the answer.

    :param is_trusted: operators have named the host themselves: it may be inside.
    """
    db.forbid_transaction("sending to a machine elsewhere")
    begun = time.monotonic()
    failure: Failure = ""
    try:
        _send(host, port, data, is_encrypted=is_encrypted, is_trusted=is_trusted, deadline=begun + TOTAL_SECONDS)
    except addresses.Refused as error:
        failure = "address_unknown" if error.reason == "unknown_host" else "address_refused"
    except TimeoutError:
        failure = "timeout"
    except ssl.SSLCertVerificationError:
        failure = "certificate"
    except ssl.SSLError:
        failure = "protocol"
    except OSError:
        failure = "connection"
    return Answer(duration_ms=round((time.monotonic() - begun) * 1000), failure=failure)


def _send(host: str, port: int, data: bytes, *, is_encrypted: bool, is_trusted: bool, deadline: float) -> None:
    scheme, seconds = "https" if is_encrypted else "http", min(_left(deadline), addresses.RESOLVE_SECONDS)
    found = addresses.find(host, port, scheme=scheme, seconds=seconds, is_trusted=is_trusted)
    with _connect(found[:CONNECTIONS_TRIED], port, deadline) as plain:
        plain.settimeout(_left(deadline))
        if not is_encrypted:
            _write(plain, data, deadline)
            plain.shutdown(socket.SHUT_WR)
            _await_end(plain, plain, deadline)
            return
        with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as secured:
            _write(secured, data, deadline)
            secured.settimeout(_left(deadline))
            try:
                rest = secured.unwrap()
            except ssl.SSLEOFError:
                # The other side has ended the connection without TLS's own farewell, as many do.
                _await_acknowledged(secured, deadline)
                return
            rest.shutdown(socket.SHUT_WR)
            _await_end(rest, rest, deadline)


def _connect(found: list[str], port: int, deadline: float) -> socket.socket:
    failed: OSError = ConnectionError("no address")
    for address in found:
        try:
            return socket.create_connection((address, port), timeout=min(_left(deadline), CONNECT_SECONDS))
        except OSError as error:
            failed = error
    raise failed


def _write(line: socket.socket, data: bytes, deadline: float) -> None:
    for begin in range(0, len(data), STEP):
        line.settimeout(_left(deadline))
        line.sendall(data[begin : begin + STEP])


def _await_end(line: socket.socket, plain: socket.socket, deadline: float) -> None:
    """Read until the other side ends the connection; what it says is thrown away."""
    while True:
        line.settimeout(_left(deadline))
        if not line.recv(STEP):
            break
    _await_acknowledged(plain, deadline)


def _await_acknowledged(line: Any, deadline: float) -> None:
    """Wait until no byte is on its way any more: a side that closed early answers those with a reset."""
    while True:
        failed = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise OSError(failed, "the connection was reset")
        unacknowledged = struct.unpack("i", fcntl.ioctl(line.fileno(), termios.TIOCOUTQ, b"\0" * 4))[0]
        if not unacknowledged:
            return
        _left(deadline)
        time.sleep(POLL_SECONDS)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
