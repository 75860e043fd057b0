"""``make down`` and ``make reset``: ending what runs, and deleting what is kept."""

import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

from bitvault.stack.errors import StackError
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
    print("BitVault has stopped; the data are kept." if _end_everything(directory) else "BitVault was not running.")


def _end_everything(directory: Path) -> bool:
    lock = SupervisorLock(Layout(directory).lock)
    was_running = lock.is_held()
    if was_running:
        _end_holder(lock)
    left = end_leftovers(directory)
    if remaining := list_leftovers(directory):
        raise StackError(f"These processes would not end: {remaining}. End them by hand.")
    return was_running or left > 0


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
    """Delete everything that BitVault keeps, after asking.

    :raises StackError: nobody is there to ask, or the directory is not BitVault's.
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
    _end_everything(directory)
    # The marks go last: what is left of a deletion that was cut short is still known as ours.
    for entry in directory.iterdir():
        if entry not in {layout.marker, layout.unfinished_marker}:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()
    shutil.rmtree(directory)
    forget_copied_programs()
    print(f"{directory} has been deleted.")


def _agrees(directory: Path) -> bool:
    if not sys.stdin.isatty():
        raise StackError("Deleting all data needs a yes: run 'make reset YES=1'.")
    answer = input(f"Delete all files, accounts and secrets of BitVault in {directory}? [y/N] ")
    return answer.strip().lower() in {"y", "yes"}
