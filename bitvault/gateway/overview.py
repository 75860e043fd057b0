"""The figures of the operators' overview: what the installation holds, what passes through it, what waits and what is wrong.

Each service is asked in a thread of its own with a deadline, so one that hangs shows as such and keeps nothing else from being shown. The
database is asked a number of questions that does not depend on how much there is.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection

from apps.admin_platform import api as administration
from apps.admin_platform.api import locked
from apps.billing.api import noted
from apps.identity import api as identity
from apps.storage import api as storage
from apps.storage.api import runs
from bitvault.backup import runs as backups
from bitvault.events import heartbeats
from bitvault.events import operating as stream
from bitvault.gateway.readiness import Check, Readiness
from bitvault.gateway.traffic import Meter
from bitvault.jobs import operating as jobs

MAIL_KINDS = "mail."
DELIVERIES = "webhooks.deliver"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Jobs of some kinds together."""

    queued_count: int = 0
    running_count: int = 0
    failed_count: int = 0
    oldest_seconds: float = 0.0
    is_paused: bool = False


@dataclass(frozen=True, slots=True)
class Stream:
    """What waits in the event stream, over all consumers."""

    behind: Sequence[stream.Backlog]
    """Consumers for which something waits, the one that has waited longest first."""
    seconds: float
    row_count: int
    dead_letter_count: int
    paused: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk of this machine, in bytes."""

    free_bytes: int
    total_bytes: int

    @property
    def free_percent(self) -> int:
        """What is free of it."""
        return self.free_bytes * 100 // self.total_bytes

    @property
    def used_percent(self) -> int:
        """What is used of it."""
        return 100 - self.free_percent


DATABASE_FIGURES = (
    "tenants",
    "room",
    "stream",
    "jobs",
    "mail",
    "deliveries",
    "schedulers",
    "runs",
    "store_checks",
    "sweep",
    "store_fit",
    "backup",
    "alarms",
    "anchors",
)

_meter = Meter()


def _timed(ask: Callable[[], object]) -> float:
    begun = time.perf_counter()
    ask()
    return (time.perf_counter() - begun) * 1000


def _ask_database() -> Mapping[str, Any]:
    """Ask everything that PostgreSQL knows, in one thread and so on one connection."""
    try:
        milliseconds = _timed(lambda: connection.cursor().execute("SELECT 1"))
        tenants = identity.count_tenants_by_state()
        known = [tenant.id for tenant in identity.list_tenants()]
        active = [tenant.id for tenant in identity.list_active_tenants()]
        backlogs, paused_kinds = jobs.list_backlogs(), jobs.list_paused()
        return {
            "database": milliseconds,
            "tenants": tenants,
            "room": noted.sum_up_room(tenant_ids=known),
            "stream": _sum_up_stream(),
            "jobs": _sum_up(backlogs, paused_kinds, lambda _: True),
            "mail": _sum_up(backlogs, paused_kinds, lambda kind: kind.startswith(MAIL_KINDS)),
            "deliveries": _sum_up(backlogs, paused_kinds, lambda kind: kind == DELIVERIES),
            "schedulers": heartbeats.list_ages(),
            "runs": runs.list_last_runs(),
            "store_checks": storage.get_store_checks(tenant_ids=active),
            "sweep": storage.get_sweep_backlog(tenant_ids=active),
            "store_fit": storage.find_store_fitness(),
            "backup": backups.find_last(),
            "alarms": administration.list_alarms(),
            "anchors": locked.find_anchor_turn(),
        }
    finally:
        connection.close()


def _sum_up_stream() -> Stream:
    backlogs = stream.list_backlogs()
    behind = sorted((one for one in backlogs if one.row_count), key=lambda one: one.seconds, reverse=True)
    return Stream(
        behind=behind,
        seconds=behind[0].seconds if behind else 0.0,
        row_count=sum(one.row_count for one in behind),
        dead_letter_count=sum(one.dead_letter_count for one in backlogs),
        paused=stream.list_paused(),
    )


def _sum_up(backlogs: Sequence[jobs.Backlog], paused: Mapping[str, str], takes: Callable[[str], bool]) -> Waiting:
    chosen = [one for one in backlogs if takes(one.kind)]
    return Waiting(
        queued_count=sum(one.queued_count for one in chosen),
        running_count=sum(one.running_count for one in chosen),
        failed_count=sum(one.failed_count for one in chosen),
        oldest_seconds=max((one.oldest_seconds for one in chosen), default=0.0),
        is_paused=any(takes(kind) for kind in paused),
    )


def _ask_valkey() -> Mapping[str, Any]:
    return {"valkey": _timed(lambda: cache.get("readyz"))}


def _ask_store() -> Mapping[str, Any]:
    return {"store": _timed(storage.require_store)}


def _ask_disks() -> Mapping[str, Any]:
    usage = shutil.disk_usage(settings.ROOT)
    return {"disk": Disk(usage.free, usage.total), "store_disk": storage.find_disk_room()}


def _ask_traffic() -> Mapping[str, Any]:
    return {"traffic": _meter.read(), "is_counted": True}


CHECKS: tuple[Check[Any], ...] = (
    Check(_ask_database, failed={"database": None, **dict.fromkeys(DATABASE_FIGURES)}),
    Check(_ask_valkey, failed={"valkey": None}),
    Check(_ask_store, failed={"store": None}),
    Check(_ask_disks, failed={"disk": None, "store_disk": None}),
    Check(_ask_traffic, failed={"traffic": None, "is_counted": False}),
)

figures: Readiness[Any] = Readiness(CHECKS)
