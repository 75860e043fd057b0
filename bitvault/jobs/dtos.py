"""What the doors of deferred work give."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from bitvault.kernel.actor import Actor

State = Literal["queued", "running", "done", "failed", "canceled"]

UNFINISHED: tuple[State, ...] = ("queued", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Work that was asked for. ``result`` is there once it is done, ``problem`` (RFC 9457) when it has failed.

    A job that failed and will be tried again is ``queued``, and says in ``problem`` what the last try met.
    """

    id: UUID
    kind: str
    state: State
    done_count: int
    total_count: int | None
    result: Any
    problem: Mapping[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens to it."""
        return self.state not in UNFINISHED


@dataclass(frozen=True, slots=True)
class Requester:
    """Who wants a job: (kind, id) as events name their actors."""

    kind: Literal["user", "operator", "system"]
    id: UUID | None = None

    @classmethod
    def of(cls, actor: Actor) -> "Requester":
        """Name the person who acts."""
        return cls("user", actor.user_id)


SYSTEM = Requester("system")
"""BitVault itself: a sweep, a schedule, a consumer."""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits of one kind of job, over all tenants that are not suspended."""

    kind: str
    queued_count: int
    """Jobs whose time has come and that no worker has taken."""
    running_count: int
    failed_count: int
    """Jobs that failed for good and were neither run again nor swept."""
    oldest_seconds: float
    """How long the first of the queued ones has waited; 0 when none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatedJob:
    """A job as operators see it. ``payload`` holds ids and words of ours, ``error`` what the last try met."""

    id: UUID
    tenant_id: UUID | None
    state: str
    tries: int
    payload: dict[str, Any]
    result: Any
    error: str
    run_at: datetime
    created_at: datetime
    finished_at: datetime | None
