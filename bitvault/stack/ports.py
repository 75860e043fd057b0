"""Ports on loopback: free ones for the stack, and a plain answer when one is taken."""

import socket
from collections.abc import Collection, Iterable
from pathlib import Path
from random import SystemRandom

LOOPBACK = "127.0.0.1"

# Ports above the ephemeral range's start are lent by the kernel to outgoing connections, and a store that meets one
# dies with "address already in use". Below 20000 the ports of well-known servers are dense.
LOWEST_PORT = 20_000
DEFAULT_EPHEMERAL_START = 32_768
EPHEMERAL_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free_ports(names: Iterable[str], *, avoid: Collection[int] = ()) -> dict[str, int]:
    """Choose a free port below the ephemeral range for each name."""
    wanted = list(names)
    candidates = list(range(LOWEST_PORT, ephemeral_start()))
    SystemRandom().shuffle(candidates)
    free = (port for port in candidates if port not in avoid and is_free(port))
    return {name: next(free) for name in wanted}


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the loopback port now (a connection in TIME_WAIT does not hold it)."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def ephemeral_start() -> int:
    """Read where the kernel's range for outgoing connections begins; a range that leaves too little room is ignored."""
    try:
        start = int(EPHEMERAL_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return DEFAULT_EPHEMERAL_START
    return start if start > LOWEST_PORT + 1_000 else DEFAULT_EPHEMERAL_START
