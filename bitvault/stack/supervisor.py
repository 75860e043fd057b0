"""The supervisor's watch: a child that ends is started again, sooner the longer it had run well."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType

from bitvault.stack.console import Console
from bitvault.stack.process import Child, ChildGroup

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

# A child that ran this long was well; its next end is a new mishap, not another failure to start.
WELL_SECONDS = 60.0

WATCH_SECONDS = 0.2


class StopAsked(BaseException):
    """Somebody pressed Ctrl-C or sent a signal; no ``except Exception`` on the way may swallow it."""


@contextmanager
def stopping_by_signal() -> Iterator[None]:
    """Turn the signals that end a program into :class:`StopAsked` inside the block."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    # `nohup` has decided about a hang-up already.
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, _ask_to_stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _ask_to_stop(number: int, frame: FrameType | None) -> None:
    raise StopAsked


@dataclass(slots=True)
class Mishaps:
    """How often one child has ended of late, and when it is due again."""

    count: int = 0
    due_at: float | None = None

    def note(self, *, ran_seconds: float, now: float) -> float:
        """Count one more end and give the pause before the next start."""
        self.count = 1 if ran_seconds >= WELL_SECONDS else self.count + 1
        pause = min(FIRST_PAUSE_SECONDS * 2.0 ** (self.count - 1), LONGEST_PAUSE_SECONDS)
        self.due_at = now + pause
        return pause


class Supervisor:
    """Keeps groups of children alive, and ends them in order."""

    def __init__(self, groups: Sequence[ChildGroup], *, console: Console) -> None:
        """Take charge of groups, in the order in which they are to be stopped."""
        self._groups = groups
        self._console = console
        self._mishaps: dict[str, Mishaps] = {}

    def watch(self) -> None:
        """Look after the children until :class:`StopAsked` comes."""
        while True:
            for group in self._groups:
                for child in list(group.children):
                    self._look_after(group, child, now=time.monotonic())
            self._bury_adopted()
            time.sleep(WATCH_SECONDS)

    def _look_after(self, group: ChildGroup, child: Child, *, now: float) -> None:
        code = child.exit_code()
        if code is None:
            return
        name = child.program.name
        mishaps = self._mishaps.setdefault(name, Mishaps())
        if mishaps.due_at is None:
            pause = mishaps.note(ran_seconds=now - child.started_at, now=now)
            self._console.say(f"{name} ended ({_cause(code)}); it is started again in {pause:g} s")
        elif now >= mishaps.due_at:
            mishaps.due_at = None
            group.relaunch(child)

    def _bury_adopted(self) -> None:
        """Take note of the end of processes that came to this one because their parent had ended (``forks``)."""
        own = {child.pid for group in self._groups for child in group.children}
        with suppress(ChildProcessError):
            while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) and ended.si_pid not in own:
                os.waitpid(ended.si_pid, 0)

    def stop(self) -> None:
        """End all groups in order; another signal meanwhile ends everything at once."""

        def kill_everything(number: int, frame: FrameType | None) -> None:
            for group in self._groups:
                for child in group.children:
                    child.kill()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, kill_everything)
        for group in self._groups:
            group.stop()


def _cause(code: int) -> str:
    return f"by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
