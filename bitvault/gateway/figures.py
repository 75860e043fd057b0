"""Figures of the installation as a whole, read from PostgreSQL when a scraper asks: any web process gives the same.

What a process counts itself (requests, sweeps) stands in the registry of its library; with BITVAULT_METRICS_DIRECTORY the processes that
share the directory are counted together.
"""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from apps.admin_platform.api import locked
from apps.identity import api as identity
from apps.storage import api as storage
from bitvault.backup import runs as backups
from bitvault.events import heartbeats, operating
from bitvault.gateway.recounting import RECOUNT_JOB
from bitvault.jobs import operating as jobs
from bitvault.kernel import clock

logger = structlog.get_logger(__name__)


class Installation(Collector):
    """What operators watch: whether the schedulers run, what waits and for how long, what was given up."""

    def collect(self) -> Iterator[Any]:
        """Read the figures; a database that does not answer is one of them."""
        try:
            families = [
                *(*_heartbeats(), *_consumers(), *_partitions(), *_jobs(), *_paused()),
                *(*_quotas(), *_uploads(), *_store(), *_backups(), *_anchors()),
            ]
        except DatabaseError:
            logger.exception("figures_not_read")
            families = None
        yield GaugeMetricFamily(
            "bitvault_installation_up",
            "Whether the figures of the installation could be read from the database",
            value=families is not None,
        )
        yield from families or ()


def _heartbeats() -> Iterator[Any]:
    ages = GaugeMetricFamily(
        "bitvault_heartbeat_age_seconds",
        "How long a scheduler has been silent; +Inf: it never ran",
        labels=["scheduler"],
    )
    for name, age in heartbeats.list_ages().items():
        ages.add_metric([name], float("inf") if age is None else age)
    yield ages


def _consumers() -> Iterator[Any]:
    columns = {
        "tenant_count": ("bitvault_consumer_lagging_tenants", "Tenants whose stream has events for a consumer"),
        "row_count": ("bitvault_consumer_lag_rows", "Events that wait for a consumer, over all tenants"),
        "deepest_row_count": (
            "bitvault_consumer_deepest_lag_rows",
            "Events that wait for a consumer in the tenant that has most of them",
        ),
        "seconds": ("bitvault_consumer_lag_seconds", "Age of the oldest event that a consumer has not finished"),
        "dead_letter_count": ("bitvault_dead_letters", "Events that a consumer gave up on and nobody has settled"),
    }
    backlogs = operating.list_backlogs()
    for field, (name, meaning) in columns.items():
        family = GaugeMetricFamily(name, meaning, labels=["consumer"])
        for backlog in backlogs:
            family.add_metric([backlog.consumer], getattr(backlog, field))
        yield family


def _partitions() -> Iterator[Any]:
    yield GaugeMetricFamily(
        "bitvault_stream_days_ahead",
        "Coming days, in a row from today, that the stream has a partition for",
        value=operating.count_days_ahead(),
    )


def _jobs() -> Iterator[Any]:
    columns = {
        "queued_count": ("bitvault_jobs_queued", "Jobs whose time has come and that no worker has taken"),
        "running_count": ("bitvault_jobs_running", "Jobs that a worker has taken"),
        "failed_count": ("bitvault_jobs_parked", "Jobs that failed for good and were not run again"),
        "oldest_seconds": ("bitvault_jobs_oldest_seconds", "How long the first of the queued jobs has waited"),
    }
    backlogs = jobs.list_backlogs()
    for field, (name, meaning) in columns.items():
        family = GaugeMetricFamily(name, meaning, labels=["kind"])
        for backlog in backlogs:
            family.add_metric([backlog.kind], getattr(backlog, field))
        yield family


def _paused() -> Iterator[Any]:
    family = GaugeMetricFamily(
        "bitvault_paused", "Consumers and kinds of jobs that operators have stopped", labels=["what", "name"]
    )
    for what, names, paused in (
        ("consumer", operating.list_consumers(), operating.list_paused()),
        ("kind of job", jobs.list_kinds(), jobs.list_paused()),
    ):
        for name in names:
            family.add_metric([what, name], name in paused)
    yield family


def _quotas() -> Iterator[Any]:
    found = jobs.list_results(kind=RECOUNT_JOB, since=clock.now() - timedelta(days=1))
    corrections = [abs(result["corrected_by_bytes"]) for result in found]
    yield GaugeMetricFamily(
        "bitvault_quotas_corrected",
        "Quotas that did not count what the files have, by the recounts of the last day; each is corrected",
        value=sum(correction > 0 for correction in corrections),
    )
    yield GaugeMetricFamily(
        "bitvault_quotas_corrected_bytes", "How many bytes these were wrong by, in all", value=sum(corrections)
    )


def _uploads() -> Iterator[Any]:
    backlog = storage.get_sweep_backlog(tenant_ids=[tenant.id for tenant in identity.list_active_tenants()])
    yield GaugeMetricFamily(
        "bitvault_uploads_overdue",
        "Abandoned uploads that wait for the sweeper past their time",
        value=backlog.overdue_count,
    )
    yield GaugeMetricFamily(
        "bitvault_blobs_uncollected",
        "Blobs that no file holds and that should have been deleted from the object store an hour ago",
        value=backlog.uncollected_count,
    )
    age = GaugeMetricFamily("bitvault_uploads_sweep_age_seconds", "Since when some tenant has not been swept")
    if backlog.oldest_swept_at is not None:
        age.add_metric([], (clock.now() - backlog.oldest_swept_at).total_seconds())
    yield age


def _store() -> Iterator[Any]:
    fit = GaugeMetricFamily(
        "bitvault_store_fit",
        "Whether the last probe of the object store found all that BitVault needs; absent before the first",
    )
    found = storage.find_store_fitness()
    if found is not None:
        fit.add_metric([], found)
    yield fit
    checks = storage.get_store_checks(tenant_ids=[tenant.id for tenant in identity.list_active_tenants()])
    ages = GaugeMetricFamily(
        "bitvault_store_check_age_seconds",
        "Since when the run over some tenant's objects has not come to its end",
        labels=["kind"],
    )
    for kind, moment in checks.oldest_at.items():
        ages.add_metric([kind], (clock.now() - moment).total_seconds())
    yield ages
    yield GaugeMetricFamily(
        "bitvault_store_checks_stopped",
        "Tenants whose last run over the object store was stopped by a brake, or failed",
        value=checks.stopped_count,
    )
    found_lately = GaugeMetricFamily(
        "bitvault_store_findings", "What runs over the object store found in the last two days", labels=["kind"]
    )
    for kind, count in checks.findings.items():
        found_lately.add_metric([kind], count)
    yield found_lately


def _backups() -> Iterator[Any]:
    """Tell of the last backup that came to its end; nothing, where backups are nobody's wish and none was taken."""
    last = backups.find_last()
    age = GaugeMetricFamily(
        "bitvault_backup_age_seconds",
        "Since when there was no backup; +Inf: nightly ones are wanted and none was taken",
    )
    size = GaugeMetricFamily("bitvault_backup_bytes", "Size of the last backup, by what", labels=["what"])
    lost = GaugeMetricFamily("bitvault_backup_lost_objects", "Objects that the store had lost when it was taken")
    if last is not None and last.finished_at is not None:
        age.add_metric([], (clock.now() - last.finished_at).total_seconds())
        size.add_metric(["database"], last.database_bytes)
        size.add_metric(["objects"], last.object_bytes)
        lost.add_metric([], last.lost_count)
    elif settings.BITVAULT_BACKUP["target"]:
        age.add_metric([], float("inf"))
    yield from (age, size, lost)


def _anchors() -> Iterator[Any]:
    """Tell how far the copies of anchors are behind; nothing, where operators have named no bucket for them."""
    turn = locked.find_anchor_turn()
    waiting = GaugeMetricFamily(
        "bitvault_anchors_unlocked", "Anchors of audit logs that are not in the bucket that locks them yet"
    )
    behind = GaugeMetricFamily(
        "bitvault_anchors_behind_seconds",
        "Since when the first of them waits, copying fails, or no turn has ended; +Inf: none ever has",
    )
    if turn is not None:
        waiting.add_metric([], turn.waiting_count)
        begun = [one for one in (turn.finished_at, turn.waiting_since, turn.failing_since) if one is not None]
        behind.add_metric([], (clock.now() - min(begun)).total_seconds() if begun else float("inf"))
    yield from (waiting, behind)


def show() -> bytes:
    """Give all figures as a scraper reads them."""
    own = REGISTRY
    if settings.BITVAULT_METRICS_DIRECTORY:
        own = CollectorRegistry()
        MultiProcessCollector(own, path=settings.BITVAULT_METRICS_DIRECTORY)  # type: ignore[no-untyped-call] # it has no types
    whole = CollectorRegistry(auto_describe=False)
    whole.register(Installation())
    return generate_latest(own) + generate_latest(whole)
