"""What a process that reads strangers' files gives up before it begins: memory, time, files, the network and other programs.

Layers, each of which holds alone: limits of resources always; a network namespace of its own, Landlock (files can only be read, and only
those of the interpreter) and seccomp (no sockets, no programs) where the kernel grants them. It is called before any library is imported
that may start a thread, since threads that run already would keep what they have.

Sources: man pages setrlimit(2), unshare(2), landlock(7), seccomp(2), prctl(2).

``serve`` is the main function of such a program; ``confined`` runs one. Only the standard library is imported here.
"""

import ctypes
import json
import os
import platform
import resource
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Any, BinaryIO

MEMORY_BYTES = 1024**3
CPU_SECONDS = 15
OPEN_FILES = 64

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000
_O_PATH = 0o10000000

# The same on every architecture.
_LANDLOCK_CREATE_RULESET, _LANDLOCK_ADD_RULE, _LANDLOCK_RESTRICT_SELF = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_HANDLED = (1 << 13) - 1
"""All rights over files of Landlock's first version: run, write, read, list, remove, make."""

# A pair of sockets (53, 199) is left: it leads nowhere, and the runtime of kreuzberg talks to itself by one.
# socket, connect, bind, execve, execveat, ptrace, process_vm_readv, process_vm_writev, unshare, setns, mount, bpf, keyctl,
# io_uring_setup, userfaultfd, pidfd_getfd, open_by_handle_at
_CALLS = {
    "x86_64": (
        0xC000003E,
        (41, 42, 49, 59, 322, 101, 310, 311, 272, 308, 165, 321, 250, 425, 323, 438, 304),
    ),
    "aarch64": (
        0xC00000B7,
        (198, 203, 200, 221, 281, 117, 270, 271, 97, 268, 40, 280, 219, 425, 282, 438, 265),
    ),
}
_LOAD_WORD, _JUMP_EQUAL, _JUMP_AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000
_X32 = 0x40000000


class Refused(Exception):
    """The file gives nothing of what was asked for; the message is the reason."""


def confine() -> list[str]:
    """Give everything up that reading a file does not need; returns the layers that hold."""
    for what, limit in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    held = ["limits"]
    if sys.platform != "linux":
        return held
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    layers = (
        ("namespace", lambda: libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0),
        ("landlock", lambda: _apply_landlock(libc)),
        ("seccomp", lambda: _apply_seccomp(libc)),
    )
    return held + [name for name, apply in layers if apply()]


def _apply_landlock(libc: ctypes.CDLL) -> bool:
    handled = struct.pack("Q", _HANDLED)
    ruleset = libc.syscall(_LANDLOCK_CREATE_RULESET, handled, ctypes.c_size_t(len(handled)), 0)
    if ruleset < 0:
        return False
    readable = {os.path.realpath(one) for one in ("/usr", "/lib", "/lib64", sys.prefix, sys.base_prefix)}
    for path in readable:
        if not os.path.isdir(path):  # noqa: PTH112 - pathlib is not imported here
            continue
        directory = os.open(path, _O_PATH | os.O_CLOEXEC)
        rule = struct.pack("=Qi", _READ_FILE | _READ_DIR, directory)
        libc.syscall(_LANDLOCK_ADD_RULE, ruleset, 1, rule, 0)
        os.close(directory)
    done = int(libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)) == 0
    os.close(ruleset)
    return done


def _apply_seccomp(libc: ctypes.CDLL) -> bool:
    if platform.machine() not in _CALLS:
        return False
    architecture, refused = _CALLS[platform.machine()]
    steps = [
        (_LOAD_WORD, 0, 0, 4),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD_WORD, 0, 0, 0),
        (_JUMP_AT_LEAST, 0, 1, _X32),
        (_RETURN, 0, 0, _KILL),
    ]
    for number in refused:
        steps += [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _REFUSE)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(code)))
    return int(libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, program, 0, 0)) == 0


def require_confinement(layers: Sequence[str]) -> None:
    """Refuse to read anything where limits of resources are all that holds.

    :raises Refused: the kernel grants nothing else.
    """
    if len(layers) <= 1:
        raise Refused("unconfined")


def serve(
    layers: Sequence[str], carry_out: Callable[[dict[str, Any], BinaryIO], tuple[dict[str, Any], Sequence[bytes]]]
) -> None:
    """Carry out the task of the command line (JSON) on the file that is the standard input, and write what came of it.

    On standard output: a line of JSON (``{facts, sizes}`` or ``{refused: reason}``, and ``layers``), then the bodies one after another.
    """
    told: dict[str, Any]
    bodies: Sequence[bytes] = ()
    try:
        require_confinement(layers)
        facts, bodies = carry_out(json.loads(sys.argv[1]), sys.stdin.buffer)
        told = {"facts": facts, "sizes": [len(body) for body in bodies]}
    except Refused as refusal:
        told = {"refused": str(refusal)}
    except MemoryError:
        told = {"refused": "too_complex"}
    except Exception as error:  # noqa: BLE001 - whatever a library says of a stranger's file
        bomb = type(error).__name__ in ("DecompressionBombError", "DecompressionBombWarning")
        told = {"refused": "too_large" if bomb else "damaged", "error": type(error).__name__}
    out = sys.stdout.buffer
    out.write(json.dumps({**told, "layers": list(layers)}).encode() + b"\n")
    for body in bodies:
        out.write(body)
    out.flush()
