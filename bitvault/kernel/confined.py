"""Running a program that reads a stranger's file and has given everything up: its deadline, how much of its answer is read, its end."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import structlog

from bitvault.kernel.errors import Unavailable

SECONDS = 30.0
"""How long it may take, waiting included; of the processor it gets half of that."""

ANSWER_LIMIT_BYTES = 16 * 1024**2
"""How much of an answer is read: three pictures of two megapixels have two, a million characters at most four."""

ROOT = Path(__file__).resolve().parents[2]
"""Where the programs are found."""

SLICE_BYTES = 8 * 1024**2
"""How much of a file is in memory at a time."""

_CHUNK = 64 * 1024

logger = structlog.get_logger(__name__)


class Unconfined(Unavailable):
    """The kernel lets no process give anything up, so no stranger's file is read on this machine."""

    code = "platform.unconfined"
    title = "Strangers' files cannot be read safely here"


class _Told(msgspec.Struct, frozen=True):
    """The first line of an answer."""

    layers: list[str]
    facts: dict[str, Any] = {}
    sizes: list[int] = []
    refused: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: facts and bodies, or a reason why there are none."""

    facts: dict[str, Any] = field(default_factory=dict)
    bodies: list[bytes] = field(default_factory=list)
    refused: str = ""


def fill(file: BinaryIO, *, limit_bytes: int, read: Callable[[int, int], bytes]) -> None:
    """Bring the beginning of something onto the disk, slice by slice, and go back to the file's beginning.

    :param read: gives the bytes from one on, fewer than are asked for where it ends.
    """
    while (at := file.tell()) < limit_bytes:
        wanted = min(SLICE_BYTES, limit_bytes - at)
        got = read(at, wanted)
        file.write(got)
        if len(got) < wanted:
            break
    file.flush()
    file.seek(0)


def run(program: str, task: msgspec.Struct, file: BinaryIO, *, seconds: float | None = None) -> Answer:
    """Run a module whose main function is ``confinement.serve`` on a file (a real one, at its beginning); returns what it answers.

    Whatever is wrong with the file, or with the program because of it, is a reason (``too_complex`` where the program died or went on for
    too long); only what is wrong with this machine raises.

    :param seconds: how long it may take, where ``SECONDS`` is too long.
    :raises Unconfined: the kernel grants no confinement.
    """
    child = subprocess.Popen(
        [sys.executable, "-E", "-s", "-B", "-m", program, msgspec.json.encode(task).decode()],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    answer = code = None
    try:
        answer = _read(child, deadline=time.monotonic() + (SECONDS if seconds is None else seconds))
        if answer is not None:
            code = child.wait(timeout=1.0)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    if answer is None or code != 0:
        logger.warning("confined_process_ended", code=code, program=program)
        return Answer(refused="too_complex")
    return _parse(answer)


def _read(child: "subprocess.Popen[bytes]", *, deadline: float) -> bytes | None:
    """Read the whole answer; ``None`` when it takes too long or is too long."""
    if child.stdout is None:
        return None
    read = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(left):
                return None
            chunk = os.read(child.stdout.fileno(), _CHUNK)
            if not chunk:
                return bytes(read)
            read += chunk
            if len(read) > ANSWER_LIMIT_BYTES:
                return None
    return None


def _parse(answer: bytes) -> Answer:
    head, _, rest = answer.partition(b"\n")
    try:
        told = msgspec.json.decode(head, type=_Told)
    except msgspec.DecodeError:
        return Answer(refused="too_complex")
    if told.refused == "unconfined":
        raise Unconfined
    if told.refused:
        logger.info("confined_process_refused", reason=told.refused, error=told.error)
        return Answer(refused=told.refused)
    bodies, at = [], 0
    for size in told.sizes:
        bodies.append(rest[at : at + size])
        at += size
    if at != len(rest):
        return Answer(refused="too_complex")
    return Answer(told.facts, bodies)
