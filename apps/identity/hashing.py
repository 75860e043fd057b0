"""Password hashing, two at a time on a machine.

A hash takes 100 MiB and a tenth of a second of a core (argon2id, Django's parameters), on purpose. So many at once would take a small
server's memory, and all threads of its web processes: of each process one thread hashes and a few wait, and whoever comes then is refused.
The two places of the machine are locks on two files, which the kernel takes back from a process that dies. Hashes yield the cores to
requests: by themselves sixteen threads of Argon2 would compete with the few that answer.

Everything that hashes or compares a password goes through Django's hashers, and so through this one.
"""

import fcntl
import functools
import os
import tempfile
import threading
import time
import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import ParamSpec, TypeVar

import structlog
from django.contrib.auth.hashers import Argon2PasswordHasher
from prometheus_client import Histogram

from bitvault.kernel import deadlines
from bitvault.kernel.deadlines import Deadlines
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Overloaded

P = ParamSpec("P")
T = TypeVar("T")

NAME = "password_hash"

PLACES = 2
"""Hashes at once on a machine: 200 MiB, and no more cores than the smallest server has."""

NICENESS = 10
"""Eight threads of Argon2 weigh as much as one that serves requests; on an idle machine a hash takes as long as ever."""

_POLL_SECONDS = 0.005

WAITED = Histogram(
    "bitvault_password_hash_wait_seconds",
    "How long a password waited for a place to be hashed in; who was refused is counted by bitvault_dependency_refused_total",
    buckets=(0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2, 10),
)

logger = structlog.get_logger(__name__)


def normalize(password: str) -> str:
    """Give the one spelling of a password (NFKC, as NIST SP 800-63B-4 §3.1.1.2 says): keyboards differ in how they write ``é``."""
    return unicodedata.normalize("NFKC", password)


class BoundedArgon2PasswordHasher(Argon2PasswordHasher):
    """Django's hasher, for passwords in their one spelling, in one of the machine's places."""

    def encode(self, password: str, salt: str) -> str:
        """Hash a password.

        :raises Overloaded: no place came free in time.
        """
        with place():
            return _aside(super().encode, normalize(password), salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Compare a password with a hash; one that was set before there was one spelling is compared as it is written, too.

        :raises Overloaded: no place came free in time.
        """
        spelled = normalize(password)
        verify = super().verify
        with place():
            return _aside(verify, spelled, encoded) or (spelled != password and _aside(verify, password, encoded))


@contextmanager
def place() -> Iterator[None]:
    """Hold one of the machine's places inside the block.

    :raises Overloaded: too many wait already, or no place came free in the time that this process waits.
    """
    began = time.monotonic()
    limits = deadlines.current()
    with _share(limits).held():
        held = _take(until=began + limits.hash_seconds)
        WAITED.observe(time.monotonic() - began)
        try:
            yield
        finally:
            if held is not None:
                os.close(held)


def _aside(compute: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """Compute in the thread that yields the cores to requests: Argon2's own threads are as nice as the one that starts them."""
    return _thread().submit(compute, *arguments, **named).result()


@functools.cache
def _thread() -> ThreadPoolExecutor:
    """Make this process's thread for hashes: a thread that has been made nice stays so."""
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix=NAME, initializer=_be_nice)


def _be_nice() -> None:
    # Linux keeps the niceness of each thread; elsewhere the number of a thread names no process.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


# A fork has the executor and not its thread.
os.register_at_fork(after_in_child=_thread.cache_clear)


@functools.cache
def _share(limits: Deadlines) -> Dependency:
    """Make the one place of this process, and the queue before it."""
    return Dependency(NAME, share=1, queue_seconds=limits.hash_seconds, queue_length=limits.hash_queue_length)


def _take(*, until: float) -> int | None:
    """Lock one of the files; closing the descriptor frees it. None where there can be no files: then the process's own place is all."""
    directory = _directory()
    while directory is not None:
        for number in range(PLACES):
            descriptor = os.open(directory / str(number), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
            else:
                return descriptor
        if time.monotonic() >= until:
            raise Overloaded(dependency=NAME, retry_after_seconds=1)
        time.sleep(_POLL_SECONDS)
    return None


@functools.cache
def _directory() -> Path | None:
    """Find the directory of the files: of this account, so that nobody else can hold the places."""
    directory = Path(tempfile.gettempdir()) / f"bitvault-{NAME}-{os.geteuid()}"
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        logger.warning("password_hash_places_missing", error=type(error).__name__)
        return None
    if found.st_uid != os.geteuid() or found.st_mode & 0o077:
        logger.warning("password_hash_places_missing", error="the directory belongs to somebody else")
        return None
    return directory
