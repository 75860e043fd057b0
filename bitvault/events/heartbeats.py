"""Heartbeats: every clockwork writes when it last ran, and whoever must run once holds its row meanwhile.

A row rather than an advisory lock: a pooler in transaction mode gives each transaction another session, and a lock of a session that was
given away holds nothing.

All of it goes by the database's clock: it is one for all that compete, and a machine whose own runs ahead neither takes what another holds
nor keeps it from others. Should the database's own clock go back, a heartbeat that lies ahead of it by more than its term counts as over.
"""

from uuid import UUID

from django.db import connection

from bitvault.events.models import Heartbeat
from bitvault.kernel import db

BEAT, RELAY = "beat", "relay"

SILENCE_LIMITS_SECONDS = {BEAT: 10.0, RELAY: 10.0}
"""What has to beat, and after how much silence it counts as dead. Both beat each second; ten of them are no hiccup of a loaded machine,
and nobody waits a minute for what is derived."""

LEASE_SECONDS = 5.0
"""How long a holder that says nothing more keeps its row: the time without a clockwork when its process is killed."""

_TURN = """
INSERT INTO public.events_heartbeat (name, beaten_at) VALUES (%(name)s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET beaten_at = clock_timestamp()
WHERE abs(extract(epoch FROM clock_timestamp() - events_heartbeat.beaten_at)) >= %(seconds)s
"""

_HOLD = """
INSERT INTO public.events_heartbeat (name, beaten_at, holder) VALUES (%(name)s, clock_timestamp(), %(holder)s)
ON CONFLICT (name) DO UPDATE SET beaten_at = clock_timestamp(), holder = excluded.holder
WHERE events_heartbeat.holder IS NULL OR events_heartbeat.holder = excluded.holder
   OR abs(extract(epoch FROM clock_timestamp() - events_heartbeat.beaten_at)) >= %(seconds)s
"""

_AGES = """
SELECT name, abs(extract(epoch FROM clock_timestamp() - beaten_at))::float8 FROM public.events_heartbeat WHERE name = ANY(%s)
"""


def take_turn(name: str, *, seconds: float) -> bool:
    """Take the turn of a clockwork and write its heartbeat; false when somebody took it less than ``seconds`` ago."""
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(_TURN, {"name": name, "seconds": seconds})
        return bool(cursor.rowcount)


def hold(name: str, *, holder: UUID, seconds: float = LEASE_SECONDS) -> bool:
    """Hold a clockwork and write its heartbeat; false while another holds it and has said so within ``seconds``."""
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(_HOLD, {"name": name, "holder": holder, "seconds": seconds})
        return bool(cursor.rowcount)


def let_go(name: str, *, holder: UUID) -> None:
    """Leave a clockwork to the next one that asks, if ``holder`` has it."""
    with db.public_transaction():
        Heartbeat.objects.filter(name=name, holder=holder).update(holder=None)


def list_ages() -> dict[str, float | None]:
    """Tell how many seconds each clockwork has been silent; ``None`` for one that never ran."""
    with connection.cursor() as cursor:
        cursor.execute(_AGES, [list(SILENCE_LIMITS_SECONDS)])
        ages = dict(cursor.fetchall())
    return {name: ages.get(name) for name in SILENCE_LIMITS_SECONDS}


def list_silent() -> list[str]:
    """List the clockworks that are dead: they never ran, or have been silent for longer than their limit."""
    return [name for name, age in list_ages().items() if age is None or age > SILENCE_LIMITS_SECONDS[name]]
