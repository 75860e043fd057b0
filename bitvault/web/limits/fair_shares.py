"""Dividing a machine between those who use it at the same time.

A limit that lets a program work at full speed on an idle machine lets it slow everybody on a busy one. So who is alone may take all
there is; while others ask too, each tenant, and each person, has a share of the machine's CPU time and of a process's threads. What a
request costs is known when it is over: the next ones are refused until the share has caught up. The time that was used is a cell as any
other (``cells``), so the processes of a machine know of each other's.
"""

import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from bitvault.web import valkey
from bitvault.web.limits.cells import Cells, Key, cells

MACHINE = socket.gethostname()
"""Processes of one machine wait for the same cores."""

BESIDE_SECONDS = 2.0
"""Who asked this long ago still counts as one who asks: a page that is being read asks every few seconds, a program all the time."""

BURST_SECONDS = 3.0
"""How far one may run ahead of their share: a page's requests come together, and a large folder is read in a second."""

DEBT_SECONDS = 1.0
"""The longest that anybody waits for their share to catch up."""

GIVE_WAY_SECONDS = 0.05
"""How long a request of somebody far ahead lets those of others end first that its process has begun: several short ones."""

# Who of this machine has asked lately: KEYS[1] has them by time, ARGV are a window in microseconds and those to note. Answers the last two.
_EXCHANGE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
for number = 2, #ARGV do redis.call('ZADD', KEYS[1], now, ARGV[number]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[1]))
redis.call('PEXPIRE', KEYS[1], math.ceil(tonumber(ARGV[1]) / 1000))
local last = redis.call('ZREVRANGE', KEYS[1], 0, 1, 'WITHSCORES')
for number = 2, #last, 2 do last[number] = string.format('%.0f', now - tonumber(last[number])) end
return last
"""


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks, as far as limits are concerned."""

    tenant_id: UUID
    user_id: UUID
    credential_id: UUID


class Latest:
    """The two who asked last: enough to know whether anybody but one of them asks."""

    def __init__(self) -> None:
        self._asked: dict[UUID, float] = {}

    def note(self, who: UUID, at: float) -> None:
        """Take down that somebody asked, by the monotonic clock."""
        if at > self._asked.get(who, -math.inf):
            self._asked[who] = at
        if len(self._asked) > 2:  # noqa: PLR2004 - the two of the name
            del self._asked[min(self._asked, key=self._asked.__getitem__)]

    def anybody_but(self, who: UUID, now: float) -> bool:
        """Tell whether somebody else asked in the last ``BESIDE_SECONDS``."""
        return any(other != who and now - at < BESIDE_SECONDS for other, at in self._asked.items())

    def list_since(self, moment: float) -> list[UUID]:
        """List who asked after a moment."""
        return [who for who, at in self._asked.items() if at > moment]


class Level:
    """Those of one kind, and what each of them has taken. Not safe for threads: ``FairShares`` takes turns."""

    def __init__(self, name: str, share: float, used: Cells, *, in_flight_limit: int, in_flight_ahead: int) -> None:
        """Give each ``share`` cores, ``in_flight_limit`` threads of this process, and ``in_flight_ahead`` once they have run far ahead."""
        self.name = name
        self.share = share
        self._in_flight_limit = in_flight_limit
        self._in_flight_ahead = in_flight_ahead
        self.latest = Latest()
        self._used = used
        self._in_flight: dict[UUID, int] = {}

    def find_wait(self, who: UUID, now: float) -> float:
        """Tell how many seconds somebody has to wait, 0 for none: only while others ask too."""
        self.latest.note(who, now)
        if not self.latest.anybody_but(who, now):
            return 0.0
        limit = self._in_flight_ahead if self.is_far_ahead(who) else self._in_flight_limit
        if self.count_in_flight(who) >= limit:
            return DEBT_SECONDS
        return min(DEBT_SECONDS, max(0.0, self._used.tell_ahead(self._key(who)) - BURST_SECONDS))

    def is_far_ahead(self, who: UUID) -> bool:
        """Tell whether somebody has run ahead of their share by half of what one may."""
        return self._used.tell_ahead(self._key(who)) >= BURST_SECONDS / 2

    def count_in_flight(self, who: UUID) -> int:
        """Count the requests of somebody that this process has begun and not ended."""
        return self._in_flight.get(who, 0)

    def enter(self, who: UUID) -> None:
        self._in_flight[who] = self._in_flight.get(who, 0) + 1

    def leave(self, who: UUID, cpu_seconds: float) -> None:
        left = self._in_flight[who] - 1
        if left:
            self._in_flight[who] = left
        else:
            del self._in_flight[who]
        self._used.add(self._key(who), cpu_seconds / self.share, most=BURST_SECONDS + DEBT_SECONDS)

    def _key(self, who: UUID) -> Key:
        return (f"fair-share-{self.name}", None, f"{MACHINE}:{who}")


class FairShares:
    """The shares of one process."""

    def __init__(
        self, *, user_percent: int, tenant_percent: int, in_flight_limit: int, core_count: int, used: Cells = cells
    ) -> None:
        self._lock = threading.Lock()
        # A person who has run far ahead goes on with one thread: nobody's short steps wait for Python's lock behind several of theirs.
        self._users = Level(
            "user", user_percent / 100 * core_count, used, in_flight_limit=in_flight_limit, in_flight_ahead=1
        )
        self._tenants = Level(
            "tenant",
            tenant_percent / 100 * core_count,
            used,
            in_flight_limit=in_flight_limit,
            in_flight_ahead=in_flight_limit,
        )
        self._exchanged_at = 0.0
        self._in_flight = 0
        self._ended = threading.Condition(self._lock)
        self._gives_way = False

    def enter(self, requester: Requester) -> int:
        """Begin a request, or tell how many seconds to wait before the next try; 0 when it has begun, and then it must ``leave``."""
        now = time.monotonic()
        with self._lock:
            wait = max(
                self._users.find_wait(requester.user_id, now),
                self._tenants.find_wait(requester.tenant_id, now),
            )
            if wait > 0:
                return max(1, math.ceil(wait))
            self._users.enter(requester.user_id)
            self._tenants.enter(requester.tenant_id)
            self._in_flight += 1
            if self._users.is_far_ahead(requester.user_id):
                self._give_way(requester)
        return 0

    def _give_way(self, requester: Requester) -> None:
        """Let others go first, each of whose steps would wait for Python's lock meanwhile. One thread waits so; a second one goes on."""
        if self._gives_way:
            return
        self._gives_way = True
        self._ended.wait_for(
            lambda: self._in_flight == self._users.count_in_flight(requester.user_id), timeout=GIVE_WAY_SECONDS
        )
        self._gives_way = False

    def leave(self, requester: Requester, cpu_seconds: float) -> None:
        """End a request that has taken so much CPU time of its thread."""
        with self._lock:
            self._users.leave(requester.user_id, cpu_seconds)
            self._tenants.leave(requester.tenant_id, cpu_seconds)
            self._end_one()

    @contextmanager
    def stranger(self) -> Iterator[None]:
        """Let whoever is far ahead give way to a request of somebody who is not known, and has no share."""
        with self._lock:
            self._in_flight += 1
        try:
            yield
        finally:
            with self._lock:
                self._end_one()

    def _end_one(self) -> None:
        self._in_flight -= 1
        if self._gives_way:
            self._ended.notify_all()

    def exchange(self) -> None:
        """Tell the other processes of this machine who asks here, and learn who asks there.

        :raises RedisError: Valkey does not answer.
        """
        for level in (self._users, self._tenants):
            with self._lock:
                here = level.latest.list_since(self._exchanged_at)
            name = f"public:limits:latest:{level.name}:{MACHINE}"
            window = int(BESIDE_SECONDS * 1_000_000)
            found = valkey.client().eval(_EXCHANGE, 1, name, window, *(who.hex for who in here))
            now = time.monotonic()
            with self._lock:
                for who, age in zip(found[::2], found[1::2], strict=True):
                    level.latest.note(UUID(who.decode()), now - int(age) / 1_000_000)
        self._exchanged_at = time.monotonic()


_shares: FairShares | None = None


def find_fair_shares() -> FairShares | None:
    """Give this process's shares; None where the installation divides nothing."""
    return _shares or _open()


def _open() -> FairShares | None:
    global _shares  # noqa: PLW0603 - one for the process, made when settings can be read
    if settings.BITVAULT_LIMITS is None or not settings.BITVAULT_FAIR_SHARE_PERCENT:
        return None
    _shares = FairShares(
        user_percent=settings.BITVAULT_FAIR_SHARE_PERCENT,
        tenant_percent=min(100, 2 * settings.BITVAULT_FAIR_SHARE_PERCENT),
        in_flight_limit=settings.BITVAULT_REQUESTS_IN_FLIGHT,
        core_count=os.cpu_count() or 1,
    )
    cells.beside.append(_shares.exchange)
    return _shares


def forget() -> None:
    """Begin anew: the settings have changed, or this is a child of the process that counted."""
    global _shares  # noqa: PLW0603 - see above
    _shares = None
    cells.beside.clear()


os.register_at_fork(after_in_child=forget)
