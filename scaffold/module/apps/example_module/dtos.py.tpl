"""What the doors of the module give."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CommittedVersion:
    """A version that somebody has committed."""

    version_id: UUID
    node_id: UUID
    committed_at: datetime
