"""The relay: for each consumer that lags in some tenant's stream, one message to the consumer's queue.

Beat runs it every second; each commit nudges the prompt ones of its own tenant's consumers besides. A message says (consumer, tenant) and
nothing else: the truth is the cursor in PostgreSQL, so the broker may lose, double or reorder whatever it holds.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import connection

from bitvault.events import consuming, heartbeats, sql
from bitvault.kernel import clock
from bitvault.kernel.tasks import for_tenant, select_present

CONSUME_TASK = "events.consume"
TURN_SECONDS = 0.5
"""The least time between two full relays, whoever runs them: a second beat finds the turn taken and does nothing."""

MESSAGE_LIFETIME_SECONDS = 30
"""A message that nobody took by then is dropped: the relay has sent another."""

BEHIND_ALL = 9
"""The last priority of Celery's transport over Redis. With one process for all, the ticks of the relay would wait behind turns of a second
each until they have expired."""

Send = Callable[..., Any]
CountWaiting = Callable[[str], int]


def find_lagging() -> list[tuple[str, UUID]]:
    """List (consumer, tenant) that have something to do now, the nearest to their head first."""
    with connection.cursor() as cursor:
        cursor.execute(sql.LAGGING, [clock.now()])
        known = set(consuming.list_consumers())
        return [(consumer, tenant_id) for consumer, tenant_id in cursor.fetchall() if consumer in known]


def relay(send: Send, count_waiting: CountWaiting) -> int:
    """Send one message for each consumer and tenant that lags; returns how many. Of two at once the second does nothing.

    A consumer whose queue holds a message for each of its tenants already is left out: a queue that no worker takes from would fill the
    broker, and with it everybody else's. A tenant that is gone or suspended is called when it is back.

    :param send: ``celery.Celery.send_task`` or what stands for it.
    :param count_waiting: tells how many messages a queue holds.
    """
    if not heartbeats.take_turn(heartbeats.RELAY, seconds=TURN_SECONDS):
        return 0
    lagging = find_lagging()
    if lagging:
        present = select_present({tenant_id for _, tenant_id in lagging})
        lagging = [(consumer, tenant_id) for consumer, tenant_id in lagging if tenant_id in present]
    wanted = Counter(consumer for consumer, _ in lagging)
    unheard = {consumer for consumer, count in wanted.items() if count_waiting(consumer) >= count}
    called = [(consumer, tenant_id) for consumer, tenant_id in lagging if consumer not in unheard]
    for consumer, tenant_id in called:
        call(send, consumer, tenant_id)
    return len(called)


def call(send: Any, consumer: str, tenant_id: UUID, *, behind_all: bool = False) -> None:
    """Send a consumer the message that a tenant's stream has something for it.

    :param behind_all: whether whatever else waits for the same process is done first.
    """
    send(
        CONSUME_TASK,
        args=[consumer],
        headers=for_tenant(tenant_id),
        queue=consumer,
        priority=BEHIND_ALL if behind_all else None,
        expires=MESSAGE_LIFETIME_SECONDS,
        ignore_result=True,
    )
