"""What a plan limits besides room, for pages and answers of the module that knows the plan alone; the gateway counts."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from bitvault.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Seat:
    """How many there are, how many are invited and may still come, and how many there may be; null: as many as come."""

    used_count: int
    invited_count: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Seats:
    """What the tenant of the reader has. ``links`` have not ended, and lead to files or take them."""

    members: Seat
    guests: Seat
    links: Seat


Counter = Callable[[Actor], Seats]
"""Counts them in the actor's tenant. Not called within a transaction."""


@cache
def counter() -> Counter:
    """Give the counter that the settings name."""
    return cast("Counter", import_string(settings.BITVAULT_SEAT_COUNTER))
