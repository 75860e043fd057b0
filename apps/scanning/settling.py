"""Writing what came of a scan: to the blobs first, so that nobody reads what is bad, then here, with the event that tells of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from apps.files.api import shown as files
from apps.files.dtos import Holder
from apps.scanning import dtos
from apps.scanning.models import Content
from apps.storage.api import scanned as storage
from bitvault.events.api import Event, publish
from bitvault.events.catalog.scanning import ContentBlocked, ContentOpened, ContentQuarantined, MalwareFound
from bitvault.kernel import clock, db, scanning
from bitvault.kernel.scanning import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a scan; ``due_at``: when it is tried again, ``None``: it stands."""

    state: State
    reason: dtos.Reason | None = None
    signature: str = ""
    due_at: datetime | None = None
    is_try: bool = False
    """Whether the scanner has answered, and without a verdict."""


def settle(row: Content, outcome: Outcome) -> None:
    """Write an outcome; once more, it changes nothing."""
    rule = scanning.current()
    storage.settle_scan(content_hash=row.content_hash, state=outcome.state)
    tells = _tells(row.state, outcome, rule)
    holders = files.list_holders(content_hash=row.content_hash, limit=1) if tells else []
    with db.write_transaction():
        current = Content.objects.select_for_update().filter(id=row.id).first()
        if current is None or current.state != row.state:
            return  # it was deleted, or another worker has settled it
        current.state, current.reason = outcome.state, outcome.reason or ""
        current.signature, current.due_at = outcome.signature[:200], outcome.due_at
        current.try_count += outcome.is_try
        current.scanned_at = clock.now()
        if holders and outcome.state == "infected":
            current.node_id, current.name, current.sender_id = (
                holders[0].node_id,
                holders[0].name,
                holders[0].sender_id,
            )
        current.save()
        if tells:
            publish(_to_event(current, outcome, holders))
            if outcome.state == "infected":
                publish(ContentQuarantined(content_id=current.id, signature=current.signature))


def _tells(before: str, outcome: Outcome, rule: scanning.ScanRule) -> bool:
    """Tell whether an outcome changes what people can do."""
    if outcome.state == before:
        return outcome.state == "unscanned" and outcome.due_at is None and outcome.state in rule.withheld
    return outcome.state in rule.withheld or before in rule.withheld


def _to_event(row: Content, outcome: Outcome, holders: Sequence[Holder]) -> Event:
    first = holders[0] if holders else None
    node_id, name, sender_id = (first.node_id, first.name, first.sender_id) if first else (None, "", None)
    if outcome.state == "infected":
        return MalwareFound(
            content_id=row.id,
            content_hash=row.content_hash,
            blob_id=row.blob_id,
            size_bytes=row.size_bytes,
            signature=row.signature,
            node_id=node_id,
            name=name,
            sender_id=sender_id,
        )
    if outcome.state in scanning.current().withheld:
        return ContentBlocked(
            content_hash=row.content_hash,
            blob_id=row.blob_id,
            size_bytes=row.size_bytes,
            reason=row.reason,
            node_id=node_id,
            name=name,
            sender_id=sender_id,
        )
    return to_opened(row, first)


def to_opened(row: Content, holder: Holder | None) -> ContentOpened:
    """Say that a content can be read now."""
    return ContentOpened(
        content_hash=row.content_hash,
        blob_id=row.blob_id,
        size_bytes=row.size_bytes,
        media_type=holder.media_type if holder else "",
        state=row.state,
    )
