"""How entries of the audit log look on the page: sentences with names, which other modules know, asked for once a page."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from apps.admin_platform.dtos import AuditEntry
from apps.admin_platform.ui import wording
from bitvault.kernel.actor import Actor
from bitvault.web import naming
from bitvault.web.naming import Names

_BY_OPERATORS = ("events.", "identity.tenant.", "identity.person.", "identity.impersonation.", "billing.")
"""Beginnings of what operators do: nobody of the vault has their ids."""


@dataclass(frozen=True, slots=True)
class Row:
    """An entry on the page."""

    entry: AuditEntry
    icon: str
    is_denial: bool
    pieces: Sequence[wording.Piece]
    actor: str
    has_actor: bool
    facts: str
    """What the event says of itself, as JSON for reading."""


def to_rows(actor: Actor, entries: Sequence[AuditEntry]) -> list[Row]:
    """Give a page of entries as they are shown; names of nodes that only an id tells are those that the reader may see."""
    names = _find_names(actor, entries)
    return [_to_row(entry, names) for entry in entries]


def name_node(actor: Actor, node_id: UUID) -> str:
    """Name a node that the log is filtered by, if the reader may see it."""
    nodes = naming.finder().find_names(actor, nodes=[node_id]).nodes
    return nodes.get(node_id, gettext("a file or folder"))


def _find_names(actor: Actor, entries: Sequence[AuditEntry]) -> Names:
    people: set[UUID] = set()
    groups: set[UUID] = set()
    nodes: set[UUID] = set()
    for entry in entries:
        payload = entry.payload
        fields = ("user_id", "holder_id", "successor_id", "on_behalf_of")
        people |= {one for one in (entry.actor_id, *(_id(payload, field) for field in fields)) if one}
        groups |= {one for one in (_id(payload, "group_id"),) if one}
        principal_id = _id(payload, "principal_id")
        if principal_id is not None:
            (groups if payload.get("principal_kind") == "group" else people).add(principal_id)
        if entry.node_id is not None and "name" not in payload:
            nodes.add(entry.node_id)
    return naming.finder().find_names(actor, people=people, groups=groups, nodes=nodes)


def _to_row(entry: AuditEntry, names: Names) -> Row:
    payload = entry.payload
    actor = _name_actor(entry, names)
    kind = wording.find_kind(entry.type)
    shown = {
        "actor": actor,
        "name": str(payload.get("name") or _of(names.nodes, entry.node_id, gettext("a file or folder"))),
        "person": _of(
            names.people, _id(payload, "user_id") or _id(payload, "holder_id"), gettext("somebody who has left")
        ),
        "behalf": _of(names.people, _id(payload, "on_behalf_of"), gettext("a member")),
        "successor": _of(names.people, _id(payload, "successor_id"), gettext("somebody who has left")),
        "group": _of(names.groups, _id(payload, "group_id"), gettext("a deleted group")),
        "principal": _name_principal(payload, names),
    }
    return Row(
        entry=entry,
        icon=kind.icon,
        is_denial=kind is wording.DENIED,
        pieces=wording.tell(entry.type, payload, shown),
        actor=actor,
        has_actor=entry.actor_id is not None and entry.actor_id in names.people,
        facts=json.dumps(payload, indent=2, ensure_ascii=False, sort_keys=True),
    )


def _name_actor(entry: AuditEntry, names: Names) -> str:
    if entry.payload.get("actor_kind") == "link":
        return gettext("A visitor of a link")
    if entry.actor_id is not None and entry.actor_id in names.people:
        return names.people[entry.actor_id]
    if entry.actor_id is None:
        return gettext("Somebody unknown") if entry.type.endswith(".denied") else gettext("BitVault")
    return gettext("An operator") if entry.type.startswith(_BY_OPERATORS) else gettext("Somebody who has left")


def _name_principal(payload: Mapping[str, Any], names: Names) -> str:
    principal_id = _id(payload, "principal_id")
    match payload.get("principal_kind"):
        case "everyone":
            return gettext("everyone")
        case "link":
            return gettext("a link")
        case "email":
            return gettext("an invited guest")
        case "group":
            return _of(names.groups, principal_id, gettext("a deleted group"))
        case _:
            return _of(names.people, principal_id, gettext("somebody who has left"))


def _id(payload: Mapping[str, Any], field: str) -> UUID | None:
    value = payload.get(field)
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _of(names: Mapping[UUID, str], key: UUID | None, otherwise: str) -> str:
    return otherwise if key is None else names.get(key, otherwise)
