"""Counting requests: generic cells (GCRA) in this process, settled with Valkey every ``SETTLE_SECONDS`` by a thread of their own.

A request costs no round trip and never waits for Valkey: it is judged by what this process knows. What was let through is added to the
cells in Valkey a moment later, and what other processes let through comes back with the answer. So in ``SETTLE_SECONDS`` the other
processes together may let through what they can serve in that time beyond a limit; the excess is a debt in the cell, and is waited out
before the next request passes. Over a minute the rate is exact. While Valkey is away each process limits by itself.
"""

import hashlib
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from django.conf import settings
from redis.exceptions import RedisError

from bitvault.kernel import tenancy
from bitvault.web import valkey
from bitvault.web.limits.policies import Policy

SETTLE_SECONDS = 0.2
"""Shorter finds excess sooner; longer costs fewer round trips: five a second for a busy process, none for an idle one."""

REST_SECONDS = 2.0
"""How long Valkey is left alone after it did not answer."""

SIZE_LIMIT = 20_000
"""Cells of a process (some 300 bytes each); full, those that are empty go, and if none are, all: a stranger cannot grow it."""

DEBT = 1.25
"""Windows that a cell is ahead at most by what is counted afterwards: requests that were on the way when the limit was reached."""

BATCH = 500
"""Cells in one call of the script, which takes a microsecond or two for each."""

# KEYS are cells, ARGV two microseconds for each: by how much to advance it, and how long ago the first of that was let through. Answers how
# far ahead of now each is then.
_SETTLE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local ahead = {}
for number, key in ipairs(KEYS) do
    local begun = now - tonumber(ARGV[2 * number])
    local cell = math.max(tonumber(redis.call('GET', key) or begun), begun) + tonumber(ARGV[2 * number - 1])
    if cell > now then redis.call('SET', key, string.format('%.0f', cell), 'PX', math.ceil((cell - now) / 1000)) end
    ahead[number] = cell - now
end
return ahead
"""

logger = structlog.get_logger(__name__)

Key = tuple[str, UUID | None, object]
"""Name of the policy, tenant (None for strangers), and whom the cell belongs to."""


@dataclass(slots=True)
class Standing:
    """How one stands with the policy that leaves least: ``retry_after_seconds`` is 0 unless the request is refused."""

    policy: Policy
    remaining: int
    reset_seconds: int
    retry_after_seconds: int = 0


class _Cell:
    __slots__ = ("due", "since", "unsettled")

    def __init__(self) -> None:
        self.due = 0.0
        """When the cell is empty again, by the monotonic clock."""
        self.unsettled = 0.0
        """Seconds that this process has added and Valkey does not know of yet."""
        self.since = 0.0
        """When the first of them was added."""


class Cells:
    """The cells of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._settling = threading.Lock()
        self._wanted = threading.Event()
        self._thread: threading.Thread | None = None
        self._cells: dict[Key, _Cell] = {}
        self._unsettled: set[Key] = set()
        self.beside: list[Callable[[], None]] = []
        """What else is exchanged with Valkey in the same steps."""

    def take(self, wanted: Sequence[tuple[Policy, Key]]) -> Standing | None:
        """Count a request by all of these cells, or by none when one of them refuses it; None when nothing limits it."""
        with self._lock:
            now = time.monotonic()
            refused = self._find_refusal(wanted, now)
            if refused is not None:
                return refused
            least: Standing | None = None
            share = 2.0
            for policy, key in wanted:
                ahead = self._advance(key, policy.seconds_each, now)
                left = (policy.window_seconds - ahead) / policy.window_seconds
                if left < share:
                    share = left
                    least = Standing(policy, max(0, int(left * policy.quota)), math.ceil(ahead))
        if self._thread is None:
            self._start()
        if not self._wanted.is_set():
            self._wanted.set()
        return least

    def judge(self, wanted: Sequence[tuple[Policy, Key]]) -> Standing | None:
        """Tell whether a request would be refused, and count nothing."""
        with self._lock:
            return self._find_refusal(wanted, time.monotonic())

    def charge(self, wanted: Sequence[tuple[Policy, Key]]) -> None:
        """Count what has happened already, also beyond a limit; the debt stays below a quarter of the window."""
        with self._lock:
            now = time.monotonic()
            for policy, key in wanted:
                cell = self._cells.get(key)
                if cell is None or cell.due - now < DEBT * policy.window_seconds:
                    self._advance(key, policy.seconds_each, now)
        if self._thread is None:
            self._start()
        if not self._wanted.is_set():
            self._wanted.set()

    def add(self, key: Key, seconds: float, *, most: float) -> None:
        """Advance a cell by what was used, but to no more than ``most`` seconds ahead."""
        with self._lock:
            now = time.monotonic()
            cell = self._cells.get(key)
            ahead = cell.due - now if cell is not None and cell.due > now else 0.0
            if ahead < most:
                self._advance(key, min(seconds, most - ahead), now)

    def tell_ahead(self, key: Key) -> float:
        """Tell how many seconds a cell is ahead of now."""
        cell = self._cells.get(key)
        return max(0.0, cell.due - time.monotonic()) if cell is not None else 0.0

    def _find_refusal(self, wanted: Sequence[tuple[Policy, Key]], now: float) -> Standing | None:
        for policy, key in wanted:
            cell = self._cells.get(key)
            if cell is None:
                continue
            wait = cell.due + policy.seconds_each - policy.window_seconds - now
            if wait > 0:
                return Standing(policy, 0, math.ceil(cell.due - now), max(1, math.ceil(wait)))
        return None

    def _advance(self, key: Key, seconds: float, now: float) -> float:
        cell = self._cells.get(key)
        if cell is None:
            if len(self._cells) >= SIZE_LIMIT:
                self._make_room(now)
            cell = self._cells[key] = _Cell()
        cell.due = max(cell.due, now) + seconds
        if not cell.unsettled:
            cell.since = now
        cell.unsettled += seconds
        self._unsettled.add(key)
        return cell.due - now

    def _make_room(self, now: float) -> None:
        self._cells = {key: cell for key, cell in self._cells.items() if cell.due > now}
        if len(self._cells) >= SIZE_LIMIT:
            self._cells.clear()
        self._unsettled &= self._cells.keys()

    def clear(self) -> None:
        """Forget everything that this process has counted."""
        with self._lock:
            self._cells.clear()
            self._unsettled.clear()

    # --- Valkey --------------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Tell Valkey what this process has let through, and learn what others have.

        :raises RedisError: it does not answer; what was counted stays counted in this process.
        """
        with self._settling:
            with self._lock:
                keys = list(self._unsettled)
                now = time.monotonic()
                spent = [(cell.unsettled, now - cell.since) for cell in (self._cells[key] for key in keys)]
                self._unsettled.clear()
                for key in keys:
                    self._cells[key].unsettled = 0.0
            for start in range(0, len(keys), BATCH):
                self._settle_some(keys[start : start + BATCH], spent[start : start + BATCH])
            for exchange in self.beside:
                exchange()

    def _settle_some(self, keys: list[Key], spent: list[tuple[float, float]]) -> None:
        names = [_name(key) for key in keys]
        micros = [round(seconds * 1_000_000) for pair in spent for seconds in pair]
        ahead = valkey.client().eval(_SETTLE, len(names), *names, *micros)
        with self._lock:
            now = time.monotonic()
            for key, micro in zip(keys, ahead, strict=True):
                cell = self._cells.get(key)
                if cell is not None:
                    # What came while Valkey was asked is not in its answer.
                    cell.due = max(cell.due, now + int(micro) / 1_000_000 + cell.unsettled)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_settling, name="limits", daemon=True)
                self._thread.start()

    def _keep_settling(self) -> None:
        down = False
        while True:
            self._wanted.wait()
            time.sleep(SETTLE_SECONDS)
            self._wanted.clear()
            try:
                self.settle()
            except (RedisError, OSError):
                if not down:
                    # Once, not for each request.
                    logger.warning("limits_not_settled", meaning="each process limits by itself until Valkey answers")
                down = True
                time.sleep(REST_SECONDS)
            else:
                if down:
                    logger.info("limits_settled_again")
                down = False


def _name(key: Key) -> str:
    """Name a cell in Valkey; whom it belongs to is hashed with the installation's secret, as in ``web.throttle``."""
    policy, tenant_id, whom = key
    digest = hashlib.blake2b(str(whom).encode(), key=settings.SECRET_KEY.encode()[:64], digest_size=16).hexdigest()
    if tenant_id is None:
        return f"public:limits:{policy}:{digest}"
    return tenancy.key_of(tenant_id, "limits", policy, digest)


cells = Cells()


def _forget_after_fork() -> None:
    """Begin anew in a child: its thread is not there, and its parent's locks may be held for good."""
    cells.__init__()  # type: ignore[misc] # the one object stays, as others have imported it


os.register_at_fork(after_in_child=_forget_after_fork)
