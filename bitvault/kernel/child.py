"""The small program that becomes another one, which must not outlive who started it: it drops privileges, ties itself to that life, execs.

The embedded stack's servers are started through it, and PostgreSQL's own programs: a restore that is killed must not leave a ``pg_restore``
behind that still writes while the next one begins. Run by path with ``python -I -S`` so that it starts in a few milliseconds; it imports
the standard library only. A preexec function would do the same in a forked copy of a threaded process, which is not safe.
"""

import argparse
import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def tied(
    command: list[str], *, death_signal: int = signal.SIGKILL, uid: int | None = None, gid: int | None = None
) -> list[str]:
    """Give the command line that runs ``command`` as a program which gets ``death_signal`` when this process ends.

    To be started from a thread that lives as long as the child: the kernel sends the signal when that *thread* ends.
    """
    wrapper = [
        sys.executable,
        "-I",
        "-S",
        __file__,
        "--parent",
        str(os.getpid()),
        "--death-signal",
        str(int(death_signal)),
    ]
    if uid is not None:
        wrapper += ["--uid", str(uid), "--gid", str(gid)]
    return [*wrapper, "--", *command]


def main() -> None:
    """Become the command given after ``--``, as the account and under the conditions given before it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--uid", type=int)
    parser.add_argument("--gid", type=int)
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    if asked.uid is not None:
        os.setgroups([])
        os.setgid(asked.gid)
        os.setuid(asked.uid)
    if sys.platform == "linux":
        # After setuid, because a change of credentials clears the wish.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, asked.death_signal, 0, 0, 0)
    if os.getppid() != asked.parent:
        sys.exit("who started this ended before it could begin")
    os.execv(asked.command[0], asked.command)  # noqa: S606 - becoming that program is the purpose


if __name__ == "__main__":
    main()
