"""What a process does with its memory before it forks."""

import os
import re
from pathlib import Path

from bitvault.stack.memory import fill_holes

COUNT, SIZE = 100_000, 64


def own_kibibytes():
    return int(re.search(r"Private_Dirty:\s+(\d+)", Path("/proc/self/smaps_rollup").read_text())[1])


def cost_of_objects_in_a_fork():
    """Fork, make objects there, and say by how many KiB they let the fork's own memory grow."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        before = own_kibibytes()
        made = [bytes(SIZE) for _ in range(COUNT // 10)]
        os.write(writing, f"{own_kibibytes() - before} {len(made)}".encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return int(pipe.read().split()[0])


def in_a_process_of_its_own(function):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(function()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        return int(pipe.read())


def test_what_a_fork_makes_stands_apart_from_what_it_shares():
    def measured(*, is_filled):
        kept = [bytes(SIZE) for _ in range(COUNT)]
        # One place in ten is free, in each page.
        del kept[::10]
        if is_filled:
            fill_holes()
        return cost_of_objects_in_a_fork()

    scattered = in_a_process_of_its_own(lambda: measured(is_filled=False))
    apart = in_a_process_of_its_own(lambda: measured(is_filled=True))
    assert apart < scattered / 3, (apart, scattered)
