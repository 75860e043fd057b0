"""Pictures that somebody waits for: small ones, drawn by the same confined program, by a few of this process's threads at once."""

import tempfile
from typing import BinaryIO, cast

from apps.previews import flags, running
from apps.previews.errors import PictureUnfit
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import Unavailable

SECONDS = 12.0
"""How long one may take: a photo of fifty megapixels takes one to two seconds of a processor, which others may want as well."""

DRAWING = Dependency("drawing", share=2, queue_seconds=3.0, queue_length=6)


def draw(task: running.Task, body: bytes) -> list[bytes]:
    """Draw what a task says of a picture; returns what was drawn, in the task's order.

    :raises PictureUnfit: it is none, or too large.
    :raises Overloaded: too many are drawn at this moment.
    :raises Unavailable: pictures are switched off.
    :raises Unconfined: the kernel grants no confinement.
    """
    if "image" not in flags.find_drawn():
        raise Unavailable("Pictures are not drawn at the moment.")
    with DRAWING.held(), tempfile.TemporaryFile() as opened:
        file = cast("BinaryIO", opened)
        file.write(body)
        file.flush()
        file.seek(0)
        drawn = running.run(task, file, seconds=SECONDS)
    if drawn.refused:
        raise PictureUnfit(reason=drawn.refused)
    return [body for *_, body in drawn.objects]
