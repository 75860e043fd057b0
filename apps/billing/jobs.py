"""Deferred work of billing, in the lane of those that wait for machines that are not ours."""

from datetime import timedelta

from apps.billing.payment import arriving, operating, reporting
from bitvault.jobs import api as jobs
from bitvault.kernel.actor import Scope

LANE = "outbound"

TRIES = 12
"""With the backoff more than an hour: an outage of the provider's is mostly shorter, and the daily question comes after it."""


@jobs.job_kind(
    arriving.REFRESH,
    payload=arriving.RefreshPayment,
    lane=LANE,
    tries=TRIES,
    timeout=timedelta(minutes=1),
    kept_for=timedelta(days=1),
    scope=Scope.ADMIN,
)
def refresh_payment(payload: arriving.RefreshPayment, run: jobs.Run) -> None:
    """Ask how a tenant's subscription stands."""
    arriving.run_refresh(payload, job_id=run.job_id)


@jobs.job_kind(
    reporting.REPORT,
    payload=reporting.ReportUsage,
    lane=LANE,
    tries=TRIES,
    timeout=timedelta(minutes=2),
    kept_for=timedelta(days=1),
    scope=Scope.ADMIN,
)
def report_usage(payload: reporting.ReportUsage, run: jobs.Run) -> int:
    """Report what a tenant has used."""
    return reporting.run_report()


@jobs.job_kind(
    operating.END,
    payload=operating.EndSubscriptions,
    lane=LANE,
    tries=TRIES,
    timeout=timedelta(minutes=1),
    scope=Scope.ADMIN,
)
def end_subscriptions(payload: operating.EndSubscriptions, run: jobs.Run) -> None:
    """End the subscriptions of a tenant that is gone."""
    operating.end_subscriptions(payload)
