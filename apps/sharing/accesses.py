"""Who reaches a node, and by what: its owner, who administers, and the shares of the node and of all that it lies in."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from apps.files import api as files
from apps.files.dtos import Ancestry, AncestryStep
from apps.identity import api as identity
from apps.sharing import dtos, errors, leaving, policies, queries
from apps.sharing.listing import to_shared_node
from apps.sharing.models import Permission
from bitvault.kernel import db, permissions
from bitvault.kernel.actor import Actor, Role
from bitvault.kernel.capabilities import EVERYONE_ID, EVERYTHING, NOTHING, mask_of, names_of

_ALL = names_of(EVERYTHING)


def get_access(actor: Actor, node_id: UUID) -> dtos.NodeAccess:
    """Tell who reaches a node, what stands on the node itself first.

    What stands above the topmost node that the actor sees is told to those who may share the node: they decide who else reaches it. It has
    no name there.
    """
    ancestry = files.get_ancestry(actor=actor, node_id=node_id)
    may_share = "share" in ancestry.node.capabilities
    steps = [step for step in ancestry.steps if may_share or step.name is not None]
    with db.read_transaction():
        rows = queries.list_of_nodes([step.id for step in steps])
    return dtos.NodeAccess(
        node=to_shared_node(ancestry.node),
        is_root=len(ancestry.steps) == 1,
        in_team_folder=ancestry.in_team_folder,
        may_share=may_share and policies.may_share_on(actor, ancestry),
        items=[*_name_holder(actor, ancestry), *_to_entries(actor, steps, rows)],
    )


def _name_holder(actor: Actor, ancestry: Ancestry) -> Iterator[dtos.AccessEntry]:
    """Name whose tree it is: a person, or whoever administers the tenant."""
    if ancestry.in_team_folder:
        yield dtos.AccessEntry(source="administrators", principal=None, role="manager", capabilities=_ALL)
    elif ancestry.owner_id is not None:
        owner = queries.describe_people(actor.tenant, [ancestry.owner_id]).get(ancestry.owner_id)
        if owner is not None:
            yield dtos.AccessEntry(source="owner", principal=owner, role="owner", capabilities=_ALL)


def _to_entries(actor: Actor, steps: Sequence[AncestryStep], rows: Sequence[Permission]) -> Iterator[dtos.AccessEntry]:
    principals = queries.describe(actor.tenant, rows)
    for depth, step in enumerate(steps):
        for row in rows:
            if row.node_id == step.id and row.id in principals:
                share = queries.to_share(row, principals[row.id])
                yield dtos.AccessEntry(
                    source="share",
                    principal=share.principal,
                    role=share.role,
                    capabilities=share.capabilities,
                    share=share,
                    through=dtos.AccessPlace(id=step.id, name=step.name) if depth else None,
                )


def explain(actor: Actor, node_id: UUID, asked: dtos.Principal) -> dtos.NodeAccess:
    """Tell what one person, or everybody in a group, may do with a node, and by what; or why they reach nothing.

    :raises UnknownPrincipal: the tenant has none of this id.
    """
    access = get_access(actor, node_id)
    found = _find_person(actor, asked) if asked.type == "user" else _find_group(actor, asked)
    reaching = [entry for entry in access.items if found.has(entry)]
    left = _find_left(asked, reaching)
    items = [entry for entry in reaching if entry.share is None or entry.share.id not in left]
    given = mask_of({name for entry in items for name in entry.capabilities})
    mask = given & found.ceiling
    told = dtos.PrincipalAccess(
        principal=found.principal,
        capabilities=names_of(mask),
        limited_by_role=bool(found.is_active and given & ~mask),
        why_not=None if mask else "deactivated" if not found.is_active else "left" if left else "nothing_shared",
    )
    return replace(access, items=items, asked=told)


def _find_left(asked: dtos.Principal, entries: Sequence[dtos.AccessEntry]) -> set[UUID]:
    share_ids = [entry.share.id for entry in entries if entry.share is not None]
    if asked.type != "user" or asked.id is None or not share_ids:
        return set()
    with db.read_transaction():
        return leaving.find_left(asked.id, share_ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """Somebody whose access is explained: by which ids shares reach them, and what their role allows at most."""

    principal: dtos.SharePrincipal
    ids: frozenset[UUID]
    administers: bool = False
    ceiling: int = EVERYTHING
    is_active: bool = True

    def has(self, entry: dtos.AccessEntry) -> bool:
        """Whether an entry is theirs."""
        if entry.principal is None:
            return self.administers
        return (entry.principal.id or EVERYONE_ID) in self.ids


def _find_person(actor: Actor, asked: dtos.Principal) -> _Asked:
    standing = None if asked.id is None else identity.find_standing(tenant=actor.tenant, user_id=asked.id)
    if standing is None:
        raise errors.UnknownPrincipal(type=asked.type, id=asked.id)
    member = standing.member
    is_active = member.state == "active"
    is_guest = member.role is Role.GUEST
    return _Asked(
        principal=queries.to_principal(member),
        ids=frozenset({member.user.id, *([] if is_guest else [EVERYONE_ID, *standing.group_ids])}),
        administers=permissions.Permission.MANAGE_TEAM_FOLDERS in standing.permissions,
        ceiling=member.role.ceiling if is_active else NOTHING,
        is_active=is_active,
    )


def _find_group(actor: Actor, asked: dtos.Principal) -> _Asked:
    groups = [] if asked.id is None else identity.find_groups(tenant=actor.tenant, group_ids=[asked.id])
    if not groups:
        raise errors.UnknownPrincipal(type=asked.type, id=asked.id)
    (group,) = groups
    ids = {group.id, EVERYONE_ID, *([group.parent_id] if group.parent_id else [])}
    return _Asked(principal=queries.to_group_principal(group), ids=frozenset(ids))
