"""Real worker and beat processes, born quickly: forked from one that has loaded everything, where a test may kill them by the dozen.

Each is the leader of a process group of its own, logs to its own file, and ends with the nursery. What runs in them is the product's own
Celery application, with three differences: the notes (``noting.py``) are consumed as well, the places of ``failpoints.py`` are put in,
and the pace is quicker: turns and leases of schedulers last a fifth, and a failed event is tried again at the next turn.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from bitvault.kernel.child import PR_SET_PDEATHSIG
from bitvault.stack.layout import ROOT
from tests.support.failpoints import Orders

START_SECONDS = 30.0
PACE = 5
BACKOFF_SECONDS = 0.01
KILLED_AFTER_SECONDS = 2.0
PATIENCE = 5
"""How many times as long the patient lane may take, where a test sets limits."""


class Nursery:
    """Bears processes and knows those that live."""

    def __init__(self, environment: dict[str, str], directory: Path) -> None:
        self.directory = directory
        self.orders = Orders(directory)
        self.living: dict[int, dict[str, Any]] = {}
        self.kills = 0
        self._helper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery", str(directory)],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(directory / "nursery.log").open("ab"),
            text=True,
        )

    def worker(
        self, *, queues: str | None = None, processes: int = 2, limit: float | None = None, pool: str = "prefork"
    ) -> int:
        """Start a worker for some queues, or for all; it takes tasks when this returns.

        :param limit: seconds that calls of consumers may take that it sends, and five times as long in the patient lane.
        """
        return self._bear("worker", queues=queues, processes=processes, limit=limit, pool=pool)

    def beat(self, *, holds: bool = True) -> int:
        """Start a scheduler.

        :param holds: false plants a bug: it never asks whether another one ticks.
        """
        return self._bear("beat", holds=holds)

    def begin(self, name: str, **arguments: Any) -> int:
        """Have a process run one of ``JOBS``."""
        return self._bear(name, **arguments)

    def job(self, name: str, **arguments: Any) -> int:
        """Have a process run one of ``JOBS`` and wait for its end; returns its exit code, negative for a signal."""
        return self.finish(self.begin(name, **arguments))

    def finish(self, pid: int) -> int:
        """Wait for the end of a job; returns its exit code."""
        self.living.pop(pid)
        code = int(self._ask(wait=pid)["code"])
        self.kills += code < 0
        return code

    def kill(self, pid: int) -> None:
        """End a process and its group at once, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self.bury(pid)

    def bury(self, pid: int) -> None:
        """Take note that a process has died, and see that nobody of its group is left."""
        self._ask(wait=pid)
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        self.living.pop(pid, None)
        self.kills += 1

    def _bear(self, kind: str, **arguments: Any) -> int:
        pid = int(self._ask(kind=kind, **arguments)["pid"])
        self.living[pid] = {"kind": kind, **arguments}
        return pid

    def replace_ended(self) -> None:
        """Start again what has ended by itself, as a supervisor does."""
        for pid, what in list(self.living.items()):
            if self._ask(look=pid)["ended"]:
                self.bury(pid)
                self._bear(**what)

    def _ask(self, **what: Any) -> dict[str, Any]:
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.write(json.dumps(what) + "\n")
        self._helper.stdin.flush()
        answer = json.loads(self._helper.stdout.readline() or '{"error": "the nursery itself has died"}')
        assert "error" not in answer, f"{answer['error']}\n{self.log()}"
        return answer

    def log(self) -> str:
        """What the processes have written."""
        return "\n".join(path.read_text(errors="replace")[-3000:] for path in sorted(self.directory.glob("*.log")))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in list(self.living):
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)
        assert self._helper.stdin is not None
        assert self._helper.stdout is not None
        self._helper.stdin.close()
        self._helper.wait(timeout=30)
        self._helper.stdout.close()


# --- inside the nursery ----------------------------------------------------------------------------------------------------------


def _worker(
    ready: Callable[[], None],
    queues: str | None = None,
    processes: int = 2,
    limit: float | None = None,
    pool: str = "prefork",
) -> None:
    from celery.signals import worker_ready

    from bitvault.events import tasks
    from bitvault.gateway.celery import app

    if limit is not None:
        for task, times in ((tasks.consume, 1), (tasks.consume_patiently, PATIENCE)):
            task.soft_time_limit, task.time_limit = times * limit, times * limit + KILLED_AFTER_SECONDS
    worker_ready.connect(lambda **_: ready(), weak=False)
    options = [
        "--pool",
        pool,
        "--concurrency",
        str(processes),
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "INFO",
    ]
    options += ["--hostname", f"{os.getpid()}@%h"]
    app.worker_main(["worker", *options, *(["--queues", queues] if queues else [])])


def _beat(ready: Callable[[], None], *, holds: bool = True) -> None:
    from celery.apps.beat import Beat

    from bitvault.events import heartbeats
    from bitvault.gateway.celery import app

    if not holds:
        heartbeats.hold = lambda *_, **__: True
    ready()
    Beat(app=app, loglevel="WARNING", quiet=True).run()


def _note(
    ready: Callable[[], None], tenant: str, texts: list[str], pause: float = 0.0, linger: float = 0.0, revoked: int = 0
) -> None:
    """Publish notes, each in a transaction of its own; of so many the last one is rolled back."""
    from bitvault.events.api import publish
    from bitvault.kernel import db
    from tests.support.noting import Noted

    ready()
    with _entered(tenant):
        for number, text in enumerate(texts, 1):
            with suppress(ZeroDivisionError), db.write_transaction():
                publish(Noted(text=text))
                if revoked and number % revoked == 0:
                    raise ZeroDivisionError
            time.sleep(pause)
    time.sleep(linger)


def _replay(ready: Callable[[], None], tenant: str, letter: str) -> None:
    """Have a dead letter's event act again, as an operator's click does."""
    from uuid import UUID

    from bitvault.events import operating

    ready()
    with _entered(tenant):
        operating.replay_dead_letter(letter_id=UUID(letter), by=None)


def _rebuild(ready: Callable[[], None], tenant: str, consumer: str) -> None:
    """Rebuild a derivation, as an operator's click does."""
    from bitvault.events import operating

    ready()
    with _entered(tenant):
        operating.rebuild(consumer=consumer, by=None)


JOBS = {"worker": _worker, "beat": _beat, "note": _note, "rebuild": _rebuild, "replay": _replay}


def _entered(tenant: str) -> Any:
    from uuid import UUID

    from bitvault.kernel import tasks, tenancy

    found = tasks._find_tenant[0](UUID(tenant))
    assert found is not None
    return tenancy.entered(found)


def _load_everything(directory: Path) -> None:
    """Import what every process needs, and put in what tests need; connect to nothing."""
    from celery.signals import worker_ready

    from bitvault.gateway.celery import app, probe_store

    app.loader.import_default_modules()  # and thereby prepare Django, which the rest needs
    app.finalize()

    from bitvault.events import consuming, heartbeats, relay, tasks
    from bitvault.gateway import beat
    from bitvault.jobs import leasing, running
    from tests.support import errands, noting
    from tests.support.failpoints import Failpoints

    worker_ready.disconnect(probe_store)
    noting.register()
    errands.register()
    leasing.LEASE /= PACE
    leasing.BACKOFF /= PACE
    running.RENEW_SECONDS /= PACE
    consuming.BACKOFF_SECONDS = tuple(BACKOFF_SECONDS for _ in consuming.BACKOFF_SECONDS)
    relay.TURN_SECONDS /= PACE
    tasks.TURN_SECONDS /= PACE
    beat.RENEW_SECONDS /= PACE
    heartbeats.hold.__kwdefaults__["seconds"] /= PACE
    each_second = ("relay", "dispatch-jobs")
    app.conf.beat_schedule = {name: {**app.conf.beat_schedule[name], "schedule": 1.0 / PACE} for name in each_second}
    Failpoints(Orders(directory)).install()


def _bear(job: dict[str, Any], directory: Path) -> dict[str, Any]:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _live(job, directory, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as word:
        if select.select([word], [], [], START_SECONDS)[0] and word.read(1):
            return {"pid": child}
    return {"error": f"{job} did not begin"}


def _live(job: dict[str, Any], directory: Path, pipe: int) -> None:
    """Be the process of one job; does not return."""
    kind = job.pop("kind")
    code = 1
    try:
        os.setsid()
        # With the nursery, should that be killed.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        os.chdir(directory)
        log = os.open(directory / f"{kind}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(log, stream)
        tempfile.tempdir = str(directory)

        def ready() -> None:
            os.write(pipe, b".")
            os.close(pipe)

        JOBS[kind](ready, **job)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
        raise
    finally:
        os._exit(code)


def _answer(asked: dict[str, Any], directory: Path) -> dict[str, Any]:
    if "wait" in asked:
        return {"code": os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1])}
    if "look" in asked:
        return {"ended": os.waitid(os.P_PID, asked["look"], os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None}
    return _bear(asked, directory)


def main() -> None:
    directory = Path(sys.argv[1])
    _load_everything(directory)
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(_answer(asked, directory)), flush=True)  # noqa: T201 - this is a program


if __name__ == "__main__":
    main()
