"""What a try leads to: the next event, another try later, or a webhook that is switched off. Each is one transaction."""

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from apps.webhooks import waking
from apps.webhooks.dtos import DisabledReason
from apps.webhooks.models import Delivery, Webhook
from bitvault.events.api import Published, publish
from bitvault.events.catalog.webhooks import WebhookDisabled
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db
from bitvault.kernel.outbound.egress import Answer

WAITS = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=24),
)
"""Between the tries of an event, the first of which is made at once."""

JITTER = 0.1
"""The part by which a wait is longer or shorter, so that what failed together is not tried together."""

FAILING_LIMIT = timedelta(days=5)
"""After so long without a success a webhook is switched off."""

KEPT_FOR = timedelta(days=30)
FORGET_STEP = 500

GONE = 410
_OF_RECEIVER = frozenset({408, 425, 429, 502, 503, 504})
"""Statuses that say nothing about the message: it is tried until the webhook is switched off. So is one that was not answered at all."""

_random = secrets.SystemRandom()


def record(
    run: jobs.Run, webhook: Webhook, published: Published, *, message_id: str, body: bytes, answer: Answer
) -> bool:
    """Write down a try of an event, and what follows; tells whether the next event's turn has come.

    When it has not, the job has ended in the same transaction, with one for the next try where there is one.
    """
    now = clock.now()
    with db.write_transaction():
        row = Webhook.objects.select_for_update().filter(pk=webhook.id).first()
        if row is None:
            run.complete()
            return False
        is_current = row.is_enabled and row.round == webhook.round
        given_up = is_current and not answer.is_success and _is_given_up(row, answer)
        delivery = _find_delivery(row, published, message_id=message_id, body=body, now=now)
        _add_try(delivery, answer, now=now, is_last=given_up)
        delivery.save()
        if not is_current:
            # Somebody has changed it meanwhile: another job goes on, from where they said.
            run.complete()
            return False
        if answer.is_success:
            _note_success(row, now=now)
        else:
            row.failing_since = row.failing_since or now
            row.try_count += 1
        if answer.is_success or given_up:
            row.position, row.sent_seq, row.try_count, row.next_try_at = published.seq, published.seq, 0, None
        reason = _reason_to_stop(row, answer, now=now)
        if reason is not None:
            disable(row, reason, now=now)
        elif not answer.is_success and not given_up:
            row.next_try_at = now + _wait(row.try_count, answer)
        row.save()
        webhook.position, webhook.sent_seq = row.position, row.sent_seq
        if reason is None and (answer.is_success or given_up):
            return True
        run.complete()
        if reason is None:
            waking.enqueue(row, run_at=row.next_try_at)
    return False


def record_single(run: jobs.Run, delivery_id: Any, answer: Answer) -> None:
    """Write down the one try of a test or a redelivery. When it succeeds, what waits for a further try is tried at once."""
    now = clock.now()
    with db.write_transaction():
        delivery = Delivery.objects.select_for_update().filter(pk=delivery_id).first()
        row = None if delivery is None else Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
        if delivery is not None and row is not None:
            _add_try(delivery, answer, now=now, is_last=True)
            delivery.save()
            if answer.is_success:
                _note_success(row, now=now)
                if row.is_enabled and row.next_try_at is not None:
                    waking.begin_anew(row)
                row.save()
        run.complete()


def end(run: jobs.Run, webhook: Webhook, *, count: int, goes_on: bool = False) -> bool:
    """End a job whose work is done, or whose turn is over; tells whether it is: an event may have come at this moment."""
    with db.write_transaction():
        row = Webhook.objects.select_for_update().filter(pk=webhook.id, round=webhook.round, is_enabled=True).first()
        if row is not None and row.wanted_seq > row.position and not goes_on:
            return False
        _forget(webhook)
        run.complete(count)
        if row is not None and goes_on:
            waking.enqueue(row)
    return True


def pass_over(webhook: Webhook, seq: int) -> None:
    """Note that nothing up to a number is to be sent."""
    with db.write_transaction():
        Webhook.objects.filter(pk=webhook.id, round=webhook.round, position__lt=seq).update(position=seq)


def disable(row: Webhook, reason: DisabledReason, *, now: datetime) -> None:
    """Switch a webhook off, in the open transaction; the caller saves it. Its position stays: switched on, it goes on from there."""
    row.is_enabled, row.disabled_reason, row.disabled_at, row.next_try_at = False, reason, now, None
    row.round += 1
    publish(WebhookDisabled(webhook_id=row.id, reason=reason))


def _is_given_up(row: Webhook, answer: Answer) -> bool:
    """Tell whether an event has had all its tries, and others are to have theirs: only where the receiver refuses just this one."""
    return answer.failure == "answer" and answer.status not in _OF_RECEIVER and row.try_count >= len(WAITS)


def _reason_to_stop(row: Webhook, answer: Answer, *, now: datetime) -> DisabledReason | None:
    if answer.is_success:
        return None
    if answer.status == GONE:
        return "gone"
    if answer.failure == "secret_unreadable":
        return "secret_unreadable"
    if row.failing_since is not None and now - row.failing_since >= FAILING_LIMIT:
        return "failing"
    return None


def _wait(try_count: int, answer: Answer) -> timedelta:
    usual = WAITS[min(try_count, len(WAITS)) - 1] * _random.uniform(1 - JITTER, 1 + JITTER)
    return max(usual, timedelta(seconds=answer.retry_after_seconds))


def _note_success(row: Webhook, *, now: datetime) -> None:
    row.failing_since, row.last_success_at = None, now


def _find_delivery(row: Webhook, published: Published, *, message_id: str, body: bytes, now: datetime) -> Delivery:
    """Find the message whose tries go on, or begin one."""
    text = body.decode()
    found = Delivery.objects.filter(webhook_id=row.id, seq=published.seq, state="pending", kind="event").first()
    if found is not None:
        found.body = text
        return found
    return Delivery(
        webhook_id=row.id,
        message_id=message_id,
        kind="event",
        state="pending",
        event_type=published.type,
        seq=published.seq,
        prev_seq=row.sent_seq,
        body=text,
        created_at=now,
    )


def _add_try(delivery: Delivery, answer: Answer, *, now: datetime, is_last: bool) -> None:
    one = {
        "started_at": now - timedelta(milliseconds=answer.duration_ms),
        "duration_ms": answer.duration_ms,
        "status": answer.status,
        "failure": answer.failure,
        "answer": answer.text,
    }
    tries: Sequence[Any] = [*delivery.tries, msgspec.to_builtins(one)]
    delivery.tries = tries
    if answer.is_success or is_last:
        delivery.state, delivery.finished_at = "delivered" if answer.is_success else "failed", now


def _forget(webhook: Webhook) -> None:
    """Delete what was sent too long ago, a part at a time."""
    old = Delivery.objects.filter(webhook_id=webhook.id, created_at__lt=clock.now() - KEPT_FOR).order_by("id")
    Delivery.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:FORGET_STEP])).delete()
