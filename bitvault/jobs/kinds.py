"""Kinds of jobs: which function does the work, with what payload, in which lane, how often and for how long."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from bitvault.jobs.errors import UnknownKind
from bitvault.jobs.lanes import SHORT
from bitvault.kernel.actor import Scope
from bitvault.kernel.errors import ProgrammingError

P = TypeVar("P", bound=msgspec.Struct)

TRY_LIMIT = 5
"""Tries before a job is parked, unless its kind says otherwise: with the backoff, after about half a minute."""

TIMEOUT = timedelta(minutes=1)
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Kind:
    """What is known of a kind of job."""

    name: str
    payload: type[msgspec.Struct]
    work: Callable[[Any, Any], Any]
    lane: str
    tries: int
    timeout: timedelta
    kept_for: timedelta
    scope: Scope
    follows: str | None
    tells_end: bool


_kinds: dict[str, Kind] = {}


def job_kind(
    name: str,
    *,
    payload: type[P],
    lane: str = SHORT,
    tries: int = TRY_LIMIT,
    timeout: timedelta = TIMEOUT,
    kept_for: timedelta = KEPT_FOR,
    scope: Scope = Scope.FILES_READ,
    follows: str | None = None,
    tells_end: bool = False,
) -> Callable[[Callable[[P, Any], Any]], Callable[[P, Any], Any]]:
    """Let a function do the jobs of this kind: ``work(payload, run)``, with a ``running.Run``.

    What it returns (a struct, a dataclass, plain data or ``None``) is the result.

    It is called in the job's tenant, outside of any transaction, at least once: the effect of being called twice must be that of once.

    :param tries: after so many the job is parked: failed, until an operator runs it again.
    :param timeout: how long one try may take.
    :param kept_for: how long a finished job and its result can be read.
    :param scope: what a token must be good for to see such jobs.
    :param follows: what such a job is asked for by (``enqueue_following``), besides those who name the kind.
    :param tells_end: whether kinds that follow ``jobs.ENDED`` hear of the end of a long one that somebody has asked for.
    :param lane: ``lanes.SHORT``, ``lanes.BULK``, or another one: then give it workers of its own.
    :raises ProgrammingError: the name is taken.
    """

    def register(work: Callable[[P, Any], Any]) -> Callable[[P, Any], Any]:
        if name in _kinds:
            raise ProgrammingError(f"two functions want to do jobs of the kind {name}")
        _kinds[name] = Kind(name, payload, work, lane, tries, timeout, kept_for, scope, follows, tells_end)
        return work

    return register


def get_kind(name: str) -> Kind:
    """Find a kind by its name.

    :raises UnknownKind: no function is registered for it.
    """
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(f"no function does jobs of the kind {name}") from None


def list_kinds() -> list[str]:
    """List the names of all kinds."""
    return sorted(_kinds)


def list_lanes() -> list[str]:
    """List the lanes that kinds have named; their queues have the same names."""
    return sorted({kind.lane for kind in _kinds.values()})


def longest_timeout(lane: str) -> timedelta:
    """Tell how long a job of a lane may take at most."""
    return max((kind.timeout for kind in _kinds.values() if kind.lane == lane), default=TIMEOUT)


def list_following(what: str) -> list[Kind]:
    """List the kinds that follow something."""
    return [_kinds[name] for name in list_kinds() if _kinds[name].follows == what]
