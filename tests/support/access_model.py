"""Who may do what, in plain Python and by no code of the product: a tree, what was given on its nodes, and what follows from that."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

VIEW = 1
EVERYTHING = 127
READING = 3
EVERYONE = "everyone"


@dataclass
class Given:
    """What a person, a group or everyone has on a node."""

    node_id: UUID
    principal: object
    mask: int
    ends: datetime | None


@dataclass
class Person:
    """A member: what their role leaves of anything, their groups, and whether they are let in."""

    user_id: UUID
    ceiling: int = EVERYTHING
    groups: set[UUID] = field(default_factory=set)
    is_active: bool = True


class Access:
    """One tenant's tree and what was given in it."""

    def __init__(self) -> None:
        self.parents: dict[UUID, UUID | None] = {}
        self.owners: dict[UUID, UUID] = {}
        """By personal root."""
        self.trashed: set[UUID] = set()
        """The nodes that were put into the trash themselves."""
        self.given: dict[UUID, Given] = {}

    def way(self, node_id: UUID) -> list[UUID]:
        """List a node and all above it; nothing for what lies in the trash."""
        way = [node_id]
        while way[-1] not in self.trashed and self.parents[way[-1]] is not None:
            way.append(self.parents[way[-1]])
        return [] if way[-1] in self.trashed else way

    def live(self) -> list[UUID]:
        """List what lies in no trash."""
        return [one for one in self.parents if self.way(one)]

    def lies_below(self, node_id: UUID, top_id: UUID) -> bool:
        return top_id in self.way(node_id)

    def own_mask(self, person: Person, node_id: UUID, now: datetime) -> int:
        """Tell what was given to somebody on just this node."""
        principals = {person.user_id, EVERYONE, *person.groups}
        mask = 0
        for one in self.given.values():
            if one.node_id == node_id and one.principal in principals and (one.ends is None or one.ends > now):
                mask |= one.mask
        return mask

    def mask(self, person: Person, node_id: UUID, now: datetime) -> int:
        """Tell what somebody may do with a node."""
        if not person.is_active:
            return 0
        way, mask = self.way(node_id), 0
        for one in way:
            mask |= self.own_mask(person, one, now)
        if way and self.owners.get(way[-1]) == person.user_id:
            mask = EVERYTHING
        return mask & person.ceiling

    def knows(self, person: Person, node_id: UUID, now: datetime) -> bool:
        """Tell whether somebody learns that a node exists: who may view it, and who was given something on just this one."""
        mask = self.mask(person, node_id, now)
        return bool(mask & VIEW or (mask and self.own_mask(person, node_id, now)))

    def tree(self, person: Person, now: datetime) -> dict[UUID, tuple[UUID | None, int]]:
        """Give what a device of somebody's holds: by node, the folder that it is shown in, and its mask."""
        masks = {one: self.mask(person, one, now) for one in self.parents}
        seen = {one: mask for one, mask in masks.items() if mask & VIEW}
        return {one: (self.parents[one] if self.parents[one] in seen else None, mask) for one, mask in seen.items()}
