"""What identity's doors give of host names that tenants bring themselves."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

DomainStateName = Literal["pending", "proved", "lost"]
DomainProblem = Literal["record_missing", "record_differs", "no_answer", "taken"]


@dataclass(frozen=True, slots=True)
class OwnDomain:
    """A host name of the tenant's own, and the TXT record that proves it. ``proved``: it leads here.

    ``lost``: it did, until its record had been away for a week. ``problem`` is what was amiss at the last look; ``failing_since`` tells
    since when the record of a proved one is away.
    """

    id: UUID
    domain: str
    state: DomainStateName
    record_name: str
    record_value: str
    is_primary: bool
    problem: DomainProblem | None
    created_at: datetime
    checked_at: datetime | None
    proved_at: datetime | None
    failing_since: datetime | None
    leads_until: datetime | None
    """Until when the name leads here if its record stays away."""
