"""Writes: devices come and go and acknowledge, and the journal is trimmed behind them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Min
from django.db.models.functions import Greatest

from apps.sync import dtos, positions, queries, snapshots
from apps.sync.errors import InvalidDevice, TooManyDevices
from apps.sync.models import ChangeJournal, Device, DeviceCursor, Feed
from apps.sync.positions import Position
from bitvault.events.api import publish
from bitvault.events.catalog import sync as events
from bitvault.kernel import clock, db, ids, tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.web import wakeups
from bitvault.web.wakeups import Bond, bond

DEVICE_LIMIT = 100
"""Devices of one person: more than anybody carries, few enough to list and to bound what snapshots cost."""

LABEL_LIMIT = 100

JOURNAL_LIFETIME = timedelta(days=90)
"""How long a change can be read at least; a device that was away longer than this takes a snapshot."""

ABSENCE = timedelta(days=60)
"""A device that has acknowledged nothing for so long keeps the journal no longer."""

TRIM_STEP = 10_000
"""Rows that one transaction deletes: a moment's work, and an interrupted trimming has lost nothing."""


def register_device(*, actor: Actor, name: str, platform: str) -> dtos.RegisteredDevice:
    """Make a device that knows nothing yet; its changes begin with everything that the actor reaches."""
    name, platform = _require_label(name), _require_label(platform)
    now, device_id = clock.now(), ids.new_id()
    with db.write_transaction(lock=f"sync.devices:{actor.user_id.hex}") as tx:
        if Device.objects.filter(user_id=actor.user_id, ended_at__isnull=True).count() >= DEVICE_LIMIT:
            raise TooManyDevices(limit=DEVICE_LIMIT)
        feed = Feed.objects.get()
        Device.objects.create(id=device_id, user_id=actor.user_id, name=name, platform=platform, created_at=now)
        DeviceCursor.objects.create(device_id=device_id, seq=feed.seq, acknowledged_at=now)
        publish(
            events.DeviceRegistered(
                actor_id=actor.user_id, device_id=device_id, user_id=actor.user_id, platform=platform
            )
        )
        return tx.answer(
            dtos.RegisteredDevice(
                id=device_id,
                name=name,
                platform=platform,
                created_at=now,
                seq=feed.seq,
                acknowledged_at=now,
                cursor=positions.encode(positions.begin(device_id, feed.epoch, feed.seq)),
            )
        )


def _require_label(text: str) -> str:
    text = text.strip()
    if not 0 < len(text) <= LABEL_LIMIT or not text.isprintable():
        raise InvalidDevice
    return text


def end_device(*, actor: Actor, device_id: UUID) -> None:
    """Answer a device no more, and close its sockets."""
    with db.write_transaction() as tx:
        live = Device.objects.filter(id=device_id, user_id=actor.user_id, ended_at__isnull=True)
        if not live.update(ended_at=clock.now()):
            raise NotFound
        snapshots.drop_of_device(device_id)
        publish(events.DeviceEnded(actor_id=actor.user_id, device_id=device_id, user_id=actor.user_id))
        tenant_id = tenancy.current().id
        tx.after_commit(lambda: wakeups.announce_ended(tenant_id, [bond(Bond.DEVICE, device_id)]))


def acknowledge(*, actor: Actor, position: Position) -> dtos.Acknowledged:
    """Note that a device keeps everything up to a position; an older one than it named before changes nothing."""
    with db.write_transaction():
        standing = queries.require_standing(actor, position)
        mine = DeviceCursor.objects.filter(device_id=position.device_id)
        mine.update(seq=Greatest("seq", position.complete_seq), acknowledged_at=clock.now())
        seq = mine.values_list("seq", flat=True).get()
    return dtos.Acknowledged(seq=seq, head_seq=standing.seq)


def trim_journal() -> int:
    """Delete what is old enough and acknowledged by every device that still comes; returns how many rows."""
    count = 0
    while step := _trim_step():
        count += step
    return count


def _trim_step() -> int:
    """Move the horizon and delete what is behind it, in one transaction."""
    now = clock.now()
    with db.write_transaction():
        feed = Feed.objects.select_for_update().get()
        acknowledged = _find_kept_for_devices(now)
        kept_from = feed.seq if acknowledged is None else min(feed.seq, acknowledged)
        new_horizon = _find_horizon(kept_from, before=now - JOURNAL_LIFETIME)
        if new_horizon is None:
            return 0
        Feed.objects.update(horizon=new_horizon)
        count, _ = ChangeJournal.objects.filter(seq__lte=new_horizon).delete()
        return count


def _find_kept_for_devices(now: datetime) -> int | None:
    """Find the event that the last of the devices that still come has acknowledged."""
    live = Device.objects.filter(ended_at__isnull=True).values("id")
    coming = DeviceCursor.objects.filter(device_id__in=live, acknowledged_at__gte=now - ABSENCE)
    least: int | None = coming.aggregate(least=Min("seq"))["least"]
    return least


def _find_horizon(kept_from: int, *, before: datetime) -> int | None:
    """Find the last event that is old enough and read by everybody who still comes, within a step of the oldest rows."""
    oldest = ChangeJournal.objects.filter(seq__lte=kept_from).order_by("seq", "ordinal")
    rows = list(oldest.values_list("seq", "happened_at")[:TRIM_STEP])
    young = min((seq for seq, happened_at in rows if happened_at >= before), default=None)
    return max((seq for seq, _ in rows if young is None or seq < young), default=None)


def begin_epoch() -> None:
    """Let no cursor fit any more that was given before."""
    with db.write_transaction():
        Feed.objects.update(epoch=ids.new_id())
