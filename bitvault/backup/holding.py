"""Holding deletions back in the store while objects are copied."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import structlog
from django.db import Error as AnyDatabaseError
from django.db import connection

from apps.storage import api as storage

HOLD = timedelta(hours=1)
"""How long deletions stay held back after the last sign of life: time to start a backup again that was killed."""

RENEW_SECONDS = 60.0

logger = structlog.get_logger(__name__)


@contextmanager
def held(reason: str) -> Iterator[threading.Event]:
    """Hold deletions back inside the block; the event is set when the hold was lost."""
    hold_id = storage.hold_deletions(reason=reason, lasts=HOLD)
    try:
        with kept_alive(hold_id) as lost:
            yield lost
    finally:
        storage.release_holds(reason=reason)


@contextmanager
def kept_alive(hold_id: UUID) -> Iterator[threading.Event]:
    """Renew a hold inside the block; the event is set when it was lost."""
    ended, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not ended.wait(RENEW_SECONDS):
            try:
                if not storage.renew_hold(hold_id=hold_id, lasts=HOLD):
                    lost.set()
                    return
            except AnyDatabaseError as error:
                logger.warning("hold_not_renewed", error=type(error).__name__)
            finally:
                connection.close()

    keeper = threading.Thread(target=renew, name="backup-hold", daemon=True)
    keeper.start()
    try:
        yield lost
    finally:
        ended.set()
        keeper.join()
