"""Webhooks listen to everything: which events a receiver wants is for who made it to say."""

from collections.abc import Sequence

from apps.webhooks import waking
from bitvault.events.api import Published, cannot_be_rebuilt, consumes_batch
from bitvault.kernel import db

cannot_be_rebuilt(
    consumer=waking.CONSUMER,
    because="It only wakes the jobs that send; how far each receiver is stands with the webhook and is derived from nothing.",
)


@consumes_batch(waking.CONSUMER, everything=True)
def wake_receivers(events: Sequence[Published], tx: db.Transaction) -> None:
    """Ask for the jobs of the receivers that these events may concern; asking again changes nothing."""
    waking.wake(events)
