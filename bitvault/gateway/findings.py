"""What a check of the installation finds: the doctor's words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from django.conf import settings

Level = Literal["good", "warning", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    level: Level
    fact: str
    mend: str = ""
    """How to put it right; empty where nothing is wrong."""


Check = Callable[[], Sequence[Finding]]


def is_local() -> bool:
    """Tell whether the installation is for this machine alone: then what others need is no fault."""
    return f".{settings.BITVAULT_BASE_HOST}".endswith(".localhost")
