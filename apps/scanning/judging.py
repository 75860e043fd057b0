"""Having a content scanned: its bytes go from the store to the scanner piece by piece, and what comes of it is settled."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID

import structlog
from prometheus_client import Counter

from apps.scanning import queries, settling
from apps.scanning.config import LARGEST_MIB
from apps.scanning.engines import chosen
from apps.scanning.engines.port import ScanBroken, ScannerDown, ScannerRefused, TooLargeToScan
from apps.scanning.models import Content, ContentState
from apps.scanning.settling import Outcome
from apps.storage.api import scanned as storage
from apps.storage.errors import BlobDamaged, BlobGone
from bitvault.kernel import clock, db, scanning

PIECE_BYTES = 4 * 1024**2
"""How much is read from the store at once, and all that is held of a content: hides the cost of a call."""

AGAIN_AFTER = timedelta(minutes=1)
"""When a content is tried again that the scanner could not be asked about, or that it had no verdict on."""

TRIES = 5
"""How often a scanner may answer without a verdict before a content is given up."""

SCANS = Counter("bitvault_scans_total", "Contents that were scanned, by what came of it", ["outcome"])
SCANNED_BYTES = Counter("bitvault_scanned_bytes_total", "Bytes that were sent to the scanner")

logger = structlog.get_logger(__name__)

_SETTLED = (ContentState.CLEAN, ContentState.INFECTED, ContentState.RELEASED)


def scan(content_hash: str, *, report: Callable[[int], None]) -> bool:
    """Have a content scanned that is known here, and settle what comes of it; repeatable. Returns whether the scanner could be asked.

    :param report: called with the number of bytes sent so far; may raise to end it.
    :raises StoreUnavailable: the store does not answer.
    """
    row = queries.find_content(content_hash)
    if row is None:
        return True
    if row.state in _SETTLED or (row.state == ContentState.UNSCANNED and row.due_at is None):
        # Another blob came with it: what is known holds for that one, too.
        storage.settle_scan(content_hash=content_hash, state=row.state)  # type: ignore[arg-type] # no other is stored
        return True
    try:
        outcome = _ask(row, report)
    except BlobGone:
        _forget(row)
        return True
    SCANS.labels(outcome.reason or outcome.state).inc()
    settling.settle(row, outcome)
    return outcome.reason != "outage"


def _ask(row: Content, report: Callable[[int], None]) -> Outcome:
    if row.size_bytes > LARGEST_MIB.get() * 1024**2:
        return Outcome(state="unscanned", reason="too_large")
    try:
        verdict = chosen.scan(_read(row.blob_id, report), size_bytes=row.size_bytes)
    except TooLargeToScan:
        return Outcome(state="unscanned", reason="too_large")
    except BlobDamaged:
        return Outcome(state="unscanned", reason="damaged")
    except (ScanBroken, ScannerRefused) as failure:
        logger.warning("scan_failed", content_hash=row.content_hash, reason=str(failure))
        if row.try_count + 1 >= TRIES:
            return Outcome(state="unscanned", reason="failed", is_try=True)
        return Outcome(state=_waiting(), reason="failed", due_at=clock.now() + AGAIN_AFTER, is_try=True)
    except ScannerDown:
        return Outcome(state=_waiting(), reason="outage", due_at=clock.now() + AGAIN_AFTER)
    if verdict.is_infected:
        logger.warning("malware_found", content_hash=row.content_hash, signature=verdict.signature)
        return Outcome(state="infected", signature=verdict.signature)
    return Outcome(state="clean")


def _waiting() -> scanning.State:
    """Tell how a content waits for another try: closed, where nothing may be read that was not scanned; elsewhere nobody waits for that."""
    return "scanning" if "unscanned" in scanning.current().withheld else "unscanned"


def _read(blob_id: UUID, report: Callable[[int], None]) -> Iterator[bytes]:
    at = 0
    while piece := storage.read_before_scan(blob_id=blob_id, first_byte=at, limit_bytes=PIECE_BYTES):
        yield piece
        at += len(piece)
        SCANNED_BYTES.inc(len(piece))
        report(at)
        if len(piece) < PIECE_BYTES:
            return


def _forget(row: Content) -> None:
    with db.write_transaction():
        Content.objects.filter(id=row.id, blob_id=row.blob_id).delete()
