"""What administrators decide of the platform. Producer: ``apps/admin_platform``."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureChosen(Event):
    """The vault has chosen the value of a feature, or takes the operators' again. Values are told as JSON; ``None``: no choice."""

    type: ClassVar[str] = "admin_platform.feature.chosen.v1"

    key: str
    value: str | None
    previous_value: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemExportCreated(Event):
    """The audit log is sent to an address from now on. No event holds an address or a secret."""

    type: ClassVar[str] = "admin_platform.siem_export.created.v1"

    export_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemExportChanged(Event):
    """A SIEM export has another address or secret, was paused, or goes on; ``is_enabled`` says how it is now."""

    type: ClassVar[str] = "admin_platform.siem_export.changed.v1"

    export_id: UUID
    is_enabled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemExportRestarted(Event):
    """The audit log is sent again from an entry on."""

    type: ClassVar[str] = "admin_platform.siem_export.restarted.v1"

    export_id: UUID
    from_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemExportDeleted(Event):
    """The audit log is not sent there any more."""

    type: ClassVar[str] = "admin_platform.siem_export.deleted.v1"

    export_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemExportFailing(Event):
    """A SIEM export has failed for half an hour, or seven times in a row; it is tried on. ``status``: of an HTTPS collector."""

    type: ClassVar[str] = "admin_platform.siem_export.failing.v1"

    export_id: UUID
    failure: str
    status: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiemExportRecovered(Event):
    """A SIEM export works again that had been told of as failing."""

    type: ClassVar[str] = "admin_platform.siem_export.recovered.v1"

    export_id: UUID
