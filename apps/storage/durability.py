"""Whether bytes would survive a power cut, for a store on this machine that flushes nothing by itself.

A store of its own (S3, a cluster) is durable when it answers. The embedded one has written bytes, names and attributes by then, but to
memory: one ``syncfs`` of its folder takes all of it to the disk. A flush covers whatever was written before it began, so commits that come
while one runs share the next. Without ``BITVAULT_S3_FLUSH_DIRECTORY`` nothing of this happens.
"""

import ctypes
import functools
import math
import os
import threading
import time
from errno import EDQUOT, ENOSPC
from pathlib import Path
from uuid import UUID

import structlog
from django.conf import settings
from prometheus_client import Counter

from apps.storage.errors import NeedsLonger, StoreFull, StoreUnavailable
from bitvault.kernel import db
from bitvault.kernel.deadlines import is_background
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")

FLUSHES = Counter("bitvault_store_flushes_total", "Flushes of the embedded store's file system", ["outcome"])

STALL_SECONDS = 1.0
"""A flush that runs longer holds up no request: those that wait are told to ask again, and so is whoever comes while it still runs."""

_KEPT_FAILURES = 100

_WAITING = Dependency("store_flush", share=4, queue_seconds=0.5, queue_length=32)
"""Threads of a web process that wait for the disk at once. Many, for they share their flushes; ``STALL_SECONDS`` sets them free."""

logger = structlog.get_logger(__name__)


class GroupFlush:
    """Flushes of one folder's file system, each shared by all who asked before it began.

    The folder stays open: what the system could not write in the background is told once to each that holds it.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._folder: int | None = None
        self._moved = threading.Condition()
        self._begun = 0
        self._begun_at = 0.0
        self._ended = 0
        self._failed: dict[int, OSError] = {}

    def flush(self, *, deadline: float, stall_seconds: float = math.inf) -> None:
        """Return once a flush is through that began after this call.

        :param deadline: until when to wait, by the monotonic clock; a flush goes on past it.
        :param stall_seconds: how long a flush may have been running that is waited for.
        :raises TimeoutError: it was not through by then.
        :raises OSError: the system could not write something; what was written before is not known to be on the disk.
        """
        with self._moved:
            wanted = self._begun + 1
            while self._ended < wanted:
                if self._ended == self._begun:
                    self._begin()
                remaining = min(deadline, self._begun_at + stall_seconds) - time.monotonic()
                if remaining <= 0:
                    raise TimeoutError
                self._moved.wait(None if math.isinf(remaining) else remaining)
            error = self._failed.get(wanted)
        if error is not None:
            raise OSError(error.errno, error.strerror)

    def _begin(self) -> None:
        """Flush in a thread of its own: whoever waits may leave, and the next one must not wait for its return."""
        self._begun += 1
        self._begun_at = time.monotonic()
        threading.Thread(target=self._run, args=(self._begun,), name="store-flush", daemon=True).start()

    def _run(self, number: int) -> None:
        error = None
        try:
            if self._folder is None:
                self._folder = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            sync_file_system(self._folder)
        except OSError as failure:
            error = failure
        FLUSHES.labels("done" if error is None else "failed").inc()
        with self._moved:
            self._ended = number
            if error is not None:
                self._failed[number] = error
            self._failed.pop(number - _KEPT_FAILURES, None)
            self._moved.notify_all()


def is_ours(store_id: UUID | None) -> bool:
    """Tell whether a store's bytes are flushed by us: the installation's own, where it is embedded."""
    return store_id is None and bool(settings.BITVAULT_STORE_DISK["directory"])


def flush(store_id: UUID | None, *, deadline: float = math.inf) -> None:
    """Make durable what a store has taken before this call. A request waits in its share, until ``deadline`` (monotonic).

    :raises NeedsLonger: the disk needs longer than that.
    :raises StoreFull: there was no room for what was written.
    :raises StoreUnavailable: something could not be written; nothing may be acknowledged.
    """
    if not is_ours(store_id):
        return
    db.forbid_transaction("a flush of the store")
    group = _group_of(str(settings.BITVAULT_STORE_DISK["directory"]))
    try:
        if is_background():
            group.flush(deadline=deadline)
        else:
            with _WAITING.held():
                group.flush(deadline=deadline, stall_seconds=STALL_SECONDS)
    except (TimeoutError, Overloaded):
        raise NeedsLonger from None
    except OSError as error:
        logger.error("store_not_flushed", error=error.strerror)  # noqa: TRY400 - the system's word says all
        if error.errno in (ENOSPC, EDQUOT):
            raise StoreFull from error
        raise StoreUnavailable("The object store's disk could not be written.") from error


def sync_file_system(folder: int) -> None:
    """Write everything that is waiting for the file system of an open folder (``syncfs``).

    :raises OSError: the system could not write something.
    """
    if _libc().syncfs(folder) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def find_boot_id(store_id: UUID | None) -> UUID | None:
    """Tell which boot of the machine this is, where the store's bytes are flushed by us; ``None`` where they need not be."""
    return _read_boot_id() if is_ours(store_id) else None


def is_of_another_boot(store_id: UUID | None, boot_id: UUID | None) -> bool:
    """Tell whether bytes of that boot, if nobody has flushed them, may have been lost in that store since."""
    present = find_boot_id(store_id)
    return present is not None and boot_id != present


@functools.cache
def _read_boot_id() -> UUID:
    return UUID(BOOT_ID_FILE.read_text().strip())


@functools.cache
def _group_of(directory: str) -> GroupFlush:
    return GroupFlush(directory)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
