"""What happens to host names of tenants. Producer: ``apps/identity``."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainAdded(Event):
    """Administrators have named a host name of the tenant's own, which leads nowhere yet."""

    type: ClassVar[str] = "identity.domain.added.v1"

    domain_id: UUID
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainProved(Event):
    """The record of a host name was found: it leads to the tenant from here on."""

    type: ClassVar[str] = "identity.domain.proved.v1"

    domain_id: UUID
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRecordMissed(Event):
    """The record of a host name was away at two looks in a row; it leads to the tenant until ``leads_until`` unless the record is back."""

    type: ClassVar[str] = "identity.domain.record_missed.v1"

    domain_id: UUID
    domain: str
    leads_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRecordFound(Event):
    """A record that administrators were told was away is back."""

    type: ClassVar[str] = "identity.domain.record_found.v1"

    domain_id: UUID
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainLost(Event):
    """The record of a host name was away for too long: it leads to the tenant no more."""

    type: ClassVar[str] = "identity.domain.lost.v1"

    domain_id: UUID
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainRemoved(Event):
    """A host name is the tenant's no more."""

    type: ClassVar[str] = "identity.domain.removed.v1"

    domain_id: UUID
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrimaryDomainChosen(Event):
    """Mails name this host name from here on."""

    type: ClassVar[str] = "identity.domain.primary_chosen.v1"

    domain: str
