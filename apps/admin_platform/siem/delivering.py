"""Sending the log on: batches in the order of the chain, each until it is taken. What a receiver has had is noted after it took it.

A worker that dies in between is followed by another, which sends the same batch again: at least once, and a SIEM knows an entry by tenant
and number. Nothing is ever given up: the log is kept for good, and so is the wish to have it sent.
"""

import secrets
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from apps.admin_platform import queries, siem_targets
from apps.admin_platform.config import SIEM_TOKEN, SIEM_URL
from apps.admin_platform.dtos import AuditEntry, SiemTest
from apps.admin_platform.models import SiemExport
from apps.admin_platform.siem import formats, waking
from bitvault.events.api import publish
from bitvault.events.catalog.admin_platform import SiemExportFailing, SiemExportRecovered
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, ids, sealing, tenancy
from bitvault.kernel.outbound import addresses, byte_stream, egress
from bitvault.kernel.outbound.egress import Answer

PURPOSE = "admin_platform.siem"

BATCH = 500
BATCH_BYTES = 1024 * 1024
"""A batch takes no further entry once it has so many bytes; one entry alone may be larger."""

TURN_SECONDS = 20.0
"""How long one export has a worker before others have their turn."""

WAITS = tuple(timedelta(seconds=one) for one in (5, 30, 120, 300, 600))
"""Between tries; the last one goes on and on."""

JITTER = 0.1

TOLD_AFTER_FAILURES = 7
TOLD_AFTER = timedelta(minutes=30)
"""Whichever comes first: a receiver that restarts is no news, and one that asks to be left alone for an hour is tried once."""

_random = secrets.SystemRandom()


def send_log(payload: waking.SendLog, run: jobs.Run) -> int:
    """Send on what an export has not had; returns how many entries were taken."""
    count, until = 0, time.monotonic() + TURN_SECONDS
    while (row := _find(payload)) is not None:
        with db.read_transaction():
            entries = queries.list_for_export(after=row.position, limit=BATCH)
        if not entries:
            if _end(run, row, count=count):
                return count
            continue
        last, answer = send(row, entries)
        if not _record(run, row, last=last, answer=answer):
            return count
        count += last - row.position
        run.report(count)
        if time.monotonic() >= until and _end(run, row, count=count, goes_on=True):
            return count
    return count


def send_test(payload: waking.SendTest) -> SiemTest:
    """Send a message that is no entry of the log, and tell what became of it."""
    with db.read_transaction():
        row = SiemExport.objects.filter(pk=payload.export_id).first()
    if row is None:
        return SiemTest(is_taken=False, failure="address_unknown", status=None, duration_ms=0)
    return test(row)


def test(row: SiemExport) -> SiemTest:
    """Send a test by an export, outside of transactions."""
    entry = AuditEntry(
        number=0,
        seq=None,
        event_id=ids.new_id(),
        type="audit.siem.test",
        occurred_at=clock.now(),
        actor_id=None,
        node_id=None,
        address="",
        device_id=None,
        request_id="",
        payload={},
        previous_hash="",
        hash="",
    )
    _last, answer = send(row, [entry])
    return SiemTest(answer.is_success, answer.failure, answer.status, answer.duration_ms)


def send(row: SiemExport, entries: Sequence[AuditEntry]) -> tuple[int, Answer]:
    """Send as many of these entries as a batch takes; gives the number of the last one, and how it ended."""
    try:
        secret = _read_secret(row)
        target = siem_targets.parse(SIEM_URL.get() if row.is_installation else row.url)
    except sealing.Unreadable:
        return 0, Answer(duration_ms=0, failure="secret_unreadable")
    except addresses.Refused:
        return 0, Answer(duration_ms=0, failure="address_refused")
    tenant, with_payload = tenancy.current(), not row.is_installation
    chunks: list[bytes] = []
    size, last = 0, 0
    for entry in entries:
        if target.kind == "https":
            chunk = formats.to_json_line(tenant, entry, with_payload=with_payload)
        else:
            chunk = formats.to_syslog(tenant, entry, host=f"{tenant.slug}.bitvault", with_payload=with_payload)
        chunks.append(chunk)
        size, last = size + len(chunk), entry.number
        if size >= BATCH_BYTES:
            break
    body = b"".join(chunks)
    if target.kind == "syslog":
        return last, byte_stream.send(
            target.host,
            target.port,
            body,
            is_encrypted=target.is_encrypted,
            is_trusted=row.is_installation,
        )
    headers = {
        "Content-Type": "application/x-ndjson",
        "User-Agent": "BitVault",
        "BitVault-Tenant": tenant.slug,
        "BitVault-First-Number": str(entries[0].number),
        "BitVault-Last-Number": str(last),
        **({"Authorization": f"Bearer {secret}"} if secret else {}),
    }
    return last, egress.post(target.url, body, headers, is_trusted=row.is_installation)


def _read_secret(row: SiemExport) -> str:
    if row.is_installation:
        return SIEM_TOKEN.get()
    return sealing.unseal(row.secret, purpose=PURPOSE) if row.secret else ""


def _find(payload: waking.SendLog) -> SiemExport | None:
    with db.read_transaction():
        row = SiemExport.objects.filter(pk=payload.export_id, round=payload.round, is_enabled=True).first()
    return None if row is not None and row.is_installation and not SIEM_URL.get() else row


def _record(run: jobs.Run, sent: SiemExport, *, last: int, answer: Answer) -> bool:
    """Note what became of a batch; tells whether the next one's turn has come. If not, the job has ended, followed by the next try's."""
    now = clock.now()
    with db.write_transaction():
        row = SiemExport.objects.select_for_update().filter(pk=sent.pk, round=sent.round, is_enabled=True).first()
        if row is None:
            # Somebody has changed it meanwhile: another job goes on, from where they said.
            run.complete()
            return False
        row.last_failure, row.last_status = answer.failure, answer.status
        if answer.is_success:
            row.position = max(row.position, last)
            row.try_count, row.failing_since, row.next_try_at, row.last_success_at = 0, None, None, now
            if row.told_at is not None:
                _tell_recovered(row)
        else:
            wait = WAITS[min(row.try_count, len(WAITS) - 1)] * _random.uniform(1 - JITTER, 1 + JITTER)
            row.try_count += 1
            row.failing_since = row.failing_since or now
            row.next_try_at = now + max(wait, timedelta(seconds=answer.retry_after_seconds))
            if row.told_at is None and (row.try_count >= TOLD_AFTER_FAILURES or now - row.failing_since >= TOLD_AFTER):
                _tell_failing(row, now)
        row.save()
        if answer.is_success:
            return True
        run.complete()
        waking.enqueue([row], run_at=row.next_try_at)
    return False


def _tell_failing(row: SiemExport, now: datetime) -> None:
    """Have it told once that an export fails: a tenant's own by an event, the operators' by what looks at all tenants (``alarms``)."""
    row.told_at = now
    if not row.is_installation:
        publish(SiemExportFailing(export_id=row.id, failure=row.last_failure, status=row.last_status))


def _tell_recovered(row: SiemExport) -> None:
    row.told_at = None
    if not row.is_installation:
        publish(SiemExportRecovered(export_id=row.id))


def _end(run: jobs.Run, sent: SiemExport, *, count: int, goes_on: bool = False) -> bool:
    """End a job whose work is done, or whose turn is over; tells whether it is: an entry may have come at this moment."""
    result: Any = msgspec.to_builtins(count)
    with db.write_transaction():
        row = SiemExport.objects.select_for_update().filter(pk=sent.pk, round=sent.round, is_enabled=True).first()
        if row is not None and not goes_on and queries.get_head()[0] > row.position:
            return False
        run.complete(result)
        if row is not None and goes_on:
            waking.enqueue([row])
    return True
