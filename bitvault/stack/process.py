"""One child process of the stack: started through ``kernel/child.py``, watched, and ended with its whole group."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from bitvault.kernel.child import tied
from bitvault.stack.accounts import Account
from bitvault.stack.forks import ForkedProcess, ForkFailed, Forks

# Every process of a stack carries its directory in this variable, so that a later start can recognise what a killed
# supervisor left.
MARKER = "BITVAULT_STACK_DIRECTORY"

POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, and how it wants to be ended."""

    name: str
    command: tuple[str, ...]
    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    # How long a stop may take before the group is killed: longer loses no request, shorter frees the terminal.
    grace_seconds: float = 10.0
    # What the child receives when its supervisor dies without a word.
    death_signal: signal.Signals = signal.SIGTERM


class Child:
    """A running program, leader of a session of its own so that a Ctrl-C in the terminal reaches the supervisor alone."""

    def __init__(self, program: Program, *, stack_directory: Path, output: int, forks: Forks | None = None) -> None:
        """Start the program; ``output`` is the descriptor that takes both of its streams, ``forks`` may have its code loaded.

        To be called from a thread that lives as long as the child: the kernel sends the death signal when that *thread*
        ends.
        """
        self.program = program
        self.started_at = time.monotonic()
        environment = {**program.environment, MARKER: str(stack_directory)}
        self._process = self._fork(forks, environment, output) or subprocess.Popen(
            self._command_line(),
            cwd=program.directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            umask=0o077,
        )

    def _fork(self, forks: Forks | None, environment: Mapping[str, str], output: int) -> ForkedProcess | None:
        program = self.program
        if forks is None or program.command[:2] != (sys.executable, "-m"):
            return None
        try:
            return forks.fork(
                program.command[2:],
                environment=environment,
                directory=program.directory,
                death_signal=program.death_signal,
                output=output,
            )
        except ForkFailed:
            return None

    def _command_line(self) -> list[str]:
        program = self.program
        account = program.account
        return tied(
            [*program.command],
            death_signal=program.death_signal,
            uid=None if account is None else account.uid,
            gid=None if account is None else account.gid,
        )

    @property
    def pid(self) -> int:
        """Name the process, which is also its group and session."""
        return self._process.pid

    def exit_code(self) -> int | None:
        """Give the exit code, or None while the child runs."""
        return self._process.poll()

    def ask_to_stop(self) -> None:
        """Send the program's own stop signal to its leader; the leader ends its workers in its own order."""
        if self.exit_code() is None:
            self._process.send_signal(self.program.stop_signal)

    def wait_or_kill(self, *, grace_seconds: float | None = None) -> bool:
        """Wait for the end, then kill what is left of the group; tell whether it ended by itself."""
        patience = self.program.grace_seconds if grace_seconds is None else grace_seconds
        try:
            self._process.wait(timeout=patience)
            orderly = True
        except subprocess.TimeoutExpired:
            orderly = False
        self.kill()
        self._process.wait()
        return orderly

    def kill(self) -> None:
        """End the whole group at once."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            return


class ChildGroup:
    """Children that are started, restarted and stopped together."""

    def __init__(
        self,
        *,
        stack_directory: Path,
        output: Callable[[str], AbstractContextManager[int]],
        forks: Forks | None = None,
    ) -> None:
        """Describe a group; ``output`` lends the descriptor that the child of a name writes to."""
        self.children: list[Child] = []
        self._forks = forks
        self._stack_directory = stack_directory
        self._output = output

    def launch(self, program: Program) -> Child:
        """Start a program as a member of the group."""
        with self._output(program.name) as descriptor:
            child = Child(program, stack_directory=self._stack_directory, output=descriptor, forks=self._forks)
        self.children.append(child)
        return child

    def relaunch(self, child: Child) -> Child:
        """Start the program of a child that has ended once more, after the last of its own workers."""
        child.wait_or_kill(grace_seconds=0.0)
        self.children.remove(child)
        return self.launch(child.program)

    def stop(self) -> None:
        """Ask all to stop, wait, and kill what stays."""
        for child in self.children:
            child.ask_to_stop()
        for child in self.children:
            child.wait_or_kill()
        self.children.clear()
        if self._forks is not None:
            self._forks.stop()
