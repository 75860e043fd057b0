"""What somebody may do with a node: a set of capabilities, a bit mask inside and names outside. Roles are named sets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntFlag
from functools import cache
from typing import Literal
from uuid import UUID

from bitvault.kernel import clock

CapabilityName = Literal["view", "download", "comment", "add", "edit", "share", "manage"]
RoleName = Literal["previewer", "viewer", "commenter", "uploader", "contributor", "editor", "manager"]


class Capability(IntFlag):
    """One thing that somebody may do with a node and all below it. The bits are stored: they never change their meaning."""

    VIEW = 1
    DOWNLOAD = 2
    COMMENT = 4
    ADD = 8
    EDIT = 16
    SHARE = 32
    MANAGE = 64


NOTHING = 0
EVERYTHING = sum(Capability)
READING = int(Capability.VIEW | Capability.DOWNLOAD)
"""What is left to a tenant's ``viewer`` and to a token that may not write."""

LOOKING = int(Capability.VIEW)
"""What is left to an operator who looks at a tenant as one of its members: names, and no bytes."""

WORKING = EVERYTHING & ~int(Capability.SHARE | Capability.MANAGE)
"""What is left to a guest."""

_VIEWER = READING
_COMMENTER = int(_VIEWER | Capability.COMMENT)
_CONTRIBUTOR = int(_COMMENTER | Capability.ADD)
_EDITOR = int(_CONTRIBUTOR | Capability.EDIT)

ROLES: Mapping[RoleName, int] = {
    "previewer": int(Capability.VIEW),
    "viewer": _VIEWER,
    "commenter": _COMMENTER,
    "uploader": int(Capability.ADD),
    "contributor": _CONTRIBUTOR,
    "editor": _EDITOR,
    "manager": EVERYTHING,
}

EVERYONE_ID = UUID(int=0)
"""Stands for all members of a tenant where a principal is named by an id."""


@cache
def names_of(mask: int) -> tuple[CapabilityName, ...]:
    """Name the capabilities in a mask, in the order of their bits."""
    return tuple(one.name.lower() for one in Capability if one & mask)  # type: ignore[union-attr,misc] # single flags have names, which are the literals


def mask_of(names: Iterable[CapabilityName]) -> int:
    """Give the mask of named capabilities."""
    return sum({int(Capability[name.upper()]) for name in names})


@dataclass(frozen=True, slots=True)
class Reach:
    """The permissions of one caller by node: what each gives there and, by inheritance, on all below.

    ``lasting`` have no end. Of those that end, ``timed`` keeps each with its end, which is judged at reading.
    """

    lasting: Mapping[UUID, int] = field(default_factory=dict)
    timed: Mapping[UUID, tuple[tuple[int, datetime], ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.lasting or self.timed)

    def at(self, node_id: UUID) -> int:
        """Tell what permissions on just this node give now, as a mask; 0 for none."""
        mask = self.lasting.get(node_id, NOTHING)
        ending = self.timed.get(node_id) if self.timed else None
        if ending is None:
            return mask
        now = clock.now()
        for part, expires_at in ending:
            if expires_at > now:
                mask |= part
        return mask

    def list_node_ids(self) -> list[UUID]:
        """List the nodes that have a permission which holds now."""
        return [node_id for node_id in {**self.lasting, **self.timed} if self.at(node_id)]


NO_REACH = Reach()
