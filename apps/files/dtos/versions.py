"""What Files tells of the versions of a file."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Author:
    """Who made something: a member, or somebody who holds a link, by the id of that.

    The name is empty for somebody who is no member any more, and for a link that has none. A link's is what the sender called themselves,
    else the link's own.
    """

    id: UUID
    name: str
    kind: Literal["person", "link"] = "person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One content that a file has or had.

    ``made_on`` is the device that sent it, ``web`` or ``API``, empty where nobody wrote it down. ``restored_from_id`` names the version
    whose content this one brought back.
    """

    id: UUID
    node_id: UUID
    is_current: bool
    size_bytes: int
    media_type: str
    content_hash: str
    created_at: datetime
    client_modified_at: datetime | None
    author: Author
    made_on: str
    label: str
    pinned: bool
    restored_from_id: UUID | None
