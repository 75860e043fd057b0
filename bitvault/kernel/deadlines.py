"""How long this process waits for others: short where requests are answered, long for workers and commands.

A process that answers requests calls ``use(REQUESTS)`` when it starts (``gateway.wsgi``, ``gateway.asgi``); any other keeps ``PATIENT``.
"""

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


# Above the login role's lock_timeout (3 s) thrice, below its statement_timeout (30 s), which ends what grows beyond all bounds. A statement
# that may rightly take longer says so (`db.set_statement_timeout`). A server that stands still is noticed by its silence, long before.
REQUESTS = Deadlines(
    statement_seconds=10.0, silence_seconds=1.0, probe_seconds=2, hash_seconds=2.0, hash_queue_length=2
)

PATIENT = Deadlines(
    statement_seconds=None, silence_seconds=30.0, probe_seconds=10, hash_seconds=60.0, hash_queue_length=1000
)

_current = PATIENT


def current() -> Deadlines:
    """Tell how long this process waits."""
    return _current


def use(deadlines: Deadlines) -> None:
    """Set how long this process waits."""
    global _current  # noqa: PLW0603 - one for each process
    _current = deadlines
