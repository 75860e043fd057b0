"""How long work waits for others: short where a request waits for it, long for workers and commands.

A process that answers requests calls ``use(REQUESTS)`` when it starts (``gateway.wsgi``, ``gateway.asgi``); any other keeps ``PATIENT``.
Work that no request waits for says so by ``background()``, wherever it runs.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Longest waits, in seconds."""

    statement_seconds: float | None
    """For one statement of PostgreSQL. None leaves it to the server's own limit."""

    silence_seconds: float
    """Without any answer of PostgreSQL to this process; then it is asked on another connection whether it lives."""

    probe_seconds: int
    """For the answer to that question, and for any new connection. psycopg waits for at least 2 s."""

    hash_seconds: float
    """For one of the machine's places to hash a password in."""

    hash_queue_length: int
    """How many threads of this process may wait for that at once."""

    are_background: bool
    """Whether no request waits: calls to the store may take long, and count against no share of the threads."""


# Above the login role's lock_timeout (3 s) thrice, below its statement_timeout (30 s), which ends what grows beyond all bounds. A statement
# that may rightly take longer says so (`db.set_statement_timeout`). A server that stands still is noticed by its silence, long before.
REQUESTS = Deadlines(
    statement_seconds=10.0,
    silence_seconds=1.0,
    probe_seconds=2,
    hash_seconds=2.0,
    hash_queue_length=2,
    are_background=False,
)

PATIENT = Deadlines(
    statement_seconds=None,
    silence_seconds=30.0,
    probe_seconds=10,
    hash_seconds=60.0,
    hash_queue_length=1000,
    are_background=True,
)

_of_process = PATIENT
_of_work: ContextVar[Deadlines | None] = ContextVar("bitvault_deadlines", default=None)


def current() -> Deadlines:
    """Tell how long this work waits."""
    return _of_work.get() or _of_process


def use(deadlines: Deadlines) -> None:
    """Set how long the work of this process waits, where it says nothing else."""
    global _of_process  # noqa: PLW0603 - one for each process
    _of_process = deadlines


@contextmanager
def background() -> Iterator[None]:
    """Say that no request waits for what runs in the block: it waits as workers do.

    Celery tasks and commands that an operator waits for run in it. A new thread begins outside of it.
    """
    token = _of_work.set(PATIENT)
    try:
        yield
    finally:
        _of_work.reset(token)


def is_background() -> bool:
    """Tell whether this is work that no request waits for."""
    return current().are_background
