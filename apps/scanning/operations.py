"""Writes of scanning besides verdicts: what is to be scanned, the tenant's rule, the quarantine."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from apps.files.api import shown as files
from apps.scanning import dtos, queries, settling
from apps.scanning.engines import chosen
from apps.scanning.errors import ContentNotInfected, NoScanner, ReasonMissing
from apps.scanning.models import Content, ContentState, Rule
from apps.storage.api import scanned as storage
from apps.storage.dtos import UnsettledContent
from bitvault.events.api import publish
from bitvault.events.catalog.scanning import ContentDiscarded, ContentReleased, RuleChanged
from bitvault.jobs import api as jobs
from bitvault.kernel import clock, db, scanning
from bitvault.kernel.actor import Actor
from bitvault.kernel.permissions import Permission
from bitvault.kernel.scanning import Mode, Unscanned

CONSUMER = "scanning"
"""Under which name the module reads the stream."""

SCAN_JOB = "scanning.scan"
BACKLOG_JOB = "scanning.backlog"
TAKE_IN_JOB = "scanning.take_in"

OWN_JOB_TIME = timedelta(minutes=10)
"""When the backlog comes to a content that has a job of its own: that one was lost, or failed."""

LOST_AFTER = timedelta(minutes=10)
"""How long a blob may say that it is being scanned before somebody asks whether it is."""

BATCH = 500

REASON_LIMIT = 500


class ScanContent(msgspec.Struct, frozen=True):
    """A content that is to be scanned."""

    content_hash: str


class ScanBacklog(msgspec.Struct, frozen=True):
    """What is due in the entered tenant."""


class TakeIn(msgspec.Struct, frozen=True):
    """All contents of the entered tenant that nobody has scanned."""


@dataclass(frozen=True, slots=True)
class NewContent:
    """A content that a version has now."""

    content_hash: str
    blob_id: UUID
    size_bytes: int


def ask(wanted: Iterable[NewContent]) -> None:
    """Have contents scanned (inside a write transaction); what is known of one already holds for its further blobs."""
    by_hash = {each.content_hash: each for each in wanted}
    known = {
        (content_hash, blob_id)
        for content_hash, blob_id in Content.objects.filter(content_hash__in=by_hash).values_list(
            "content_hash", "blob_id"
        )
    }
    new = [each for each in by_hash.values() if (each.content_hash, each.blob_id) not in known]
    _insert(new, wait=OWN_JOB_TIME)
    jobs.enqueue_all(SCAN_JOB, {each.content_hash: ScanContent(each.content_hash) for each in new}, by=jobs.SYSTEM)


def _insert(new: Iterable[NewContent], *, wait: timedelta) -> None:
    now = clock.now()
    rows = [
        Content(
            content_hash=each.content_hash,
            blob_id=each.blob_id,
            size_bytes=each.size_bytes,
            created_at=now,
            due_at=now + wait,
        )
        for each in new
    ]
    Content.objects.bulk_create(rows, ignore_conflicts=True)


def forget(blob_ids: Collection[UUID]) -> None:
    """Forget what is known of deleted blobs (inside a write transaction)."""
    Content.objects.filter(blob_id__in=blob_ids).delete()


def _take(contents: Sequence[UnsettledContent]) -> None:
    """Put contents into the backlog, or let their blobs say what is known of them already."""
    known = queries.list_contents([one.content_hash for one in contents])
    new = [
        NewContent(one.content_hash, one.blob_id, one.size_bytes) for one in contents if one.content_hash not in known
    ]
    if new:
        with db.write_transaction():
            _insert(new, wait=timedelta())
    for content_hash, row in known.items():
        if row.state not in (ContentState.SCANNING, ContentState.UNSCANNED):
            storage.settle_scan(content_hash=content_hash, state=row.state)  # type: ignore[arg-type] # no other is stored


def take_in() -> int:
    """Put all contents that nobody has scanned into the backlog; returns how many blobs were looked at. Repeatable."""
    count, last = 0, None
    while page := storage.list_never_scanned(after=last, limit=BATCH):
        _take(page)
        count, last = count + len(page), page[-1].blob_id
    return count


def find_lost() -> int:
    """Settle, or put into the backlog, what says for too long that it is being scanned; returns how many."""
    waiting = storage.list_unsettled(before=clock.now() - LOST_AFTER, limit=BATCH)
    if waiting:
        _take(waiting)
    return len(waiting)


def request_backlog() -> bool:
    """Have what is due scanned in the entered tenant, if something is; tells whether."""
    find_lost()
    if not queries.list_due(1):
        return False
    with db.write_transaction():
        jobs.enqueue(BACKLOG_JOB, ScanBacklog(), key="backlog", by=jobs.SYSTEM)
    return True


def change_rule(*, actor: Actor, mode: Mode | None, unscanned: Unscanned | None) -> dtos.Rule:
    """Change how the tenant has its content scanned; what holds already is no change.

    :raises NoScanner: it is to be switched on, and there is none.
    """
    actor.require_permission(Permission.MANAGE_SETTINGS)
    with db.write_transaction(lock="scanning-rule") as tx:
        before = queries.find_rule()
        after = scanning.ScanRule(mode or before.mode, unscanned or before.unscanned)
        if after != before:
            if after.mode != "off" and before.mode == "off" and not chosen.is_chosen():
                raise NoScanner
            Rule.objects.update_or_create(id=1, defaults={"mode": after.mode, "unscanned": after.unscanned})
            if before.mode == "off":
                jobs.enqueue(TAKE_IN_JOB, TakeIn(), key="all", by=jobs.Requester.of(actor))
            publish(RuleChanged(mode=after.mode, unscanned=after.unscanned, actor_id=actor.user_id))
            tx.after_commit(scanning.forget)
    return to_rule(after)


def to_rule(rule: scanning.ScanRule) -> dtos.Rule:
    """Give a rule as the door tells it."""
    return dtos.Rule(mode=rule.mode, unscanned=rule.unscanned, has_scanner=chosen.is_chosen())


def release(*, actor: Actor, content_id: UUID, reason: str) -> dtos.Quarantined:
    """Let a content be read in which something was found. Who and why is written first, then it can be read; once more changes nothing.

    :raises NotInQuarantine: there is none.
    :raises ReasonMissing: nothing says why, or too much.
    """
    actor.require_permission(Permission.MANAGE_SETTINGS)
    text = reason.strip()
    if not 0 < len(text) <= REASON_LIMIT:
        raise ReasonMissing
    found = queries.require_found(content_id)
    first = next(iter(files.list_holders(content_hash=found.content_hash, limit=1)), None)
    media_type = first.media_type if first else ""
    with db.write_transaction():
        row = Content.objects.select_for_update().get(id=content_id)
        is_new = row.state == ContentState.INFECTED
        if is_new:
            row.state, row.released_at, row.released_by = ContentState.RELEASED, clock.now(), actor.user_id
            row.release_reason = text
            row.save()
            publish(
                ContentReleased(
                    content_id=row.id,
                    content_hash=row.content_hash,
                    blob_id=row.blob_id,
                    size_bytes=row.size_bytes,
                    media_type=media_type,
                    signature=row.signature,
                    node_id=row.node_id,
                    name=row.name,
                    reason=text,
                    actor_id=actor.user_id,
                )
            )
    storage.settle_scan(content_hash=row.content_hash, state="released")
    if is_new:
        with db.write_transaction():
            publish(settling.to_opened(row, first))
    return queries.to_quarantined(row)


def discard(*, actor: Actor, content_id: UUID) -> dtos.Discarded:
    """Put all files that have an infected content into the trash, wherever they lie; once more, it goes on with what is left.

    :raises NotInQuarantine: there is no such content.
    :raises ContentNotInfected: it was released.
    """
    actor.require_permission(Permission.MANAGE_SETTINGS)
    row = queries.require_found(content_id)
    if row.state != ContentState.INFECTED:
        raise ContentNotInfected
    trashed_count, locked_count = files.discard_content(by=actor.user_id, content_hash=row.content_hash)
    if trashed_count:
        with db.write_transaction():
            publish(
                ContentDiscarded(
                    content_id=row.id,
                    node_id=row.node_id,
                    name=row.name,
                    trashed_count=trashed_count,
                    actor_id=actor.user_id,
                )
            )
    return dtos.Discarded(trashed_count=trashed_count, locked_count=locked_count)
