"""What requests about the audit log and features may say."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from apps.admin_platform.dtos import EXPORT_LIMIT, AuditFilter, SiemWish
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


SiemUrl = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
SiemSecret = Annotated[str, msgspec.Meta(max_length=2000, pattern="^[!-~]*$")]
SiemDescription = Annotated[str, msgspec.Meta(max_length=200)]
EntryNumber = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]


class CreateSiemExport(Body, frozen=True):
    """Where to: `https://host/path`, `syslog+tls://host:6514`, or `syslog+tcp://host:514` in a network that operators have named.

    `secret` is sent to HTTPS collectors as `Authorization: Bearer`. Without `from_number` entries are sent from now on.
    """

    url: SiemUrl
    secret: SiemSecret = ""
    description: SiemDescription = ""
    from_number: EntryNumber | None = None

    def to_wish(self) -> SiemWish:
        """Give it as the door takes it."""
        return SiemWish(**msgspec.structs.asdict(self))


class ChangeSiemExport(Body, frozen=True):
    """What is to be different; an empty `secret` takes it away, `enabled` pauses the export or lets it go on."""

    url: SiemUrl | msgspec.UnsetType = msgspec.UNSET
    secret: SiemSecret | msgspec.UnsetType = msgspec.UNSET
    description: SiemDescription | msgspec.UnsetType = msgspec.UNSET
    enabled: bool | msgspec.UnsetType = msgspec.UNSET

    def to_changes(self) -> dict[str, Any]:
        """Give what is named."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if value is not msgspec.UNSET}


class RestartSiemExport(Body, frozen=True):
    """From which entry on."""

    from_number: EntryNumber


class ChooseFeature(Body, frozen=True):
    """The value for the vault; null leaves it to the operators."""

    value: (
        bool
        | Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
        | Annotated[str, msgspec.Meta(max_length=1000)]
        | None
    )
