"""Consuming: the effects of events, exactly once for everything in PostgreSQL.

A consumer is a name with a Celery queue of that name; its functions say by ``@consumes`` which events they act on. For one tenant it
locks its cursor, reads the next events in order, lets its functions act and moves the cursor, all in one transaction: so effect and
cursor are committed together. A message that calls it names a tenant and nothing else: lost, duplicated or reordered messages do no harm.
"""

import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Greatest
from prometheus_client import Counter

from bitvault.events import sql
from bitvault.events.consumer import Act, ActOnBatch, BatchFunction, Consumer, EventFailed
from bitvault.events.message import Event, Published
from bitvault.events.models import ConsumerCursor, DeadLetter, StreamEvent
from bitvault.events.reading import read_next
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.errors import ProgrammingError

BATCH_LIMIT = 200
"""Events of one transaction: many share one commit, and one poisoned event spoils at most this much work."""

TRY_LIMIT = 8
"""Tries before an event is given up for a consumer: with the backoff below, after about four minutes."""

BACKOFF_SECONDS = (1, 2, 5, 10, 30, 60, 120)
"""Wait before each further try of the same event."""

DEATHS_BEFORE_CARE = 2
"""Workers that may die on a batch before its events are tried one by one: a single death may be a coincidence."""

ERROR_LIMIT = 2000
"""Characters of an error that are kept: enough for its first lines."""

DEAD_LETTERS = Counter("bitvault_dead_letters_total", "Events that a consumer gave up on", ["consumer"])

logger = structlog.get_logger(__name__)

E = TypeVar("E", bound=Event)


class UnknownConsumer(ProgrammingError):
    """No function has registered under this name."""


_consumers: dict[str, Consumer] = {}


def consumes(consumer: str, *types: type[Event]) -> Callable[[Act], Act]:
    """Let a function act on single events of these types, as a part of ``consumer``: where each has an effect of its own.

    It runs inside the transaction that moves the consumer's cursor, in the tenant's schema, and must not do I/O elsewhere: what has to
    leave PostgreSQL is written as an intent and sent afterwards under the event's id.
    """

    def register(act: Act) -> Act:
        for event_type in types:
            _ensure(consumer).by_type.setdefault(event_type.type, []).append((event_type, act))
        return act

    return register


def consumes_batch(consumer: str, *types: type[Event], everything: bool = False) -> Callable[[ActOnBatch], ActOnBatch]:
    """Let a function act on all events of these types that a transaction reads, in their order: many events, few statements.

    It is given up to ``BATCH_LIMIT`` of them, each a ``Published`` with its ``event``, and the open transaction; what it must not do is
    said at ``consumes``. When it fails, events are tried one by one until the one is found that it fails on.

    :param everything: give it the events of all other types too, also of those that this code does not know, with no ``event``.
    """

    def register(act: ActOnBatch) -> ActOnBatch:
        known = {event_type.type: event_type for event_type in types}
        _ensure(consumer).batch_functions.append(BatchFunction(act, known, everything))
        return act

    return register


def call_promptly(consumer: str) -> None:
    """Have a consumer called right after each commit, not at the next run of the relay, because somebody waits for its effect."""
    _ensure(consumer).prompt = True


def rebuilds(*, consumer: str, shape: int = 0) -> Callable[[Callable[[], int]], Callable[[], int]]:
    """Register how a consumer's derivation is rebuilt for the entered tenant: beside the live one, then swapped; returns its seq.

    :param shape: a number to raise when this code keeps what earlier ones did not: what those have filled is rebuilt by itself.
    """

    def register(rebuild: Callable[[], int]) -> Callable[[], int]:
        _ensure(consumer).rebuild = rebuild
        _ensure(consumer).shape = shape
        return rebuild

    return register


def cannot_be_rebuilt(*, consumer: str, because: str) -> None:
    """Declare that a consumer cannot be rebuilt, and why; operators read the reason."""
    _ensure(consumer).no_rebuild_reason = because


def _ensure(name: str) -> Consumer:
    return _consumers.setdefault(name, Consumer(name))


def list_consumers() -> list[str]:
    """List the names of all consumers."""
    return sorted(_consumers)


def list_shapes() -> dict[str, int]:
    """List the consumers whose tables have a shape, each with its number by this code."""
    return {name: known.shape for name, known in sorted(_consumers.items()) if known.shape}


def list_prompt_consumers() -> list[str]:
    """List the names of the consumers that are called after each commit."""
    return [name for name in list_consumers() if _consumers[name].prompt]


def published_of(event: StreamEvent) -> Published:
    """Give a row of the stream as consumers see it."""
    return Published(
        tenant_id=event.tenant_id,
        seq=event.seq,
        id=event.id,
        type=event.type,
        occurred_at=event.occurred_at,
        actor_id=event.actor_id,
        request_id=event.request_id,
        address=event.address,
        device_id=event.device_id,
        payload=event.payload,
        token_id=event.token_id,
    )


def get_consumer(name: str) -> Consumer:
    """Find a consumer by its name.

    :raises UnknownConsumer: there is none.
    """
    try:
        return _consumers[name]
    except KeyError:
        raise UnknownConsumer(name) from None


class TookTooLong(Exception):
    """The time of the task was over before an effect came to its end. The try is accounted for; another task may have more time."""


class Gap(Exception):
    """Events that come next are dropped already: the consumer came later, and begins from its owner's snapshot."""


def consume(name: str, *, deadline: float = math.inf, at_once: bool = False) -> int:
    """Bring a consumer up to the head of the entered tenant's stream; returns how many events had their effect.

    Returns early when another worker holds the cursor, or the consumer is backing off or paused: the relay calls again.

    :param deadline: begin no further event after this moment of ``time.monotonic``.
    :param at_once: do not wait until a backoff is over.
    :raises Gap: the consumer has to be rebuilt first (``operating.close_gap``).
    :raises TookTooLong: the time limit of the task came before the end of an effect.
    """
    consumer = get_consumer(name)
    total = 0
    while True:
        begun = _begin(consumer, at_once=at_once)
        if begun is None:
            return total
        seq, tries, last_error = begun
        if tries > TRY_LIMIT:
            give_up(consumer, seq + 1, last_error or f"a worker died on it {tries - 1} times")
            continue
        try:
            count, more = _consume_batch(consumer, deadline)
        except EventFailed as failure:
            goes_on = _account_for(consumer, failure, tries)
            _require_time(failure.cause)
            if not goes_on:
                return total
            continue
        except Gap:
            raise
        except Exception as error:  # noqa: BLE001 - operators see whatever it is
            _account_for_batch(consumer, seq, error, tries)
            _require_time(error)
            return total
        total += count
        if not more or time.monotonic() >= deadline:
            return total


def _require_time(error: Exception) -> None:
    """Let the task end when the error is its time limit, which comes once: what hangs after it would not be ended so.

    :raises TookTooLong: it is.
    """
    if isinstance(error, SoftTimeLimitExceeded):
        raise TookTooLong from error


def _begin(consumer: Consumer, *, at_once: bool) -> tuple[int, int, str] | None:
    """Count a try before it begins, so that a worker that dies in it has been counted; ``None`` when it is not our turn."""
    parameters = {
        "consumer": consumer.name,
        "tenant_id": tenancy.current().id,
        "now": clock.now(),
        "at_once": at_once,
        "deaths": DEATHS_BEFORE_CARE,
        "batch": BATCH_LIMIT,
    }
    with db.public_transaction() as tx:
        rows = tx.run_last(sql.BEGIN_TRY, parameters)
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def _consume_batch(consumer: Consumer, deadline: float) -> tuple[int, bool]:
    """Let one batch have its effect and move the cursor; tells how many events, and whether there may be more."""
    tenant_id = tenancy.current().id
    with db.write_transaction():
        connection.say_before_next(sql.END_WITH_US)  # type: ignore[attr-defined] # of our own backend
        with db.prepared_cursor() as cursor:
            cursor.execute(sql.LOCK_CURSOR, [consumer.name, tenant_id])
            row = cursor.fetchone()
            if row is None:
                return 0, False
            seq, published_at, failing_seq, careful_until_seq, head = row
            limit = BATCH_LIMIT
            if failing_seq is not None:
                limit = max(1, failing_seq - seq - 1)
            if seq < careful_until_seq:
                limit = 1
            events, is_whole = read_next(cursor, tenant_id, seq=seq, published_at=published_at, limit=limit, head=head)
        if not is_whole:
            seq = _step_over(consumer, seq, head, events)
        done = consumer.act_on([published for _, published in events], deadline=deadline)
        with db.prepared_cursor() as cursor:
            move = {"consumer": consumer.name, "tenant_id": tenant_id, "seq": seq, "published_at": published_at}
            if events:
                # The event's own moment, not this one: a consumer that catches up must find what is older than today.
                moment, last = events[done - 1]
                move |= {"seq": last.seq, "published_at": moment}
            cursor.execute(sql.MOVE_CURSOR, move)
    return done, done == limit


def _step_over(consumer: Consumer, seq: int, head: int, events: Sequence[tuple[datetime, Published]]) -> int:
    """Skip events that are dropped, where no rebuild can make up for them; returns the number up to which nothing is read.

    :raises Gap: a rebuild can make up for them.
    """
    if consumer.rebuild is not None:
        raise Gap
    return seq if events else head


def _account_for(consumer: Consumer, failure: EventFailed, tries: int) -> bool:
    """Record a failure and back off, or give the event up; tells whether to go on at once."""
    published, error = failure.published, f"{type(failure.cause).__name__}: {failure.cause}"[:ERROR_LIMIT]
    logger.warning(
        "event_failed",
        consumer=consumer.name,
        tenant=published.tenant_id.hex,
        seq=published.seq,
        tries=tries,
        error=error,
    )
    if failure.alone and tries >= TRY_LIMIT:
        give_up(consumer, published.seq, error)
        return True
    wait = BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS)) - 1] if failure.alone else 0
    with db.public_transaction():
        ConsumerCursor.objects.filter(
            consumer=consumer.name, tenant_id=published.tenant_id, seq__lt=published.seq
        ).update(
            failing_seq=published.seq,
            last_error=error,
            retry_at=clock.now() + timedelta(seconds=wait) if wait else None,
            **({} if failure.alone else {"try_count": 0}),
        )
    return not failure.alone


def _account_for_batch(consumer: Consumer, seq: int, error: Exception, tries: int) -> None:
    """Record that a batch failed without a known culprit: back off, and go on one by one."""
    text = f"{type(error).__name__}: {error}"[:ERROR_LIMIT]
    tenant_id = tenancy.current().id
    logger.warning("batch_failed", consumer=consumer.name, tenant=tenant_id.hex, seq=seq, tries=tries, error=text)
    wait = timedelta(seconds=BACKOFF_SECONDS[min(tries, len(BACKOFF_SECONDS)) - 1])
    with db.public_transaction():
        ConsumerCursor.objects.filter(consumer=consumer.name, tenant_id=tenant_id, seq=seq).update(
            careful_until_seq=Greatest("careful_until_seq", Value(seq + BATCH_LIMIT)),
            last_error=text,
            retry_at=clock.now() + wait,
        )


def postpone(name: str, *, wait: timedelta) -> None:
    """Do not call a consumer in the entered tenant for a while; no try is counted."""
    with db.public_transaction():
        ConsumerCursor.objects.filter(consumer=name, tenant_id=tenancy.current().id).update(
            try_count=0, retry_at=clock.now() + wait
        )


def give_up(consumer: Consumer, seq: int, error: str, *, also: Callable[[], None] | None = None) -> bool:
    """Put an event among the dead letters and move the cursor behind it, in one transaction; tells whether it was the next one still.

    :param also: what belongs into that transaction when it was.
    """
    tenant_id, now = tenancy.current().id, clock.now()
    event = StreamEvent.objects.filter(tenant_id=tenant_id, seq=seq).values_list("type", "published_at").first()
    event_type, published_at = event or ("", now)
    with db.public_transaction():
        moved = ConsumerCursor.objects.filter(consumer=consumer.name, tenant_id=tenant_id, seq=seq - 1).update(
            seq=seq, published_at=published_at, try_count=0, failing_seq=None, last_error=error, retry_at=None
        )
        if moved:
            DeadLetter.objects.update_or_create(
                consumer=consumer.name,
                tenant_id=tenant_id,
                seq=seq,
                defaults={
                    "type": event_type,
                    "error": error,
                    "try_count": TRY_LIMIT,
                    "state": DeadLetter.State.DEAD,
                    "died_at": now,
                    "settled_at": None,
                    "settled_by": None,
                },
            )
            if also is not None:
                also()
    if not moved:
        return False
    DEAD_LETTERS.labels(consumer=consumer.name).inc()
    logger.error("event_given_up", consumer=consumer.name, tenant=tenant_id.hex, seq=seq, error=error)
    return True
