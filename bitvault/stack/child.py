"""The small program that becomes each server: it drops privileges, ties itself to the supervisor's life, and execs.

Run by path with ``python -I -S`` so that it starts in a few milliseconds; it imports the standard library only. A
preexec function inside the supervisor would do the same work in a forked copy of a threaded process, which is not safe.
"""

import argparse
import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


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
        sys.exit("the supervisor ended before its child could start")
    os.execv(asked.command[0], asked.command)  # noqa: S606 - becoming that program is the purpose


if __name__ == "__main__":
    main()
