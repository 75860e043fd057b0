"""Running the program that draws: its deadline, how much of its answer is read, and what its end means."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import msgspec
import structlog

from apps.previews.errors import Unconfined

SECONDS = 30.0
"""How long it may take, waiting included; of the processor it gets half of that."""

ANSWER_LIMIT_BYTES = 16 * 1024**2
"""How much of an answer is read: three pictures of two megapixels have two."""

ROOT = Path(__file__).resolve().parents[2]
"""Where the program is found."""

_CHUNK = 64 * 1024

logger = structlog.get_logger(__name__)


class Task(msgspec.Struct, frozen=True):
    """What is to be drawn; ``drawing`` tells what the fields mean."""

    kind: str
    part: str
    edges: Mapping[str, int] = {}
    page: int = 1


class Told(msgspec.Struct, frozen=True):
    """The first line of its answer."""

    layers: list[str]
    objects: list[tuple[str, str, int]] = []
    page_count: int | None = None
    refused: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of it: objects as (name, media type, bytes), or a reason why there are none."""

    objects: list[tuple[str, str, bytes]]
    page_count: int | None = None
    refused: str = ""


def run(task: Task, file: BinaryIO) -> Drawn:
    """Run the program on a file (a real one, at its beginning) and read what it says.

    Whatever is wrong with the file, or with the program because of it, is a reason; only what is wrong with this machine raises.

    :raises Unconfined: the kernel grants no confinement.
    """
    child = subprocess.Popen(
        [sys.executable, "-E", "-s", "-B", "-m", "apps.previews.drawing", msgspec.json.encode(task).decode()],
        stdin=file,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "LANG": "C.UTF-8", "OMP_NUM_THREADS": "1"},
        start_new_session=True,
    )
    answer = code = None
    try:
        answer = _read(child, deadline=time.monotonic() + SECONDS)
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
        logger.warning("preview_process_ended", code=code, kind=task.kind)
        return Drawn([], refused="too_complex")
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


def _parse(answer: bytes) -> Drawn:
    head, _, rest = answer.partition(b"\n")
    try:
        told = msgspec.json.decode(head, type=Told)
    except msgspec.DecodeError:
        return Drawn([], refused="too_complex")
    if told.refused == "unconfined":
        raise Unconfined
    if told.refused:
        logger.info("preview_refused", reason=told.refused, error=told.error)
        return Drawn([], refused=told.refused)
    objects, at = [], 0
    for name, media_type, size in told.objects:
        objects.append((name, media_type, rest[at : at + size]))
        at += size
    if at != len(rest) or not objects:
        return Drawn([], refused="too_complex")
    return Drawn(objects, page_count=told.page_count)
