"""Usage that a plan does not include, reported to the provider as it comes up; it is the provider that prices it.

What is reported is what the month's statement will say is above what is included, in thousandths of the unit that is priced, as far as days
are over. It only grows: what is included is counted for the whole month from its first day on. For each month and metric a row keeps how
much was reported. A report is written down, sent under a name made of its number, and counted once it was taken; one that may have been
lost is sent again under the same name. The provider forgets names after a day, so what is unknown for longer is left to operators.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import msgspec

from apps.billing import dtos, models, pricing, queries, statements
from apps.billing.payment import accounts
from apps.billing.payment.port import ProviderRefused, ProviderSilent
from apps.billing.payment.providers import get_provider, is_on
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db
from bitvault.kernel.errors import NotFound

REPORT = "billing.report_usage"

PARTS = 1000
"""A report counts thousandths of a unit."""

REMEMBERED = timedelta(hours=23)
"""How long the provider knows a report by its name: a day, and some time to send it."""

IN_DOUBT = "usage reports in doubt"


class ReportUsage(msgspec.Struct, frozen=True):
    """For the job: report what the tenant has used; there is nothing to say of it."""


def request_report() -> bool:
    """Have the entered tenant's usage reported, if anything of it is paid by usage."""
    if not is_on():
        return False
    row = accounts.find_account()
    if row is None or row.usage_since is None or not _list_events(row.paid_plan):
        return False
    with db.public_transaction():
        jobs.enqueue(REPORT, ReportUsage(), key="usage", by=jobs.SYSTEM)
    return True


def run_report() -> int:
    """Do the job; returns how many reports were taken.

    :raises ProviderSilent: nobody knows whether one has arrived.
    """
    account = accounts.find_account()
    if account is None or account.usage_since is None:
        return 0
    provider, taken, sent = get_provider(), 0, None
    events = _list_events(account.paid_plan)
    for month, due in _list_due(account, account.usage_since.date(), events):
        for metric, amount in sorted(due.items()):
            sent = _begin(month, metric, amount)
            if sent is None or sent.pending is None or sent.tried_at is None:
                continue
            try:
                provider.report_usage(
                    event_name=events[metric],
                    customer_id=account.customer_id,
                    amount=sent.pending,
                    at=sent.tried_at,
                    key=f"usage:{account.tenant_id.hex}:{month:%Y-%m}:{metric}:{sent.number}",
                )
            except ProviderRefused as error:
                _end(sent, taken=False)
                accounts.note_error(str(error))
                continue
            except ProviderSilent as error:
                accounts.note_error(str(error))
                raise
            taken += _end(sent, taken=True)
    return taken


def list_doubtful() -> list[dtos.DoubtfulReport]:
    """List the entered tenant's reports that are left to operators."""
    with db.read_transaction():
        rows = list(models.UsageReport.objects.filter(is_in_doubt=True).order_by("month", "metric"))
    return [dtos.DoubtfulReport(f"{row.month:%Y-%m}", row.metric, row.pending or 0, row.tried_at) for row in rows]


def settle_doubtful(*, month: date, metric: str, has_arrived: bool) -> None:
    """Count a report that was in doubt, or have it sent again under another name.

    :raises NotFound: there is none.
    """
    with db.write_transaction():
        row = models.UsageReport.objects.filter(month=month, metric=metric, is_in_doubt=True).first()
    if row is None:
        raise NotFound
    _end(row, taken=has_arrived)


def _list_due(
    account: models.PaymentAccount, since: date, events: Mapping[str, str]
) -> Iterator[tuple[date, Mapping[str, int]]]:
    """Give what is to have been reported by now: of the month of the last day that is over, and of the one before."""
    closed = (clock.now() - statements.GRACE).date()
    this_month = (closed - timedelta(days=1)).replace(day=1)
    terms_of = statements.find_terms()
    for month in ((this_month - timedelta(days=1)).replace(day=1), this_month):
        begin, end = max(month, since), pricing.next_month(month)
        if begin >= min(end, closed):
            continue
        history = queries.list_history(0, metric=None, begin=begin, end=min(end, closed)).items
        amounts = {(one.day, one.metric): one.amount for one in history}
        due: Counter[str] = Counter()
        for line in pricing.charge(month, pricing.cut_into_pieces(begin, end, terms_of), amounts):
            if line.key.plan == account.paid_plan and line.key.metric in events:
                due[line.key.metric] += max(0, int((line.units - line.included) * PARTS))
        yield month, due


def _list_events(plan: str) -> dict[str, str]:
    rows = models.PlanPrice.objects.filter(plan__slug=plan).exclude(metric=accounts.PLAN_PRICE).exclude(event_name="")
    return dict(rows.values_list("metric", "event_name"))


def _begin(month: date, metric: str, amount: int) -> models.UsageReport | None:
    """Write down what is sent next: what was not taken yet of the last report, or what has come since; ``None``: nothing."""
    now, is_old = clock.now(), False
    with db.write_transaction():
        models.UsageReport.objects.get_or_create(month=month, metric=metric)
        row = models.UsageReport.objects.select_for_update().get(month=month, metric=metric)
        if row.is_in_doubt or (row.pending is None and amount <= row.reported):
            return None
        if row.pending is None:
            row.pending, row.number, row.tried_at = amount - row.reported, row.number + 1, now
        is_old = row.tried_at is not None and now - row.tried_at > REMEMBERED
        row.is_in_doubt = is_old
        row.save()
    if is_old:
        accounts.note_error(IN_DOUBT)
        return None
    return row


def _end(sent: models.UsageReport, *, taken: bool) -> bool:
    """Count a report, or forget that it was tried; another worker may have done so."""
    with db.write_transaction():
        row = models.UsageReport.objects.select_for_update().get(month=sent.month, metric=sent.metric)
        if row.number != sent.number or row.pending is None:
            return False
        if taken:
            row.reported += row.pending
        row.pending, row.tried_at, row.is_in_doubt = None, None, False
        row.save()
    return taken
