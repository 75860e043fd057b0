"""What requests about the audit log may say."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from apps.admin_platform.dtos import EXPORT_LIMIT
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.derived import DerivedQuery


class ListAudit(DerivedQuery, frozen=True, rename={"begin": "from", "end": "to"}):
    """Which entries."""

    actor_id: UUID | None = None
    type: str | None = None
    node_id: UUID | None = None
    begin: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    end: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)] = PAGE_DEFAULT
    cursor: str | None = None


class VerifyAudit(DerivedQuery, frozen=True):
    """Which verification: of a job, or the last one."""

    job_id: UUID | None = None


class ExportAudit(DerivedQuery, frozen=True):
    """From which entry on."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=EXPORT_LIMIT)] = EXPORT_LIMIT
