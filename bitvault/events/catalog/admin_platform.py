"""What administrators decide of the platform. Producer: ``apps/admin_platform``."""

from dataclasses import dataclass
from typing import ClassVar

from bitvault.events.message import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureChosen(Event):
    """The vault has chosen the value of a feature, or takes the operators' again. Values are told as JSON; ``None``: no choice."""

    type: ClassVar[str] = "admin_platform.feature.chosen.v1"

    key: str
    value: str | None
    previous_value: str | None
