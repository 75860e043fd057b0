"""Asking the process that has BitVault's code loaded (``preloaded``) for forks, as if they were programs that were started."""

import ctypes
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36

NAME = "preloaded"

LOAD_SECONDS = 30.0
FORK_SECONDS = 5.0
POLL_SECONDS = 0.02

# A title can be as long as the command line that a process began with; setproctitle keeps to it with SPT_NOENV, and the environment, by
# which leftovers are known, stays readable.
ROOM_FOR_TITLES = "." * 300


class ForkFailed(Exception):
    """There is no such process now; the program is to be started by itself."""


class ForkedProcess:
    """A child of this process that was not started by it: what ``subprocess.Popen`` is to one that was."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Give the exit code, or None while it runs."""
        if self.returncode is None:
            with suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        :raises subprocess.TimeoutExpired: it has not ended by then.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(POLL_SECONDS)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class Forks:
    """The process that forks, and its socket. Linux only: elsewhere nobody can be given another's children."""

    def __init__(
        self,
        modules: tuple[str, ...],
        *,
        environment: Mapping[str, str],
        directory: Path,
        output: Callable[[str], AbstractContextManager[int]],
    ) -> None:
        """Describe the process; forks have this environment, and a program that wants another one gets none."""
        self._modules = modules
        self._environment = environment
        self._directory = directory
        self._output = output
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False

    def start(self) -> None:
        """Start loading; the first fork waits for the end of it."""
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        named = ",".join((str(its.fileno()), *self._modules))
        with its, self._output(NAME) as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bitvault.stack.preloaded", named, ROOM_FOR_TITLES],
                cwd=self._directory,
                env=dict(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(its.fileno(),),
                start_new_session=True,
                umask=0o077,
            )
        self._socket, self._is_ready = mine, False

    def fork(
        self,
        arguments: tuple[str, ...],
        *,
        environment: Mapping[str, str],
        directory: Path,
        death_signal: signal.Signals,
        output: int,
    ) -> ForkedProcess:
        """Become the parent of a process that runs ``python -m`` with these arguments.

        :raises ForkFailed: the process that forks has gone (it is started again, for the next), or has loaded another environment.
        """
        if environment != self._environment:
            raise ForkFailed
        if self._socket is None:
            self.start()
            raise ForkFailed
        if not self._is_ready:
            self._receive(self._socket, LOAD_SECONDS)
            self._is_ready = True
        asked = {
            "arguments": arguments,
            "environment": dict(environment),
            "directory": str(directory),
            "death_signal": int(death_signal),
            "parent": os.getpid(),
        }
        try:
            socket.send_fds(self._socket, [json.dumps(asked).encode()], [output])
        except OSError as problem:
            self.stop()
            raise ForkFailed from problem
        return ForkedProcess(int(self._receive(self._socket, FORK_SECONDS)))

    def _receive(self, connection: socket.socket, seconds: float) -> bytes:
        ready, _, _ = select.select([connection], [], [], seconds)
        answer = connection.recv(64) if ready else b""
        if not answer:
            self.stop()
            raise ForkFailed
        return answer

    def stop(self) -> None:
        """End the process that forks; its forks go on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
