"""Heartbeats: each scheduler writes when it last ran; one that must run only once holds its row meanwhile.

A row is used, not an advisory lock: with a pooler in transaction mode each transaction may have another session, and a session's lock
would protect nothing.

All times come from the database's clock, which is the same for all processes. When that clock is set back, a heartbeat that lies further
ahead than its lease counts as expired.
"""

from uuid import UUID

from django.db import connection
from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from bitvault.events import sql
from bitvault.events.models import Heartbeat
from bitvault.kernel import db

BEAT, RELAY = "beat", "relay"

SILENCE_LIMITS_SECONDS = {BEAT: 10.0, RELAY: 10.0}
"""After how much silence a scheduler counts as dead: both run each second, and ten seconds are more than a loaded machine needs."""

LEASE_SECONDS = 5.0
"""How long a silent holder keeps its row: after a kill, nothing is scheduled for this long."""


def take_turn(name: str, *, seconds: float) -> bool:
    """Take the turn of a scheduler and write its heartbeat; false when somebody took it less than ``seconds`` ago."""
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(sql.TAKE_TURN, {"name": name, "seconds": seconds})
        return bool(cursor.rowcount)


def hold(name: str, *, holder: UUID, seconds: float = LEASE_SECONDS) -> bool:
    """Hold a scheduler and write its heartbeat; false while another holds it and has said so within ``seconds``."""
    with db.public_transaction(), connection.cursor() as cursor:
        cursor.execute(sql.HOLD, {"name": name, "holder": holder, "seconds": seconds})
        return bool(cursor.rowcount)


def release(name: str, *, holder: UUID) -> None:
    """Give a scheduler up to the next process that asks, if ``holder`` has it."""
    with db.public_transaction():
        Heartbeat.objects.filter(name=name, holder=holder).update(holder=None)


def list_ages() -> dict[str, float | None]:
    """Tell how many seconds each scheduler has been silent; ``None`` for one that never ran."""
    age = ExpressionWrapper(Now() - F("beaten_at"), output_field=DurationField())
    ages = dict(Heartbeat.objects.annotate(age=age).values_list("name", "age"))
    return {name: abs(ages[name].total_seconds()) if name in ages else None for name in SILENCE_LIMITS_SECONDS}


def list_silent() -> list[str]:
    """List the schedulers that are dead: they never ran, or have been silent for longer than their limit."""
    return [name for name, age in list_ages().items() if age is None or age > SILENCE_LIMITS_SECONDS[name]]
