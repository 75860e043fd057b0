"""Sending: events to one receiver in their order, each until it is taken; and single messages that somebody asks for.

Between a request and its row nothing is noted. A worker that dies there is followed by another, which sends the same bytes under the same
id with a new time: at least once, and a receiver that keeps ids has it once.
"""

import time

from apps.webhooks import matching, messages, outcomes
from apps.webhooks.models import Delivery, Webhook
from apps.webhooks.waking import Deliver, Send
from bitvault.events.api import Published, list_published
from bitvault.jobs import api as jobs
from bitvault.kernel import db, sealing
from bitvault.kernel.outbound import egress

READ_AT_ONCE = 500
"""Events that are read, and judged, together."""

TURN_SECONDS = 20.0
"""How long one receiver has a worker before others have their turn."""


def deliver(payload: Deliver, run: jobs.Run) -> int:
    """Send a receiver what it has not had; returns how many events were taken or given up."""
    count, until = 0, time.monotonic() + TURN_SECONDS
    while (webhook := _find(payload)) is not None:
        events = list_published(after=webhook.position, limit=READ_AT_ONCE)
        if not events:
            if outcomes.end(run, webhook, count=count):
                return count
            continue
        if events[0].seq != webhook.position + 1 and webhook.position > 0:
            # It was switched off for longer than events are kept: the chain of numbers begins anew, and receivers see that.
            webhook.sent_seq = None
        for published in matching.select(webhook, events):
            if not _deliver_one(run, webhook, published):
                return count
            count += 1
            run.report(count)
            if time.monotonic() >= until and outcomes.end(run, webhook, count=count, goes_on=True):
                return count
        outcomes.pass_over(webhook, events[-1].seq)
        run.report(count)
    return count


def send_single(payload: Send, run: jobs.Run) -> None:
    """Send a test, or a message again, once."""
    with db.read_transaction():
        delivery = Delivery.objects.filter(pk=payload.delivery_id, state="pending").first()
        webhook = None if delivery is None else Webhook.objects.filter(pk=delivery.webhook_id).first()
    if delivery is None or webhook is None:
        return
    answer = _post(webhook, delivery.message_id, delivery.body.encode())
    outcomes.record_single(run, delivery.id, answer)


def _find(payload: Deliver) -> Webhook | None:
    with db.read_transaction():
        return Webhook.objects.filter(pk=payload.webhook_id, round=payload.round, is_enabled=True).first()


def _deliver_one(run: jobs.Run, webhook: Webhook, published: Published) -> bool:
    message_id, body = messages.id_of(published.id), messages.compose(webhook, published)
    answer = _post(webhook, message_id, body)
    return outcomes.record(run, webhook, published, message_id=message_id, body=body, answer=answer)


def _post(webhook: Webhook, message_id: str, body: bytes) -> egress.Answer:
    try:
        headers = messages.headers_of(webhook, message_id=message_id, body=body)
    except sealing.Unreadable:
        return egress.Answer(duration_ms=0, failure="secret_unreadable")
    return egress.post(webhook.url, body, headers)
