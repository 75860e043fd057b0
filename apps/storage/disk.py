"""How much room the embedded store's disk has for uploads: what is free, less a floor, less what is on its way.

The floor is kept here, because a store that fills its disk takes PostgreSQL's room as well. An upload of several parts needs twice its
size: the store makes the object beside the parts. Where the store is elsewhere (no ``BITVAULT_S3_FLUSH_DIRECTORY``, or
another than the installation's own) nothing is judged.

What is on its way is announced in Valkey, for all processes and tenants, as long as its URLs live. Files of one part are counted by the
process that lets them in, until it measures again: they take a moment, and a call to Valkey for each would cost more than they weigh.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from apps.storage import dtos
from apps.storage.errors import StoreFull
from apps.storage.parts import Layout
from bitvault.web import valkey

MEASURE_SECONDS = 1.0
"""How long a look at the disk counts."""

ANNOUNCED_SECONDS = 15 * 60
"""How long an upload counts that signs nothing more: as long as a URL lives by which its bytes could come."""

REST_SECONDS = 10.0
"""How long Valkey is not asked after it did not answer; until then each process counts for itself."""

_KEY = "public:storage:announced"

logger = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Measure:
    """What this process knows of the disk, and what it has let in since."""

    taken_at: float
    free_bytes: int
    announced: dict[str, int]
    """Bytes by upload, of several parts each."""
    let_in_bytes: int = field(default=0)


@dataclass(slots=True)
class _Rest:
    until: float = 0.0


_rest = _Rest()
_lock = threading.Lock()
_last: dict[str, _Measure] = {}


def find_room() -> dtos.DiskRoom | None:
    """Tell how much room the store's disk has; ``None`` where it is none of ours."""
    directory = _directory()
    if not directory:
        return None
    with _lock:
        measure = _measure(directory)
        announced_bytes = sum(measure.announced.values()) + measure.let_in_bytes
    return dtos.DiskRoom(
        free_bytes=measure.free_bytes,
        floor_bytes=int(str(settings.BITVAULT_STORE_DISK["floor_bytes"])),
        announced_bytes=announced_bytes,
    )


def let_in(store_id: UUID | None, upload_id: UUID, layout: Layout) -> None:
    """Let an upload begin if everything of it finds room, and count it from here on.

    :raises StoreFull: it does not.
    """
    room = find_room() if store_id is None else None
    if room is None:
        return
    needed_bytes = needed_of(layout)
    _require(needed_bytes, room.free_bytes - room.floor_bytes - room.announced_bytes)
    if layout.part_count > 1:
        announce(store_id, upload_id, layout)
        return
    with _lock:
        _measure(_directory()).let_in_bytes += needed_bytes


def require_free(store_id: UUID | None, needed_bytes: int) -> None:
    """Require that these bytes of an upload that was let in find room right now, whatever else is on its way.

    :raises StoreFull: the disk has filled up meanwhile.
    """
    room = find_room() if store_id is None else None
    if room is not None:
        _require(needed_bytes, room.free_bytes - room.floor_bytes)


def announce(store_id: UUID | None, upload_id: UUID, layout: Layout) -> None:
    """Count an upload of several parts as on its way; again for each signing of parts."""
    directory = _directory()
    if store_id is not None or not directory or layout.part_count == 1:
        return
    needed_bytes = needed_of(layout)
    with _lock:
        _measure(directory).announced[upload_id.hex] = needed_bytes
    _ask_valkey(
        lambda: valkey.client().hset(_KEY, upload_id.hex, f"{int(time.time()) + ANNOUNCED_SECONDS}:{needed_bytes}")
    )


def withdraw(store_id: UUID | None, upload_id: UUID, layout: Layout) -> None:
    """Count an upload of several parts no more: it has all its bytes, or gets none."""
    directory = _directory()
    if store_id is not None or not directory or layout.part_count == 1:
        return
    with _lock:
        _measure(directory).announced.pop(upload_id.hex, None)
    _ask_valkey(lambda: valkey.client().hdel(_KEY, upload_id.hex))


def needed_of(layout: Layout) -> int:
    """Tell how much room an upload takes at its widest: the parts, and the object that the store makes of several."""
    return layout.size_bytes * (1 if layout.part_count == 1 else 2)


def _directory() -> str:
    return str(settings.BITVAULT_STORE_DISK["directory"])


def _require(needed_bytes: int, free_bytes: int) -> None:
    free_bytes = max(0, free_bytes)
    if needed_bytes > free_bytes:
        raise StoreFull(
            "The server's disk has room for %(free_bytes)s more bytes, and this needs %(needed_bytes)s.",
            free_bytes=free_bytes,
            needed_bytes=needed_bytes,
        )


def _measure(directory: str) -> _Measure:
    """Look at the disk, at most once a second; the lock is held."""
    last = _last.get(directory)
    now = time.monotonic()
    if last is not None and now - last.taken_at < MEASURE_SECONDS:
        return last
    found = os.statvfs(directory)
    measure = _Measure(now, found.f_bavail * found.f_frsize, _read_announced(last))
    _last[directory] = measure
    return measure


def _read_announced(last: _Measure | None) -> dict[str, int]:
    """Read what is on its way everywhere; while Valkey does not answer, what this process knew last."""
    entries = _ask_valkey(lambda: valkey.client().hgetall(_KEY))
    if entries is None:
        return {} if last is None else last.announced
    now = time.time()
    announced, lapsed = {}, []
    for upload, text in entries.items():
        expires_at, _, size = text.decode().partition(":")
        if int(expires_at) > now:
            announced[upload.decode()] = int(size)
        else:
            lapsed.append(upload)
    if lapsed:
        _ask_valkey(lambda: valkey.client().hdel(_KEY, *lapsed))
    return announced


def _ask_valkey(ask: Callable[[], Any]) -> Any:
    """Ask, or give ``None``; after a failure nobody waits for Valkey here for a while."""
    if time.monotonic() < _rest.until:
        return None
    try:
        return ask()
    except RedisError as error:
        _rest.until = time.monotonic() + REST_SECONDS
        logger.warning("announced_unknown", error=type(error).__name__)
        return None
