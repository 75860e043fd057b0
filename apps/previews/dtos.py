"""What passes through the door of previews."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

PAGE_LIMIT = 500
"""Pages of a document that can be looked at one by one."""

Size = Literal["small", "medium", "large"]
State = Literal["ready", "making", "none"]
Reason = Literal["type", "too_large", "too_complex", "damaged", "encrypted", "no_such_page", "failed", "infected"]
"""Why there is no preview: of its type there is none, it is larger than what is looked at, it would take too much to make, it cannot be
read, it needs a password, it has no such page, making it has failed, or malware was found in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A preview of a file: ``url`` once it is ``ready``, good until ``expires_at``; ``reason`` where there is none.

    ``page_count`` is that of a document, once its first page was drawn.
    """

    node_id: UUID
    version_id: UUID
    state: State
    url: str | None = None
    expires_at: datetime | None = None
    reason: Reason | None = None
    page_count: int | None = None


@dataclass(frozen=True, slots=True)
class Previews:
    """Previews of some files. Nodes that are no files, or that the caller may not see, are left out."""

    items: list[Preview]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A preview with a text all over it, as WebP; no ``body`` while the preview is being made."""

    body: bytes | None
    page_count: int | None


@dataclass(frozen=True, slots=True)
class Making:
    """The preview is being made: ask again."""

    state: Literal["making"] = "making"
