"""Deferred work of sync: snapshots of large trees."""

from datetime import timedelta

from apps.sync import obtaining
from bitvault.jobs import api as jobs


@jobs.job_kind(
    obtaining.KIND,
    payload=obtaining.MakeSnapshot,
    lane=jobs.BULK,
    tries=3,
    timeout=timedelta(minutes=25),
    kept_for=timedelta(days=1),
)
def make_snapshot(payload: obtaining.MakeSnapshot, run: jobs.Run) -> None:
    """Write a large tree down; devices that asked are answered with it when they ask again."""
    obtaining.make_by_job(payload, run)
