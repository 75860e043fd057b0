"""Names of people, groups, links and nodes, for modules that may not ask those who own them; the gateway finds them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, cast
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from bitvault.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Names:
    """Names by id; what the reader may not see, or is not there any more, has none."""

    people: Mapping[UUID, str] = field(default_factory=dict)
    """Also links, by which visitors have done something."""
    groups: Mapping[UUID, str] = field(default_factory=dict)
    senders: Mapping[UUID, str] = field(default_factory=dict)
    """Who has sent a file through a link, by its node."""
    nodes: Mapping[UUID, str] = field(default_factory=dict)


class Finder(Protocol):
    """What ``settings.BITVAULT_NAME_FINDER`` names. Not called within a transaction."""

    def find_names(
        self,
        actor: Actor,
        *,
        people: Collection[UUID] = (),
        groups: Collection[UUID] = (),
        nodes: Collection[UUID] = (),
        sent: Collection[UUID] = (),
    ) -> Names:
        """Name them, as far as the actor may know.

        :param sent: nodes that the actor may know of, each a file that has come through a link.
        """
        ...

    def name_operators(self, ids: Collection[UUID]) -> Mapping[UUID, str]:
        """Name people on the operators' own pages, by name or address; one query. Who is gone has no name."""
        ...

    def find_people(self, actor: Actor, text: str) -> list[UUID]:
        """Find members by a part of their name or address; for who administers the tenant."""
        ...


@cache
def finder() -> Finder:
    """Give the finder of the installation."""
    return cast("Finder", import_string(settings.BITVAULT_NAME_FINDER)())
