"""Celery's queues: those of what is registered, and a few of the application's own."""

from collections.abc import Iterator

from kombu.entity import Queue

OWN = ("celery", "relay", "patient")
"""Sweeps in Celery's default; the relay, which waits for nobody; what may take minutes."""


class RegisteredQueues:
    """All queues, as of the moment when Celery asks: by then every app has registered its consumers and kinds of jobs.

    One queue for each consumer of the stream, so that a slow one keeps only itself waiting, and one for each lane of jobs.
    """

    def __iter__(self) -> Iterator[Queue]:
        """Go through them; each name comes once."""
        # Models stand behind both, and Celery makes this object before Django is ready.
        from bitvault.events.operating import list_consumers
        from bitvault.jobs.operating import list_lanes

        return (Queue(name) for name in dict.fromkeys((*OWN, *list_lanes(), *list_consumers())))
