"""What people have marked nodes with, for answers of modules that stand below the one that keeps the marks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from bitvault.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Label:
    """A tag of the tenant."""

    id: UUID
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What a node is marked with: its tags by name, and whether it is a favourite of the reader."""

    tags: Sequence[Label]
    favourite: bool


Finder = Callable[[Actor, Collection[UUID]], Mapping[UUID, Marks]]
"""Finds the marks of nodes that the actor may see; those without any are left out. Not called within a transaction."""


@cache
def finder() -> Finder:
    """Give the finder that the settings name."""
    return cast("Finder", import_string(settings.BITVAULT_MARKS_FINDER))
