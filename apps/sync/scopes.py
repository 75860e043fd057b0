"""Scopes: the topmost nodes that somebody reaches, whatever lies above them. A personal root and a shared file are the same here.

What somebody was given is a mask by node (``Grants``). Where those nodes lie by now, the replica tells: one statement walks up from all of
them. A node that somebody may view, and whose folder they may not, is a scope. A node inside of a scope that was given more than what lies
around it is an inner one: it is no scope, and is told once more when its mask changes.

A share counts from the event on by which the projector has heard of it (``sync_shared_node``): from then on the journal says what comes
into the node and what leaves it. So whoever gains a scope has its subtree as of that event at least.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from apps.sync import sql
from apps.sync.queries import fetch_all
from bitvault.kernel.capabilities import NOTHING, Capability


@dataclass(frozen=True, slots=True)
class Grants:
    """What somebody was given, by node, whether it lies anywhere or not; and what role and token leave of it."""

    masks: Mapping[UUID, int]
    ceiling: int
    folder_id: UUID | None = None

    @property
    def digest(self) -> str:
        """The same for the same grants."""
        facts = [f"{node_id.hex}{mask:02x}" for node_id, mask in sorted(self.masks.items())]
        facts += [f"{self.ceiling:02x}", str(self.folder_id)]
        return hashlib.sha256(",".join(facts).encode()).hexdigest()[:16]

    def find_mask(self, path: Sequence[UUID]) -> int:
        """Tell what may be done with a live node, as a mask; 0 for one that may not be viewed.

        :param path: the ids of the node and of all that it lies in, up to the root.
        """
        if self.folder_id is not None and self.folder_id not in path:
            return NOTHING
        mask = NOTHING
        for node_id in path:
            mask |= self.masks.get(node_id, NOTHING)
        mask &= self.ceiling
        return mask if mask & Capability.VIEW else NOTHING


@dataclass(frozen=True, slots=True)
class Scopes:
    """The scopes of somebody as of one number of the feed, and the inner nodes; each with its mask."""

    grants: Grants
    """Those of them that lie somewhere."""
    tops: Mapping[UUID, int] = field(default_factory=dict)
    inner: Mapping[UUID, int] = field(default_factory=dict)
    tops_of_inner: Mapping[UUID, UUID] = field(default_factory=dict)
    """The scope that each inner node lies in."""
    least_seq: int = 0
    """The event from which on the journal tells of all of them."""

    def find_mask(self, path: Sequence[UUID]) -> int:
        """Tell what may be done with a live node, as a mask; 0 for one that lies in no scope."""
        return self.grants.find_mask(path)

    def only(self, node_ids: Collection[UUID]) -> "Scopes":
        """Give some of the scopes, and what lies in these."""
        return replace(
            self,
            tops={one: self.tops[one] for one in node_ids},
            inner={one: mask for one, mask in self.inner.items() if self.tops_of_inner[one] in node_ids},
        )


def find(grants: Grants) -> Scopes:
    """Find where grants lie in the replica, inside the open transaction: one statement, however many there are."""
    rows = fetch_all(sql.SCOPE_PATHS, {"node_ids": list(grants.masks)}) if grants.masks else []
    held = replace(grants, masks={given_id: grants.masks[given_id] for given_id, *_ in rows})
    tops, others, least_seq = {}, [], 0
    for given_id, path, shared_seq in rows:
        mask, above = held.find_mask(path), held.find_mask(path[1:])
        if mask and not above:
            tops[given_id] = mask
            least_seq = max(least_seq, shared_seq)
        elif mask != above:
            others.append((given_id, mask, path))
    inner, tops_of_inner = {}, {}
    for given_id, mask, path in others:
        top_id = next((one for one in path if one in tops), None)
        if top_id is not None:
            inner[given_id], tops_of_inner[given_id] = mask, top_id
    return Scopes(held, tops, inner, tops_of_inner, least_seq)
