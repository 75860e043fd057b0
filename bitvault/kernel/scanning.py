"""What a tenant wants of content that a scanner for malware has not called clean: one rule, asked wherever bytes are read.

Scanning keeps the rule, Storage obeys it; neither has to know the other to do so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from bitvault.kernel import tenancy
from bitvault.kernel.remembered import Remembered

Mode = Literal["off", "scan", "require"]
"""``scan``: what comes is scanned and can be read meanwhile; ``require``: nothing can be read before it was scanned."""

Unscanned = Literal["allow", "block"]
"""What becomes of content that cannot be scanned: the scanner is down, or the file is too large for it."""

State = Literal["scanning", "clean", "infected", "unscanned", "released"]
"""How it stands with a content. ``released``: found infected, and let through by an administrator."""


@dataclass(frozen=True, slots=True)
class ScanRule:
    """How a tenant has its content scanned."""

    mode: Mode = "off"
    unscanned: Unscanned = "allow"

    @property
    def first_state(self) -> State:
        """In which state content is that has just come."""
        return "unscanned" if self.mode == "off" else "scanning"

    @property
    def withheld(self) -> tuple[State, ...]:
        """States in which content is not read. What was found infected is kept from everybody, even after scanning was switched off."""
        if self.mode != "require":
            return ("infected",)
        return ("infected", "scanning", *(("unscanned",) if self.unscanned == "block" else ()))


_remembered: Remembered[UUID, ScanRule] = Remembered()


def current() -> ScanRule:
    """Give the rule of the entered tenant, at most 0.8 s old; within a transaction or outside of one."""
    rule = _remembered.get(tenancy.current().id, _finder())
    assert rule is not None  # noqa: S101 - for the type: a tenant without a rule of its own has the default
    return rule


def forget() -> None:
    """Ask anew: the rule was changed in this process."""
    _remembered.forget()


@cache
def _finder() -> Callable[[], ScanRule]:
    found: Callable[[], ScanRule] = import_string(settings.BITVAULT_SCAN_RULE_FINDER)
    return found
