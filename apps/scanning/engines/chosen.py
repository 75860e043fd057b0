"""The scanner that operators have chosen, and whether it answers."""

from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import structlog

from apps.scanning.config import SCANNER_URL
from apps.scanning.engines.clamd import Clamd
from apps.scanning.engines.icap import Icap
from apps.scanning.engines.port import Scanner, ScannerDown, Verdict
from bitvault.kernel import db
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Unavailable

NAME = "scanner"
CLAMD_PORT, ICAP_PORT = 3310, 1344

logger = structlog.get_logger(__name__)

_scanner = Dependency(NAME, share=8, failures=(ScannerDown,), failure_count=3, rest_seconds=15)
"""Workers alone ask it; while it is down, a backlog of ten thousand files finds that out once in a while."""


def is_chosen() -> bool:
    """Whether this installation has a scanner."""
    return bool(SCANNER_URL.get())


def scan(pieces: Iterator[bytes], *, size_bytes: int) -> Verdict:
    """Have a content scanned.

    :raises ScannerDown: there is no scanner, it does not answer, or it did not do so lately.
    :raises TooLargeToScan, ScannerRefused: it has no verdict on this.
    """
    db.forbid_transaction("a scan")
    scanner = _require()
    try:
        with _scanner.held():
            return scanner.scan(pieces, size_bytes=size_bytes)
    except ScannerDown as error:
        logger.warning("scanner_down", reason=str(error))
        raise
    except Unavailable as error:
        if error.facts.get("dependency") != NAME:
            raise  # the store's own outage, met while its bytes were sent on
        raise ScannerDown(str(error)) from error


def find_version() -> str:
    """Ask the scanner who it is.

    :raises ScannerDown: there is none, or it does not answer.
    """
    return _require().find_version()


def reset() -> None:
    """Forget past failures."""
    _scanner.reset()


def _require() -> Scanner:
    url = SCANNER_URL.get()
    if not url:
        raise ScannerDown("this installation has no scanner")
    return _make(url)


@lru_cache(maxsize=4)
def _make(url: str) -> Scanner:
    parts = urlsplit(url)
    if parts.scheme == "icap":
        return Icap(parts.hostname or "", parts.port or ICAP_PORT, parts.path.strip("/"))
    if parts.hostname:
        return Clamd((parts.hostname, parts.port or CLAMD_PORT))
    return Clamd(unquote(parts.path))
