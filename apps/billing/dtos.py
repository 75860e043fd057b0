"""What billing's doors give."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quota:
    """Room of a scope, in bytes. Used is what all versions have, those in the trash included; reserved is promised to uploads under way."""

    scope: str
    plan: str
    limit_bytes: int
    used_bytes: int
    reserved_bytes: int
    available_bytes: int
