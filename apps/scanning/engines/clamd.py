"""clamd, ClamAV's daemon, by its command ``INSTREAM`` (man 8 clamd): length and bytes, length and bytes, a length of zero."""

import struct
from collections.abc import Iterator

from apps.scanning.engines.line import Address, Line, cut, open_line
from apps.scanning.engines.port import ScanBroken, ScannerDown, ScannerRefused, TooLargeToScan, Verdict

CHUNK_BYTES = 256 * 1024
"""How much goes under one length; between two of them an early answer is heard."""

_END = struct.pack("!I", 0)
_FOUND = " FOUND"
_LIMITS = "Heuristics.Limits.Exceeded"
"""How clamd says, with ``AlertExceedsMax``, that it has not looked at all of it."""


class Clamd:
    """clamd at a host and port, or at a socket in the file system."""

    def __init__(self, address: Address) -> None:
        self._address = address

    def scan(self, pieces: Iterator[bytes], *, size_bytes: int) -> Verdict:
        """Send a content and read the verdict."""
        with open_line(self._address) as line:
            line.send(b"zINSTREAM\0")
            _send_all(line, pieces)
            answer = line.read_until(b"\0")
        if answer is None:
            raise ScanBroken("it hung up without a verdict")
        return _read(answer.decode("utf-8", "replace").strip())

    def find_version(self) -> str:
        """Ask for the version of clamd and of its signatures."""
        with open_line(self._address) as line:
            line.send(b"zVERSION\0")
            answer = line.read_until(b"\0")
        text = "" if answer is None else answer.decode("utf-8", "replace").strip()
        if not text.startswith("ClamAV"):
            raise ScannerDown("what answers is no clamd")
        return text


def _send_all(line: Line, pieces: Iterator[bytes]) -> None:
    """Send the content, or as much of it as clamd takes before it has had enough, says why, and hangs up.

    :raises ScanBroken: it hangs up and says nothing.
    """
    try:
        for piece in pieces:
            for chunk in cut(piece, CHUNK_BYTES):
                if line.has_answer:
                    return
                line.send(struct.pack("!I", len(chunk)))
                line.send(chunk)
        line.send(_END)
    except ScanBroken:
        if not line.has_answer:
            raise


def _read(answer: str) -> Verdict:
    if "size limit exceeded" in answer:
        raise TooLargeToScan
    text = answer.removeprefix("stream: ")
    if text == "OK":
        return Verdict()
    if text.endswith(_FOUND):
        signature = text.removesuffix(_FOUND)
        if signature.startswith(_LIMITS):
            raise TooLargeToScan
        return Verdict(signature)
    raise ScannerRefused(answer[:200])
