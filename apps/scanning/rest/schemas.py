"""What requests about scanning may say."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from bitvault.kernel.scanning import Mode, Unscanned
from bitvault.web.structs import Body, Query


class ChangeRule(Body, frozen=True):
    """What is to be other; what is left out stays."""

    mode: Mode | None = None
    unscanned: Unscanned | None = None


class Release(Body, frozen=True):
    """Why it is released."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class WhichScan(Query, frozen=True):
    """Of which version of the file; without it of the current one."""

    version_id: UUID | None = None


class WhichScans(Query, frozen=True):
    """Of which files: ids, parted by commas."""

    node_ids: str
