"""The scheduler: Celery's beat, of which one at a time sends, however many run.

Whoever holds the row of its heartbeat ticks; the others wait, and one of them takes over when the holder says nothing more.

When what was last sent is kept nowhere: who takes over sends everything once and keeps the intervals from there. A file, as Celery's own
clock has it, lies on one machine of several, is ruined when two write it or one dies writing, and every sweep here may come too often.
"""

import time
from datetime import UTC, datetime
from typing import Any

import structlog
from celery.beat import Scheduler
from django.db import Error as AnyDatabaseError
from django.db import close_old_connections

from bitvault.events import heartbeats
from bitvault.kernel import db, ids

RENEW_SECONDS = 1.0
"""How often the row is asked for. Five times within a lease, so that a slow database does not make the clock change hands."""

NEVER = datetime(2000, 1, 1, tzinfo=UTC)
"""When something was last sent that this process has not sent yet."""

logger = structlog.get_logger(__name__)


class OneAtATime(Scheduler):  # type: ignore[misc] # celery has no types
    """Sends what is due while it holds the heartbeat, and nothing while another does or the database does not say."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._id = ids.new_id()
        self._holds = False
        self._asked_at = -RENEW_SECONDS
        super().__init__(*arguments, **options)

    def setup_schedule(self) -> None:
        """Take up the schedule, with everything due."""
        super().setup_schedule()
        for entry in self.schedule.values():
            entry.last_run_at = NEVER

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Send the next thing that is due; returns how long to wait."""
        if time.monotonic() - self._asked_at >= RENEW_SECONDS:
            self._ask()
        if not self._holds:
            return RENEW_SECONDS
        return min(float(super().tick(*arguments, **options)), RENEW_SECONDS)

    def close(self) -> None:
        """Leave the heartbeat to the next, so that a restart does not wait for the lease to end.

        Celery calls it from the handler of the signal that ends it, and again once what the signal met has been left: in the midst of a
        transaction the second call does it.
        """
        try:
            if db.find_open() is None:
                heartbeats.release(heartbeats.BEAT, holder=self._id)
        except AnyDatabaseError as error:
            logger.info("heartbeat_not_left", error=type(error).__name__)
        super().close()

    def _ask(self) -> None:
        self._asked_at = time.monotonic()
        held = self._holds
        try:
            close_old_connections()
            self._holds = heartbeats.hold(heartbeats.BEAT, holder=self._id)
        except AnyDatabaseError as error:
            # Somebody else may hold it by now, and who cannot ask must not send.
            self._holds = False
            logger.warning("heartbeat_not_held", error=type(error).__name__)
        if self._holds != held:
            logger.info("beat_takes_over" if self._holds else "beat_waits")
