"""What the operating system knows of a process: CPU time, memory, bytes over TCP."""

import os
import re
import socket
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
_RSS = re.compile(r"^Rss:\s+(\d+) kB", re.MULTILINE)
_SOCKET = re.compile(r"socket:\[(\d+)\]")

# What a command line holds tells what a process is; the first match counts.
_KINDS = (
    ("front", ("caddy",)),
    ("web", ("granian",)),
    ("sockets", ("bitvault.gateway.sockets",)),
    ("sockets", ("uvicorn",)),
    ("worker", ("celery", "forkpoolworker")),
    ("worker", ("celery", "worker")),
    ("beat", ("celery", "beat")),
    ("PostgreSQL", ("postgres",)),
    ("Valkey", ("valkey",)),
    ("store", ("versitygw",)),
    ("store", ("weed",)),
    ("loaded code", ("bitvault.stack.preloaded",)),
    ("supervisor", ("bitvault.stack",)),
)


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of all processes of a kind. PSS shares out what several of them use together; RSS counts it for each."""

    count: int
    pss_bytes: int
    rss_bytes: int


def descendants(root: int) -> list[int]:
    """List a process and all below it."""
    children: dict[int, list[int]] = defaultdict(list)
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, IndexError):
                children[int(_stat(int(entry.name))[1])].append(int(entry.name))
    found = [root]
    for pid in found:
        found += children[pid]
    return found


def by_kind(root: int) -> dict[str, list[int]]:
    """Sort the processes below ``root`` by what they are."""
    kinds: dict[str, list[int]] = defaultdict(list)
    for pid in descendants(root):
        with suppress(OSError):
            kinds[_kind(pid)].append(pid)
    return kinds


def _kind(pid: int) -> str:
    command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").lower()
    return next((kind for kind, words in _KINDS if all(word in command for word in words)), "other")


def _stat(pid: int) -> list[str]:
    """Give the fields of ``/proc/<pid>/stat`` after the name, which may hold anything."""
    return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()


def cpu_seconds(pids: Iterable[int]) -> float:
    """Add up user and system time, that of children which have ended included."""
    total = 0
    for pid in pids:
        with suppress(OSError, IndexError):
            total += sum(int(value) for value in _stat(pid)[11:15])
    return total * TICK_SECONDS


def cpu_by_kind(root: int) -> dict[str, float]:
    """Add up the CPU time of the processes below ``root``, kind by kind."""
    return {kind: cpu_seconds(pids) for kind, pids in by_kind(root).items()}


def memory_by_kind(root: int) -> dict[str, Memory]:
    """Read the memory of the processes below ``root``."""
    found = {}
    for kind, pids in by_kind(root).items():
        pss = rss = 0
        for pid in pids:
            with suppress(OSError):
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
                pss += _figure(_PSS, text)
                rss += _figure(_RSS, text)
        found[kind] = Memory(len(pids), pss * 1024, rss * 1024)
    return found


def _figure(pattern: re.Pattern[str], text: str) -> int:
    match = pattern.search(text)
    return int(match[1]) if match else 0


# --- bytes over TCP --------------------------------------------------------------------------------------------------------

_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST_DUMP = 0x301
_NLMSG_DONE = 3
_NLMSG_ERROR = 2
_INET_DIAG_INFO = 2
_ALL_STATES = 0xFFFFFFFF
_DIAG_MESSAGE_BYTES = 72
_INODE_AT = 68
# struct tcp_info of linux/tcp.h: tcpi_bytes_acked and tcpi_bytes_received, both 64 bits.
_TCP_INFO_BYTES_AT = 120


def tcp_bytes(pids: Iterable[int]) -> int:
    """Add up the bytes that the open TCP connections of some processes have sent and received, as the kernel counts them."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    return sum(count for inode, count in _tcp_sockets() if inode in inodes)


def _socket_inodes(pid: int) -> Iterator[int]:
    with suppress(OSError):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                match = _SOCKET.match(str(descriptor.readlink()))
                if match:
                    yield int(match[1])


def _tcp_sockets() -> Iterator[tuple[int, int]]:
    """Ask the kernel for all TCP sockets (sock_diag(7)): inode, and bytes in both directions."""
    for family in (socket.AF_INET, socket.AF_INET6):
        asked = struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, 1 << (_INET_DIAG_INFO - 1), _ALL_STATES)
        header = struct.pack("=IHHII", 16 + len(asked), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST_DUMP, 1, 0)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 4) as kernel:
            kernel.send(header + asked)
            done = False
            while not done:
                data = kernel.recv(1 << 16)
                while data:
                    length, kind = struct.unpack_from("=IH", data)
                    if kind in {_NLMSG_DONE, _NLMSG_ERROR}:
                        done = True
                        break
                    yield _socket_of(data[16:length])
                    data = data[(length + 3) & ~3 :]


def _socket_of(message: bytes) -> tuple[int, int]:
    (inode,) = struct.unpack_from("=I", message, _INODE_AT)
    attributes = message[_DIAG_MESSAGE_BYTES:]
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind == _INET_DIAG_INFO and length >= 4 + _TCP_INFO_BYTES_AT + 16:
            return inode, sum(struct.unpack_from("=QQ", attributes, 4 + _TCP_INFO_BYTES_AT))
        attributes = attributes[max(4, (length + 3) & ~3) :]
    return inode, 0
