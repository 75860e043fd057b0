"""What a reader may be told of entries at this moment: rights, what they have muted, and the words."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext

from apps.files import api as files
from apps.files.dtos import FoundNode
from apps.notifications import wording
from apps.notifications.dtos import Person, Piece, Place
from apps.notifications.models import Entry
from bitvault.kernel.actor import Actor
from bitvault.web import naming

_PAGES = {
    "signed_in": "/settings/security/",
    "asked": "/shared/requests/",
    "siem_failing": "/audit/siem/",
    "siem_works": "/audit/siem/",
    **dict.fromkeys(("domain_missed", "domain_found", "domain_lost"), "/settings/domains/"),
    **dict.fromkeys(
        ("plan_paid", "plan_ended", "payment_failed", "payment_reminder", "payment_settled"), "/usage/#usage-plan"
    ),
}
"""Where what happened is looked at that has a page of its own."""

_ON_COMMENTS = frozenset({"commented", "mentioned", "answered"})
"""What is looked at in the comments of a file or folder."""


@dataclass(frozen=True, slots=True)
class Told:
    """An entry as a reader may be told of it."""

    entry: Entry
    count: int
    actor: Person | None
    node: Place | None
    folder: Place | None
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The sentence, in the current language."""
        return wording.tell(self.entry.kind, self.facts)

    @property
    def pieces(self) -> list[Piece]:
        """The sentence with names set off."""
        return wording.tell_in_pieces(self.entry.kind, self.facts)

    @property
    def occurred_at(self) -> datetime:
        """When it was; of several, the last."""
        return self.entry.last_at if self.count > 1 else self.entry.occurred_at

    @property
    def path(self) -> str:
        """Where a browser sees what it is about; empty: nowhere."""
        if self.entry.kind in _PAGES:
            return _PAGES[self.entry.kind]
        if self.entry.kind in _ON_COMMENTS and self.node is not None:
            return f"/files/{self.node.id}/#comments={self.node.id}"
        if self.entry.kind == "quota":
            return "/files/" if self.facts.get("of") == "user" else "/usage/"
        if self.entry.kind == "statement":
            return f"/usage/statements/{self.facts['month']}/"
        if self.entry.kind == "quarantined":
            return "/settings/scanning/"
        if self.entry.kind == "webhook_off":
            return f"/settings/webhooks/{self.entry.subject_id}/"
        if self.node is not None and (self.node.kind == "folder" or self.folder is None) and self.count == 1:
            return f"/files/{self.node.id}/"
        if self.folder is not None:
            return f"/files/{self.folder.id}/"
        return f"/files/{self.node.id}/" if self.node is not None else ""


def judge(
    actor: Actor,
    entries: Sequence[Entry],
    *,
    direct_ids: Collection[UUID],
    muted: Collection[UUID] = (),
    alone: bool = False,
) -> dict[UUID, Told]:
    """Say which entries the actor may be told of, and how; what they do not see, or have muted, is left out.

    :param direct_ids: the entries that concern the actor themselves.
    :param alone: tell of each entry by itself, whatever has joined it.
    """
    found = files.find_visible(actor=actor, node_ids=set(_ids(entries)), roots=True)
    people = _name_people(actor, entries)
    told: dict[UUID, Told] = {}
    for entry in entries:
        if not _may_know(actor, entry, found, muted):
            continue
        node, folder = to_place(found, entry.node_id), to_place(found, entry.folder_id)
        count = 1 if alone else entry.count
        who = None if entry.actor_id is None else Person(entry.actor_id, people.get(entry.actor_id, ""))
        facts = {
            **entry.facts,
            "actor": _shown_name(who),
            "name": entry.name or (node.name if node else ""),
            "folder": folder.name if folder else gettext("a folder"),
            "to_name": people.get(entry.audience_id, "") if entry.audience_id else "",
            "count": count,
            "is_direct": entry.id in direct_ids,
            "is_own": entry.id in direct_ids and entry.actor_id == actor.user_id,
        }
        if not facts["to_name"]:
            facts["to_name"] = gettext("a group") if facts.get("to") == "group" else gettext("somebody")
        told[entry.id] = Told(entry, count, who, node, folder, facts)
    return told


def _ids(entries: Iterable[Entry]) -> Iterable[UUID]:
    for entry in entries:
        yield from (one for one in (entry.node_id, entry.folder_id) if one is not None)


def _may_know(actor: Actor, entry: Entry, found: dict[UUID, FoundNode], muted: Collection[UUID]) -> bool:
    """Judge one entry: what has left the vault is told to who sees where it was; a share is told while it lets one in."""
    if entry.node_id is None:
        return actor.folder_id is None and not (entry.kind == "signed_in" and entry.subject_id == actor.session_id)
    seen = found.get(entry.node_id)
    if seen is None and entry.folder_id is not None and entry.kind != "shared":
        seen = found.get(entry.folder_id)
    if seen is None:
        return False
    return not any(one in muted for one in (seen.node.id, *(step.id for step in seen.path)))


def to_place(found: dict[UUID, FoundNode], node_id: UUID | None) -> Place | None:
    """Give a node as the reader sees it, if they do."""
    one = None if node_id is None else found.get(node_id)
    if one is None:
        return None
    return Place(one.node.id, one.node.kind, gettext("My files") if one.is_own_root else one.node.name)


def _name_people(actor: Actor, entries: Sequence[Entry]) -> dict[UUID, str]:
    ids = {one for entry in entries for one in (entry.actor_id, entry.audience_id) if one is not None}
    return dict(naming.finder().find_names(actor, people=ids).people) if ids else {}


def _shown_name(who: Person | None) -> str:
    """Name who did it, the reader too: in most languages "you" would need a sentence of its own."""
    if who is None:
        return gettext("BitVault")
    return who.name or gettext("Somebody")
