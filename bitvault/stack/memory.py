"""What a program has freed, and its C library keeps for it."""

import ctypes
import gc


def give_back() -> None:
    """Give the system what importing and starting have used for a moment; a C library that cannot do so (musl) keeps it."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
