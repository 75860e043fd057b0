"""What operators do with the stream: look at the lag, replay or drop a dead letter, skip a stuck event, start a rebuild."""

import threading
from collections.abc import Callable, Collection
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog
from django.db import Error as AnyDatabaseError
from django.db import connection
from django.db.models import Max, Min, Q, QuerySet
from django.db.models.functions import Now

from bitvault.events import consuming
from bitvault.events.catalog.events import (
    BackupRestored,
    DeadLetterDropped,
    DeadLetterReplayed,
    DerivationRebuilt,
    EventSkipped,
)
from bitvault.events.consumer import EventFailed
from bitvault.events.consuming import list_consumers
from bitvault.events.lags import (
    Backlog,
    Lag,
    count_days_ahead,
    count_lags,
    list_backlogs,
    list_lags,
    list_last_published,
)
from bitvault.events.models import ConsumerCursor, DeadLetter, PausedConsumer, StreamEvent, StreamHead
from bitvault.events.outbox import publish
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.errors import Conflict, NotFound

__all__ = [
    "REBUILD_PAUSE",
    "Backlog",
    "CannotRebuild",
    "DeadLetterSettled",
    "Lag",
    "RebuildOvertaken",
    "catch_up",
    "close_gap",
    "count_days_ahead",
    "count_dead_letters",
    "count_lags",
    "drop_dead_letter",
    "list_backlogs",
    "list_consumers",
    "list_dead_letters",
    "list_lags",
    "list_last_published",
    "list_not_rebuildable",
    "list_outdated",
    "list_paused",
    "list_rebuildable",
    "rebuild",
    "replay_dead_letter",
    "require_rebuildable",
    "set_position",
    "skip_event",
    "tell_restored",
]

REBUILD_PAUSE = timedelta(minutes=2)
"""After so long without a sign of life a rebuild counts as dead, and is started again where a gap has caused it."""

RENEW_SECONDS = 20.0
"""How often a rebuild renews its sign of life: six times within the pause, so that a slow database causes no second rebuild."""

logger = structlog.get_logger(__name__)


class DeadLetterSettled(Conflict):
    """The dead letter was replayed or dropped before."""

    code = "events.dead_letter_settled"
    title = "This was settled before"


class CannotRebuild(Conflict):
    """The consumer has nothing that could be rebuilt."""

    code = "events.cannot_rebuild"
    title = "This consumer has no rebuild"


class RebuildOvertaken(Conflict):
    """Another rebuild of the same consumer has begun; two at once would mix what they have read."""

    code = "events.rebuild_overtaken"
    title = "Another rebuild has begun"


@dataclass(frozen=True, slots=True)
class _Rebuild:
    """A rebuild that runs."""

    id: UUID
    by: UUID | None
    consumer: str
    tenant_id: UUID

    def begin(self, *, waits: bool) -> bool:
        """Count as the one that runs; false when another one does and this one ``waits`` for its end instead of overtaking it."""
        mine = self._cursors()
        if waits:
            mine = mine.filter(Q(rebuilt_until=None) | Q(rebuilt_until__lte=Now()))
        with db.public_transaction():
            return bool(mine.update(rebuild_id=self.id, rebuilt_until=Now() + REBUILD_PAUSE, rebuild_error=""))

    def renew(self) -> None:
        """Say that it runs still. Who swaps has locked the cursor, and needs to say nothing."""
        mine = self._cursors().filter(rebuild_id=self.id)
        with db.public_transaction():
            if mine.select_for_update(skip_locked=True).first() is not None:
                mine.update(rebuilt_until=Now() + REBUILD_PAUSE)

    def end(self, error: str = "") -> None:
        """Let the next one begin at once if this one has not swapped, unless one has overtaken it."""
        mine = self._cursors().filter(rebuild_id=self.id)
        with db.public_transaction():
            mine.exclude(rebuilt_until=None).update(rebuilt_until=None, rebuild_error=error)

    def _cursors(self) -> QuerySet[ConsumerCursor]:
        """Give the one cursor; times are the database's (``Now``), whose clock is one for all workers."""
        return ConsumerCursor.objects.filter(consumer=self.consumer, tenant_id=self.tenant_id)


_running: ContextVar[_Rebuild | None] = ContextVar("bitvault_rebuild", default=None)
"""Which rebuild this context runs."""


def list_dead_letters(*, among: Collection[UUID] | None = None, offset: int = 0, limit: int = 500) -> list[DeadLetter]:
    """List what waits for an operator, newest first.

    :param among: of these tenants alone.
    """
    return list(_dead_letters(among).order_by("-died_at", "-id")[offset : offset + limit])


def count_dead_letters(*, among: Collection[UUID] | None = None) -> int:
    """Count what ``list_dead_letters`` lists without a limit."""
    return _dead_letters(among).count()


def _dead_letters(among: Collection[UUID] | None) -> QuerySet[DeadLetter]:
    letters = DeadLetter.objects.filter(state=DeadLetter.State.DEAD)
    return letters if among is None else letters.filter(tenant_id__in=among)


def replay_dead_letter(*, letter_id: UUID, by: UUID | None) -> None:
    """Let the consumer act on a dead letter's event now, out of turn; a further failure leaves the letter where it is.

    :raises NotFound: there is no such letter.
    :raises DeadLetterSettled: it was replayed or dropped before.
    """
    with db.write_transaction():
        letter = _lock_letter(letter_id)
        event = StreamEvent.objects.filter(tenant_id=letter.tenant_id, seq=letter.seq).first()
        if event is None:
            raise NotFound("The event itself is past its retention; rebuild the consumer instead.")
        try:
            consuming.get_consumer(letter.consumer).act_on([consuming.published_of(event)])
        except EventFailed as failure:
            raise failure.cause from failure
        _settle(letter, DeadLetter.State.REPLAYED, by)
        publish(DeadLetterReplayed(consumer=letter.consumer, seq=letter.seq, actor_id=by))


def drop_dead_letter(*, letter_id: UUID, by: UUID | None) -> None:
    """Leave a dead letter's event without its effect permanently.

    :raises NotFound: there is no such letter.
    :raises DeadLetterSettled: it was replayed or dropped before.
    """
    with db.write_transaction():
        letter = _lock_letter(letter_id)
        _settle(letter, DeadLetter.State.DROPPED, by)
        publish(DeadLetterDropped(consumer=letter.consumer, seq=letter.seq, actor_id=by))


def skip_event(*, consumer: str, by: UUID | None) -> int:
    """Put the event that a consumer is stuck on among the dead letters now; returns its number.

    :raises Conflict: the consumer is at the head of the entered tenant's stream, or has gone on meanwhile: nothing was skipped.
    """
    tenant_id = tenancy.current().id
    cursor = ConsumerCursor.objects.filter(consumer=consumer, tenant_id=tenant_id).first()
    if cursor is None or not StreamEvent.objects.filter(tenant_id=tenant_id, seq=cursor.seq + 1).exists():
        raise Conflict("This consumer is at the head of the stream: nothing to skip.")
    seq = cursor.seq + 1
    tell = partial(publish, EventSkipped(consumer=consumer, seq=seq, actor_id=by))
    if not consuming.give_up(consuming.get_consumer(consumer), seq, f"skipped by {by or 'an operator'}", also=tell):
        raise Conflict(
            "The consumer has gone on: event %(seq)s had its effect or was given up meanwhile. Nothing was skipped.",
            seq=seq,
        )
    return seq


def catch_up() -> bool:
    """Let all consumers of the entered tenant act on what they have not read, here and now; tells whether they came to the head.

    One that fails, is paused or is at work elsewhere stays behind, and goes on with the relay.
    """
    for consumer in list_consumers():
        consuming.consume(consumer, at_once=True)
    behind = StreamEvent.objects.filter(tenant_id=tenancy.current().id).aggregate(head=Max("seq"))["head"] or 0
    return not ConsumerCursor.objects.filter(tenant_id=tenancy.current().id, seq__lt=behind).exists()


def tell_restored(*, backup_id: str, seq: int) -> None:
    """Say in the entered tenant's stream that it was brought back to where it was."""
    with db.write_transaction():
        publish(BackupRestored(backup_id=backup_id, seq=seq, actor_id=None))


def list_rebuildable() -> list[str]:
    """List the consumers whose derivation can be rebuilt."""
    return [name for name in list_consumers() if consuming.get_consumer(name).rebuild is not None]


def list_not_rebuildable() -> list[tuple[str, str]]:
    """List the consumers that cannot be rebuilt, each with the reason."""
    named = ((name, consuming.get_consumer(name).no_rebuild_reason) for name in list_consumers())
    return [(name, reason) for name, reason in named if reason]


def list_paused() -> dict[str, str]:
    """List the consumers that operators have stopped, each with the reason that was given; an admin page of the stream stops them."""
    return dict(PausedConsumer.objects.order_by("consumer").values_list("consumer", "reason"))


def rebuild(*, consumer: str, by: UUID | None) -> int:
    """Rebuild a derivation of the entered tenant from its owner's snapshot; the tail of the stream follows by itself.

    :raises CannotRebuild: what the consumer keeps can only go on; the answer says why.
    :raises RebuildOvertaken: another rebuild of it was begun meanwhile.
    """
    run = _find_rebuild(consumer)
    running = _Rebuild(id=ids.new_id(), by=by, consumer=consumer, tenant_id=tenancy.current().id)
    running.begin(waits=False)
    return _run(run, running)


def list_outdated() -> list[tuple[str, UUID]]:
    """List consumers, each with a tenant, whose tables were filled by an earlier code that kept less; by the tenants' ids."""
    is_older = Q(pk__in=())
    for name, shape in consuming.list_shapes().items():
        is_older |= Q(consumer=name, shape__lt=shape)
    return list(
        ConsumerCursor.objects.filter(is_older).order_by("tenant_id", "consumer").values_list("consumer", "tenant_id")
    )


def require_rebuildable(*, consumer: str) -> None:
    """Refuse what ``rebuild`` would refuse before it begins.

    :raises CannotRebuild: what the consumer keeps can only go on; the answer says why.
    """
    _find_rebuild(consumer)


def close_gap(*, consumer: str) -> int | None:
    """Rebuild a consumer whose next events are dropped already; if that fails it is left alone for a while and begun again.

    Nothing is begun while a rebuild of it runs, whoever began that one: the newer would overtake the older, and so on without an end.
    """
    run = _find_rebuild(consumer)
    tenant_id = tenancy.current().id
    with db.public_transaction():
        ConsumerCursor.objects.filter(consumer=consumer, tenant_id=tenant_id).update(
            try_count=0, retry_at=clock.now() + REBUILD_PAUSE
        )
    running = _Rebuild(id=ids.new_id(), by=None, consumer=consumer, tenant_id=tenant_id)
    return _run(run, running) if running.begin(waits=True) else None


def _find_rebuild(consumer: str) -> Callable[[], int]:
    """Find how a consumer is rebuilt.

    :raises CannotRebuild: it cannot be.
    """
    if consumer not in list_consumers():
        raise CannotRebuild("There is no consumer %(consumer)s.", consumer=consumer)
    known = consuming.get_consumer(consumer)
    if known.rebuild is None:
        raise CannotRebuild(known.no_rebuild_reason)
    return known.rebuild


def _run(run: Callable[[], int], running: _Rebuild) -> int:
    """Run a rebuild, and say that it runs until it ends, well or not."""
    ended, error = threading.Event(), ""
    saying = threading.Thread(target=_say_that_it_runs, args=(running, ended), name="rebuild", daemon=True)
    saying.start()
    token = _running.set(running)
    try:
        return run()
    except Exception as failure:
        error = f"{type(failure).__name__}: {failure}"
        raise
    finally:
        _running.reset(token)
        ended.set()
        saying.join()
        running.end(error)


def _say_that_it_runs(running: _Rebuild, ended: threading.Event) -> None:
    """Renew what a rebuild holds until it ends. A thread does, for single statements of a rebuild may take longer than the pause."""
    while not ended.wait(RENEW_SECONDS):
        try:
            running.renew()
        except AnyDatabaseError as error:
            logger.warning("rebuild_not_renewed", consumer=running.consumer, error=type(error).__name__)
        finally:
            connection.close()


def set_position(*, consumer: str, seq: int, swaps: bool = True) -> None:
    """Put a consumer's cursor at ``seq``, inside the transaction that swaps the tables of a rebuild.

    The same transaction tells of the rebuild that an operator or a gap began: who dies in it has neither swapped nor told.

    :param swaps: false for a step on the way to the swap.
    :raises RebuildOvertaken: another rebuild of this consumer was begun after the one that is running.
    """
    db.require_writing()
    tenant_id = tenancy.current().id
    mine = ConsumerCursor.objects.select_for_update().filter(consumer=consumer, tenant_id=tenant_id)
    running = _running.get()
    if running is not None and running.id != mine.values_list("rebuild_id", flat=True).first():
        raise RebuildOvertaken
    next_event = StreamEvent.objects.filter(tenant_id=tenant_id, seq__gt=seq).aggregate(first=Min("published_at"))[
        "first"
    ]
    ConsumerCursor.objects.filter(consumer=consumer, tenant_id=tenant_id).update(
        seq=seq,
        published_at=next_event or clock.now(),
        try_count=0,
        failing_seq=None,
        last_error="",
        retry_at=None,
        careful_until_seq=0,
        **({"rebuilt_until": None, "shape": consuming.get_consumer(consumer).shape} if swaps else {}),
    )
    if running is not None and swaps:
        publish(DerivationRebuilt(consumer=consumer, seq=seq, actor_id=running.by))


def _lock_letter(letter_id: UUID) -> DeadLetter:
    letter = DeadLetter.objects.select_for_update().filter(pk=letter_id, tenant_id=tenancy.current().id).first()
    if letter is None:
        raise NotFound
    if letter.state != DeadLetter.State.DEAD:
        raise DeadLetterSettled
    return letter


def _settle(letter: DeadLetter, state: DeadLetter.State, by: UUID | None) -> None:
    DeadLetter.objects.filter(pk=letter.pk).update(state=state, settled_at=clock.now(), settled_by=by)


def forget_tenant(*, tenant_id: UUID) -> None:
    """Delete the stream of a tenant that is deleted, with its cursors and dead letters; done again it changes nothing."""
    with db.public_transaction():
        for table in (DeadLetter, ConsumerCursor, StreamEvent, StreamHead):
            table.objects.filter(tenant_id=tenant_id).delete()
