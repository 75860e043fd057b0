"""What each tenant uses, as several modules know it: the nightly recount (Files adds its versions up, Billing compares and corrects), and
the hourly note of people and derived objects, which the meter cannot read from files' events.
"""

from datetime import timedelta

import msgspec
from celery import shared_task

from apps.billing import api as billing
from apps.billing.api import noted
from apps.billing.dtos import Recount
from apps.files import api as files
from apps.identity.api import people as identity
from apps.links import api as links
from apps.storage.api import derived
from bitvault.jobs import api as jobs
from bitvault.kernel import db, tenancy

RECOUNT_JOB = "billing.recount"


class RecountUsage(msgspec.Struct, frozen=True):
    """The entered tenant's files."""


@shared_task(name="gateway.request_recount")  # type: ignore[untyped-decorator] # celery has no types
def request_recount() -> None:
    """Have one tenant's files counted against its quota."""
    with db.write_transaction():
        jobs.enqueue(RECOUNT_JOB, RecountUsage(), key="usage", by=jobs.SYSTEM)


@shared_task(name="gateway.note_usage")  # type: ignore[untyped-decorator] # celery has no types
def note_usage() -> None:
    """Tell the meter of one tenant how many members, guests and links it has, and how large its previews are."""
    member_count, guest_count = identity.count_people(tenant=tenancy.current())
    noted.note_usage(
        member_count=member_count,
        guest_count=guest_count,
        link_count=links.count_links(),
        derived_bytes=derived.measure_derived(),
    )


@jobs.job_kind(
    RECOUNT_JOB, payload=RecountUsage, lane=jobs.BULK, timeout=timedelta(minutes=10), kept_for=timedelta(days=2)
)
def recount(payload: RecountUsage, run: jobs.Run) -> Recount:
    """Count the files and settle what the quota has lost; where others were faster, the next try counts again."""
    stored = files.count_stored_bytes()
    return billing.correct_usage(
        size_bytes=stored.size_bytes, unrefunded_bytes=stored.unrefunded_bytes, as_of_seq=stored.as_of_seq
    )
