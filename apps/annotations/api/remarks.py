"""The doors of comments and descriptions together, for a derivation of them: no rights."""

from collections.abc import Collection, Mapping
from uuid import UUID

from apps.annotations import dtos
from apps.annotations.queries import remarks
from bitvault.kernel.boundary import exposed
from bitvault.kernel.pages import PAGE_LIMIT


@exposed
def find_texts(*, remark_ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Find what comments say now, by their ids, and descriptions, by their folders' ids; what is gone is left out. Two statements."""
    return remarks.find_texts(remark_ids)


@exposed
def list_comment_rows(*, after: UUID | None = None, limit: int = PAGE_LIMIT) -> dtos.Remarks:
    """Read the comments of the entered tenant in the order of their ids, for a derivation; pages as of ``list_tagged_rows``."""
    return remarks.list_comment_rows(after=after, limit=limit)


@exposed
def list_description_rows(*, after: UUID | None = None, limit: int = PAGE_LIMIT) -> dtos.Remarks:
    """Read the descriptions of the entered tenant in the order of their folders' ids, as ``list_comment_rows`` does."""
    return remarks.list_description_rows(after=after, limit=limit)
