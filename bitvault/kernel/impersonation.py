"""An operator who looks at a tenant as one of its members: who they are, how long it lasts, and what it is refused with."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bitvault.kernel.errors import Forbidden


@dataclass(frozen=True, slots=True)
class Impersonation:
    """Who acts behind the member whose rights are looked at with."""

    id: UUID
    operator_id: UUID
    operator_name: str
    ends_at: datetime
    may_open: bool = False
    """Whether contents of files may be read, besides their names."""


class ImpersonationReadOnly(Forbidden):
    """An operator looks at a tenant as one of its members, and changes nothing there."""

    code = "identity.impersonation_read_only"
    title = "Support looks at this vault and changes nothing"


class ImpersonationClosed(Forbidden):
    """What is asked for is kept from operators who look at a tenant: credentials, settings of sign-in, contents of files."""

    code = "identity.impersonation_closed"
    title = "This is not open to support"
