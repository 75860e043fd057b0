"""What requests about the audit log and features may say."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import msgspec

from apps.admin_platform.dtos import EXPORT_LIMIT, AuditFilter
from bitvault.kernel.pages import PAGE_DEFAULT, PAGE_LIMIT
from bitvault.web.derived import DerivedQuery
from bitvault.web.structs import Body

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class FilterAudit(DerivedQuery, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Which entries; all that is given holds together.

    ``type`` may name several with commas between, and ``files.*`` stands for all that begin so.
    """

    actor_id: UUID | None = None
    type: Annotated[str, msgspec.Meta(max_length=1000)] | None = None
    node_id: UUID | None = None
    address: Annotated[str, msgspec.Meta(max_length=45)] | None = None
    begin: Moment | None = None
    end: Moment | None = None

    @property
    def wanted(self) -> AuditFilter:
        """Say it as the door takes it."""
        return AuditFilter(
            actor_ids=None if self.actor_id is None else (self.actor_id,),
            types=None if self.type is None else self.type.split(","),
            node_id=self.node_id,
            address=self.address,
            begin=self.begin,
            end=self.end,
        )


class ListAudit(FilterAudit, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Which entries, and which page of them."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_LIMIT)] = PAGE_DEFAULT
    cursor: str | None = None


class VerifyAudit(DerivedQuery, frozen=True):
    """Which verification: of a job, or the last one."""

    job_id: UUID | None = None


class ExportAudit(FilterAudit, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """Which entries, and after which one."""

    after: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=EXPORT_LIMIT)] = EXPORT_LIMIT


class ExportAuditLines(ExportAudit, frozen=True, kw_only=True, rename={"begin": "from", "end": "to"}):
    """As JSON lines also with what was signed: each anchor stands after its entry."""

    anchors: bool = False


class ChooseFeature(Body, frozen=True):
    """The value for the vault; null leaves it to the operators."""

    value: (
        bool
        | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
        | Annotated[str, msgspec.Meta(max_length=1000)]
        | None
    )
