"""Running the program that draws, and reading what it made."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

import msgspec

from bitvault.kernel import confined

PROGRAM = "apps.previews.drawing"


class Task(msgspec.Struct, frozen=True):
    """What is to be drawn; ``drawing`` tells what the fields mean."""

    kind: str
    part: str
    edges: Mapping[str, int] = {}
    page: int = 1
    is_square: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of it: objects as (name, media type, bytes), or a reason why there are none."""

    objects: list[tuple[str, str, bytes]]
    page_count: int | None = None
    refused: str = ""


def run(task: Task, file: BinaryIO, *, seconds: float | None = None) -> Drawn:
    """Run the program on a file (a real one, at its beginning) and read what it says.

    :param seconds: how long it may take, where the usual time is too long.

    Whatever is wrong with the file, or with the program because of it, is a reason; only what is wrong with this machine raises.

    :raises Unconfined: the kernel grants no confinement.
    """
    answer = confined.run(PROGRAM, task, file, seconds=seconds)
    if answer.refused:
        return Drawn([], refused=answer.refused)
    named = answer.facts.get("objects", [])
    if not named or len(named) != len(answer.bodies):
        return Drawn([], refused="too_complex")
    objects = [(name, media_type, body) for (name, media_type), body in zip(named, answer.bodies, strict=True)]
    return Drawn(objects, page_count=answer.facts.get("page_count"))
