"""Places where a process of the nursery (``tests/support/nursery.py``) dies or stops when a test says so.

Each is a moment in the life of an event after its commit, or of a job: between two steps that leave a mark outside the process. Nothing of the product
knows of them; they are put around its functions when the nursery starts. A test places an order in a file, and the first process
that comes to the place takes the order and carries it out.
"""

import functools
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

POINTS = {
    "task": ["task taken", "message admitted", "try counted", "task done"],
    "batch": [
        "first effect",
        "between effects",
        "cursor to be moved",
        "cursor moved",
        "effects closed",
        "commit",
        "committed",
    ],
    "failure": ["failure to be told", "failure told", "letter to be written", "letter written", "given up"],
    "relay": ["relay begun", "turn taken", "lags known", "call to be sent", "call sent", "relay done"],
    "nudge": ["nudge claimed", "nudge sent"],
    "beat": ["beat due", "beat sent"],
    "partitions": ["day to be dropped", "day dropped"],
    "rebuild": ["page to be kept", "swap", "swapped"],
    "jobs": [
        "lanes looked at",
        "silent jobs found",
        "lane called",
        "job taken",
        "job to be ended",
        "job written",
        "job ended",
    ],
}
"""Where one may die, by what goes on there."""

MARK = "_bitvault_failpoint"


class Orders:
    """The file in which one order at a time is placed, and is seen to be taken."""

    def __init__(self, directory: Path) -> None:
        self._placed = directory / "order.json"
        self._taken = directory / "order.taken"

    def place(self, point: str, *, how: str = "group", consumer: str | None = None) -> None:
        """Have whoever comes to ``point`` next (working for ``consumer``) go the way that ``how`` says.

        :param how: ``process`` or ``group`` or ``parent`` (SIGKILL for it), or ``stop`` (SIGSTOP for the process).
        """
        assert any(point in points for points in POINTS.values()), point
        self._taken.unlink(missing_ok=True)
        growing = self._placed.with_suffix(".new")
        growing.write_text(json.dumps({"point": point, "how": how, "consumer": consumer}))
        growing.rename(self._placed)

    def taker(self) -> int | None:
        """Tell which process took the last order, if one did."""
        try:
            return int(json.loads(self._taken.read_text())["pid"])
        except (OSError, ValueError):
            return None

    def withdraw(self) -> None:
        self._placed.unlink(missing_ok=True)

    def obey(self, point: str, consumer: str | None) -> None:
        """Carry the order out when it is for this place; to be called by the processes of the nursery."""
        try:
            order = json.loads(self._placed.read_text())
        except (OSError, ValueError):
            return
        if order["point"] != point or order["consumer"] not in (None, consumer):
            return
        mine = self._taken.with_suffix(f".{os.getpid()}")
        try:
            self._placed.rename(mine)
        except FileNotFoundError:
            return  # another process was there first
        mine.write_text(json.dumps({**order, "pid": os.getpid()}))
        mine.rename(self._taken)
        _go(order["how"])


def _go(how: str) -> None:
    match how:
        case "process":
            os.kill(os.getpid(), signal.SIGKILL)
        case "group":
            os.killpg(0, signal.SIGKILL)
        case "parent":
            os.kill(os.getppid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)


# --- putting them in -------------------------------------------------------------------------------------------------------------


class Failpoints:
    """The places, around the product's own functions."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._consumer: str | None = None
        self._is_acting = False
        self._in_batch = False

    def install(self) -> None:
        """Put every place in; they stay for the life of the process."""
        from celery import beat

        from apps.sync import rebuilding
        from bitvault.events import consuming, heartbeats, nudges, partitions, relay
        from bitvault.events.models import DeadLetter
        from bitvault.jobs import leasing, running
        from bitvault.kernel.db import Transaction

        self._around_task(consuming)
        self._around_batch(consuming, Transaction)
        self._put(consuming, "_account_for", "failure to be told", "failure told")
        self._put(DeadLetter.objects, "update_or_create", "letter to be written", "letter written")
        self._put(consuming, "give_up", None, "given up")
        self._put(heartbeats, "take_turn", "relay begun", "turn taken")
        self._put(relay, "find_lagging", None, "lags known")
        self._put(relay, "call", "call to be sent", "call sent")
        self._put(relay, "relay", None, "relay done")
        self._put(nudges.relay, "call", "nudge claimed", "nudge sent", only=_in_the_caller)
        self._put(beat.Scheduler, "apply_async", "beat due", "beat sent")
        self._put(partitions, "_as_owner", "day to be dropped", "day dropped", only=_drops)
        self._put(leasing, "rescue", "lanes looked at", "silent jobs found")
        self._put(leasing, "lease", "lane called", None)
        self._put(leasing, "finish", "job to be ended", "job written")
        self._put(running, "run_leased", "job taken", "job ended")
        self._put(rebuilding, "_keep", "page to be kept", None)
        self._put(rebuilding, "_swap", "swap", "swapped")

    def reach(self, point: str) -> None:
        self._orders.obey(point, self._consumer)

    def _put(
        self,
        owner: Any,
        name: str,
        before: str | None,
        after: str | None,
        *,
        only: Callable[..., bool] = lambda *_, **__: True,
    ) -> None:
        real = getattr(owner, name)

        @functools.wraps(real)
        def call(*args: Any, **kwargs: Any) -> Any:
            here = only(*args, **kwargs)
            if before is not None and here:
                self.reach(before)
            answer = real(*args, **kwargs)
            if after is not None and here:
                self.reach(after)
            return answer

        setattr(owner, name, call)

    def _around_task(self, consuming: Any) -> None:
        from bitvault.events import nudges

        admit, begin, consume = nudges.admit, consuming._begin, consuming.consume

        def admitting(consumer: str, tenant_id: Any) -> None:
            self._consumer = consumer
            self.reach("task taken")
            admit(consumer, tenant_id)
            self.reach("message admitted")

        def beginning(*args: Any, **kwargs: Any) -> Any:
            begun = begin(*args, **kwargs)
            self.reach("try counted")
            return begun

        def consuming_all(*args: Any, **kwargs: Any) -> Any:
            done = consume(*args, **kwargs)
            self.reach("task done")
            self._consumer = None
            return done

        nudges.admit, consuming._begin, consuming.consume = admitting, beginning, consuming_all

    def _around_batch(self, consuming: Any, transaction: Any) -> None:
        from django.db.backends.base.base import BaseDatabaseWrapper
        from django.db.backends.signals import connection_created

        from bitvault.events import sql

        batch, act, finish = consuming._consume_batch, consuming.Consumer.act_on, transaction.finish
        commit = BaseDatabaseWrapper._commit

        def consuming_batch(*args: Any) -> Any:
            self._in_batch = True
            try:
                return batch(*args)
            finally:
                self._in_batch = False

        def acting(*args: Any, **kwargs: Any) -> Any:
            self.reach("first effect")
            self._is_acting = True
            try:
                return act(*args, **kwargs)
            finally:
                self._is_acting = False

        def finishing(tx: Any) -> None:
            finish(tx)
            if self._in_batch:
                self.reach("effects closed")

        def committing(connection: Any) -> None:
            if self._in_batch:
                self.reach("commit")
            commit(connection)
            if self._in_batch:
                self.reach("committed")

        def around_statement(execute: Callable[..., Any], statement: Any, *rest: Any) -> Any:
            if self._is_acting:
                done = execute(statement, *rest)
                self.reach("between effects")
                return done
            if statement != sql.MOVE_CURSOR:
                return execute(statement, *rest)
            self.reach("cursor to be moved")
            done = execute(statement, *rest)
            self.reach("cursor moved")
            return done

        consuming._consume_batch, consuming.Consumer.act_on, transaction.finish = consuming_batch, acting, finishing
        BaseDatabaseWrapper._commit = committing
        watch = functools.partial(_watch, around_statement)
        connection_created.connect(watch, weak=False)


def _watch(around_statement: Callable[..., Any], *, connection: Any, **_: Any) -> None:
    connection.execute_wrappers.append(around_statement)


def _in_the_caller(*_: Any, **__: Any) -> bool:
    import threading

    return threading.current_thread().name == "nudges"


def _drops(statement: str) -> bool:
    return statement.startswith("DROP")
