"""Memory of a program that loads code for others: what it has freed goes back, and what its forks write to stands apart from it."""

import ctypes
import gc
import sys
from collections.abc import Callable

# CPython keeps objects of up to 512 bytes in pools, one pool for each multiple of 16 (Objects/obmalloc.c).
LARGEST_BYTES, STEP_BYTES = 512, 16
BYTES_BYTES = sys.getsizeof(b"")

# So many neighbours in a row come from a pool that was untouched; a hole that long is found sooner or later, and costs a page then.
NEIGHBOURS = 16
MOST_OBJECTS = 100_000

_filling: list[object] = []
"""What stands in the holes, a MiB, for as long as the process forks."""


def give_back() -> None:
    """Give the system what importing and starting have used for a moment; a C library that cannot do so (musl) keeps it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def fill_holes() -> None:
    """Fill the free places between the objects that a fork shares, and empty the interpreter's cache of attributes.

    What a fork makes would go into these places, and each is in a page that would be its own from then on; the cache counts references to
    names all over. Together they cost each fork 6 MiB.
    """
    sys._clear_type_cache()  # noqa: SLF001 - documented, named as it is by Python
    for size in range(STEP_BYTES, LARGEST_BYTES + 1, STEP_BYTES):
        _fill(size)


def _fill(size: int) -> None:
    """Make objects of a size until they come from untouched memory."""
    make = _maker(size)
    in_a_row, last = 0, 0
    for _ in range(MOST_OBJECTS):
        made = make()
        _filling.append(made)
        in_a_row = in_a_row + 1 if id(made) == last + size else 0
        last = id(made)
        if in_a_row == NEIGHBOURS:
            return


def _maker(size: int) -> Callable[[], object]:
    if size == STEP_BYTES:
        return object
    if size <= BYTES_BYTES:
        # A float takes 24 bytes.
        return lambda: float(size)
    return lambda: bytes(size - BYTES_BYTES)
