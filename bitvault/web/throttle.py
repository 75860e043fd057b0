"""Limits on how often something may be tried, counted in Valkey for all processes, before the work and atomically.

Each limit is a generic cell rate (GCRA): ``limit`` tries at once, then one for each ``per_seconds / limit`` that passes. One Lua
script reads and advances the cell, so any number of parallel tries cannot pass together. Where Valkey does not answer, guards
of secrets refuse (a guess that nobody counts is a free guess) and everything else lets the caller through.
"""

import hashlib
import math
from collections.abc import Sequence

import structlog
from django.conf import settings
from django.utils.translation import gettext, ngettext
from redis.exceptions import RedisError

from bitvault.kernel import tenancy
from bitvault.kernel.db import forbid_transaction
from bitvault.kernel.errors import TooManyRequests, Unavailable
from bitvault.web import valkey

logger = structlog.get_logger(__name__)

# KEYS[1] is the cell; ARGV is the interval and the burst in microseconds. Answers how long to wait, 0 when the try counts.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local interval = tonumber(ARGV[1])
local cell = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = cell + interval - tonumber(ARGV[2]) - now
if wait > 0 then return wait end
redis.call('SET', KEYS[1], string.format('%.0f', cell + interval), 'PX', math.ceil((cell + interval - now) / 1000))
return 0
"""

_GIVE_BACK = """
local cell = redis.call('GET', KEYS[1])
if not cell then return 0 end
redis.call('SET', KEYS[1], string.format('%.0f', tonumber(cell) - tonumber(ARGV[1])), 'KEEPTTL')
return 1
"""


def take(
    name: str,
    parts: Sequence[object],
    *,
    limit: int,
    per_seconds: int,
    everywhere: bool = False,
    guards_secret: bool = True,
) -> None:
    """Count one try of ``name`` by ``parts`` (who, from where, at what), or refuse it.

    :param everywhere: count across tenants; otherwise the limit belongs to the entered tenant.
    :param guards_secret: refuse when tries cannot be counted.
    :raises TooManyRequests: the limit is reached; ``retry_after_seconds`` says when the next try counts.
    :raises Unavailable: Valkey does not answer and the limit guards a secret.
    """
    forbid_transaction("counting a try")
    interval = per_seconds * 1_000_000 // limit
    try:
        wait = int(
            valkey.client().eval(_TAKE, 1, _cell(name, parts, everywhere=everywhere), interval, per_seconds * 1_000_000)
        )
    except RedisError as error:
        if guards_secret:
            raise Unavailable("Tries cannot be counted at the moment, so none is let through.") from error
        logger.warning("throttle_not_counted", limit=name)
        return
    if wait > 0:
        seconds = math.ceil(wait / 1_000_000)
        raise TooManyRequests(_say_wait(seconds), retry_after_seconds=seconds)


def give_back(name: str, parts: Sequence[object], *, limit: int, per_seconds: int, everywhere: bool = False) -> None:
    """Uncount one try that turned out to be rightful, so that only failures use a limit up."""
    forbid_transaction("uncounting a try")
    interval = per_seconds * 1_000_000 // limit
    try:
        valkey.client().eval(_GIVE_BACK, 1, _cell(name, parts, everywhere=everywhere), interval)
    except RedisError:
        logger.warning("throttle_not_given_back", limit=name)


def _say_wait(seconds: int) -> str:
    """Tell a person how long to wait: to the second below two minutes, whose end somebody sits out, else to the minute."""
    if seconds < 2 * 60:
        said = ngettext(
            "Too many tries. Try again in %(count)s second.", "Too many tries. Try again in %(count)s seconds.", seconds
        )
        return said % {"count": seconds}
    return gettext("Too many tries. Try again in %(count)s minutes.") % {"count": math.ceil(seconds / 60)}


def _cell(name: str, parts: Sequence[object], *, everywhere: bool) -> str:
    """Name a cell; the parts are hashed with the installation's secret, so no address or e-mail stands in Valkey."""
    digest = hashlib.blake2b(
        "\0".join(str(part) for part in parts).encode(errors="surrogatepass"),
        key=settings.SECRET_KEY.encode()[:64],
        digest_size=16,
    ).hexdigest()
    if everywhere:
        return f"public:throttle:{name}:{digest}"
    return tenancy.key("throttle", name, digest)
