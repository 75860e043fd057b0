"""Names for pages of modules that stand below those who own the names."""

from collections.abc import Collection
from uuid import UUID

from apps.files import api as files
from apps.identity import api as identity
from apps.identity.api import impersonation, operators
from apps.links import api as links
from bitvault.kernel.actor import Actor
from bitvault.web.naming import Names

PEOPLE_LIMIT = 100
"""People whose names are meant by a text; who means others writes more of the name."""


class NameFinder:
    """Asks Identity, Links and Files, one after another (``settings.BITVAULT_NAME_FINDER``)."""

    def find_names(
        self,
        actor: Actor,
        *,
        people: Collection[UUID] = (),
        groups: Collection[UUID] = (),
        nodes: Collection[UUID] = (),
        sent: Collection[UUID] = (),
    ) -> Names:
        """Name people and groups of the tenant, links that have done something, and nodes that the actor may see."""
        tenant = actor.tenant
        found = identity.find_groups(tenant=tenant, group_ids=groups) if groups else []
        seen = files.find_visible(actor=actor, node_ids=nodes, roots=True) if nodes else {}
        return Names(
            people=self._name_actors(actor, people),
            senders=links.name_senders(node_ids=sent) if sent else {},
            groups={group.id: group.name for group in found},
            nodes={node_id: one.node.name for node_id, one in seen.items()},
        )

    def _name_actors(self, actor: Actor, ids: Collection[UUID]) -> dict[UUID, str]:
        named = identity.name_people(tenant=actor.tenant, user_ids=ids) if ids else {}
        others = set(ids) - set(named)
        if not others:
            return dict(named)
        supporters = impersonation.name_operators(tenant=actor.tenant, user_ids=others)
        return {**links.name_links(link_ids=others), **supporters, **named}

    def name_operators(self, ids: Collection[UUID]) -> dict[UUID, str]:
        """Name operators for their own pages."""
        return operators.name_operators(user_ids=ids)

    def find_people(self, actor: Actor, text: str) -> list[UUID]:
        """Find members by a part of their name or address."""
        return [member.user.id for member in identity.list_members(actor=actor, text=text, limit=PEOPLE_LIMIT).items]
