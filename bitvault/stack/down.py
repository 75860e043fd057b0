"""``make down`` and ``make reset``: ending what runs, and deleting what is kept."""

import errno
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from bitvault.stack.errors import NO_ROOM, StackError
from bitvault.stack.layout import Layout
from bitvault.stack.leftovers import SupervisorLock, end_leftovers, list_leftovers
from bitvault.stack.postgresql import forget_copied_programs
from bitvault.stack.process import POLL_SECONDS

# The supervisor itself gives its children 20 s at the most.
STOP_SECONDS = 45.0


def down(directory: Path) -> None:
    """End the supervisor of a directory with all its processes, and whatever a killed one left.

    :raises StackError: something would not end.
    """
    was_running = _end_supervisor(SupervisorLock(Layout(directory).lock))
    had_leftovers = _end_leftovers(directory)
    print("BitVault has stopped; the data are kept." if was_running or had_leftovers else "BitVault was not running.")


def _end_supervisor(lock: SupervisorLock) -> bool:
    if not lock.is_held():
        return False
    _end_holder(lock)
    return True


def _end_leftovers(directory: Path) -> bool:
    left = end_leftovers(directory)
    if remaining := list_leftovers(directory):
        raise StackError(f"These processes would not end: {remaining}. End them by hand.")
    return left > 0


def _end_holder(lock: SupervisorLock) -> None:
    holder = lock.holder()
    if holder is None:
        raise StackError("BitVault runs, but its process is not known yet: wait a moment and try again.")
    for number, patience in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, 1.0)):
        with suppress(ProcessLookupError):
            os.kill(holder, number)
        deadline = time.monotonic() + patience
        while lock.is_held():
            if time.monotonic() > deadline:
                break
            time.sleep(POLL_SECONDS)
        else:
            return


def reset(directory: Path, *, agreed: bool) -> None:
    """Delete everything that BitVault keeps, after asking; whoever starts it meanwhile is refused.

    :raises StackError: nobody is there to ask, the directory is not BitVault's, or a start was quicker.
    """
    layout = Layout(directory)
    if not directory.exists():
        print(f"There is nothing to delete: {directory} does not exist.")
        return
    if not layout.is_marked():
        raise StackError(f"{directory} was not made by BitVault: delete it by hand if you are sure.")
    if not agreed and not _agrees(directory):
        print("Nothing was deleted.")
        return
    lock = SupervisorLock(layout.lock)
    _end_supervisor(lock)
    _take(lock)
    _end_leftovers(directory)
    _delete(layout)
    forget_copied_programs()
    print(f"{directory} has been deleted.")


def _take(lock: SupervisorLock) -> None:
    try:
        lock.take()
    except OSError as problem:
        # A full disk is what a reset may be asked for.
        if problem.errno not in NO_ROOM or not lock.is_held():
            raise


def _delete(layout: Layout) -> None:
    # The marks go last but one: what is left of a deletion that was cut short is still known as ours. The lock goes last: without its
    # file, a start would make another one and hold that.
    last = (layout.marker, layout.unfinished_marker, layout.lock)
    for entry in layout.directory.iterdir():
        if entry not in last:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    for entry in last:
        entry.unlink(missing_ok=True)
    try:
        layout.directory.rmdir()
    except OSError as problem:
        # A start came between the last two lines and has begun anew, with nothing of ours.
        if problem.errno != errno.ENOTEMPTY:
            raise


def _agrees(directory: Path) -> bool:
    if not sys.stdin.isatty():
        raise StackError("Deleting all data needs a yes: run 'make reset YES=1'.")
    try:
        answer = input(f"Delete all files, accounts and secrets of BitVault in {directory}? [y/N] ")
    except EOFError:
        print()
        return False
    return answer.strip().lower() in {"y", "yes"}
