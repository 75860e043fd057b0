"""A scanner behind ICAP (RFC 3507): the content goes as the body of an answer that is to be judged before it is given (``RESPMOD``)."""

from collections.abc import Iterator

from apps.scanning.engines.line import Line, cut, open_line
from apps.scanning.engines.port import ScanBroken, ScannerDown, ScannerRefused, TooLargeToScan, Verdict

CHUNK_BYTES = 256 * 1024

_NAMES = ("x-infection-found", "x-virus-id", "x-violations-found", "x-virus-name", "x-blocked")
"""Fields by which scanners say what they found: draft-stecher-icap-subid, and what is in use besides."""

_UNCHANGED, _OK, _TOO_LARGE = 204, 200, 413


class Icap:
    """A service of an ICAP server."""

    def __init__(self, host: str, port: int, service: str) -> None:
        self._host, self._port = host, port
        self._url = f"icap://{host}:{port}/{service}"

    def scan(self, pieces: Iterator[bytes], *, size_bytes: int) -> Verdict:
        """Send a content and read the verdict."""
        asked = b"GET http://vault.invalid/content HTTP/1.1\r\nHost: vault.invalid\r\n\r\n"
        answered = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n" + f"Content-Length: {size_bytes}\r\n\r\n"
        ).encode()
        head = self._head(
            "RESPMOD",
            "Allow: 204",
            f"Encapsulated: req-hdr=0, res-hdr={len(asked)}, res-body={len(asked) + len(answered)}",
        )
        with open_line((self._host, self._port)) as line:
            line.send(head + asked + answered)
            if self._send_all(line, pieces):
                line.send(b"0\r\n\r\n")
            return _judge(line, size_bytes)

    def find_version(self) -> str:
        """Ask for the service's options."""
        with open_line((self._host, self._port)) as line:
            line.send(self._head("OPTIONS"))
            status, fields = _read_head(line)
        if status != _OK:
            raise ScannerDown(f"the service answers {status}")
        if "RESPMOD" not in fields.get("methods", "").upper():
            raise ScannerDown("the service does not do RESPMOD")
        return fields.get("service", "") or "ICAP"

    def _head(self, method: str, *fields: str) -> bytes:
        lines = (f"{method} {self._url} ICAP/1.0", f"Host: {self._host}", "Connection: close", *fields, "", "")
        return "\r\n".join(lines).encode()

    def _send_all(self, line: Line, pieces: Iterator[bytes]) -> bool:
        """Send the body; ``False`` where the scanner answers before it has all of it."""
        for piece in pieces:
            for chunk in cut(piece, CHUNK_BYTES):
                if line.has_answer:
                    return False
                line.send(f"{len(chunk):x}\r\n".encode())
                line.send(chunk)
                line.send(b"\r\n")
        return True


def _judge(line: Line, size_bytes: int) -> Verdict:
    """Read what the server made of it: nothing (204), the same once more, or something else instead."""
    status, fields = _read_head(line)
    if found := next((fields[name] for name in _NAMES if fields.get(name)), ""):
        return Verdict(_name(found))
    if status == _UNCHANGED:
        return Verdict()
    if status == _TOO_LARGE:
        raise TooLargeToScan
    if status >= 500:  # noqa: PLR2004 - the server's own failures
        raise ScannerDown(f"it answers {status}")
    if status != _OK:
        raise ScannerRefused(f"ICAP status {status}")
    if "res-hdr" not in fields.get("encapsulated", ""):
        raise ScannerRefused("an answer without the head of what it made")
    made, head = _read_status_line(line, b"HTTP/")
    if found := next((head[name] for name in _NAMES if head.get(name)), ""):
        return Verdict(_name(found))
    # Without 204 a server sends back what it leaves as it is. Anything else stands in the place of what it blocks.
    if made == _OK and head.get("content-length", "") == str(size_bytes):
        return Verdict()
    return Verdict("Blocked")


def _name(text: str) -> str:
    """Find the name in ``Type=0; Resolution=2; Threat=Eicar-Test-Signature;``; else it is all of it."""
    for part in text.split(";"):
        key, _, value = part.strip().partition("=")
        if key.lower() == "threat" and value.strip():
            return value.strip()[:200]
    return text.strip()[:200]


def _read_head(line: Line) -> tuple[int, dict[str, str]]:
    return _read_status_line(line, b"ICAP/")


def _read_status_line(line: Line, protocol: bytes) -> tuple[int, dict[str, str]]:
    """Read a status line and its fields, by their names in small letters.

    :raises ScannerDown: it hangs up, or speaks something else.
    """
    head = line.read_until(b"\r\n\r\n")
    if head is None:
        raise ScanBroken("it hung up without a verdict")
    first, *rest = head.split(b"\r\n")
    words = first.split(None, 2)
    if not first.startswith(protocol) or len(words) < 2 or not words[1].isdigit():  # noqa: PLR2004 - protocol and status
        raise ScannerDown("what answers speaks no ICAP")
    named = (each.decode("utf-8", "replace").partition(":") for each in rest)
    return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in named}
