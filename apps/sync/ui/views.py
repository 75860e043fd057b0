"""The page of open conflicts. Settling one goes over REST; this view only shows."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext

from apps.identity import api as identity
from apps.sync import api
from apps.sync.dtos import Conflict, SyncedNode
from bitvault.kernel.actor import Actor
from bitvault.web.pages import MemberPage, PersonRequest
from bitvault.web.sizes import size_in_words

SHOWN = 50
"""Conflicts of one page: more than anybody settles in one go."""


_MARK = re.compile(r" \(conflicted copy, .*, \d{4}-\d\d-\d\d\)(?: \(\d+\))?")
"""What a copy's name says besides the name of the file."""

_DAY = re.compile(r"\d{4}-\d\d-\d\d\).*")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two files; a line may break before ``tail``, the day and what follows it, and not inside."""

    name: str
    head: str
    tail: str
    href: str
    changed_at: str
    size_label: str
    revision: int


@dataclass(frozen=True, slots=True)
class Card:
    """A conflict as the page shows it."""

    id: str
    copy: Side
    original: Side | None
    folder_href: str
    sender: str
    opened_at: str
    may_settle: bool

    @property
    def title(self) -> str:
        """The name that people know the file by."""
        return self.original.name if self.original else _MARK.sub("", self.copy.name)


class ConflictsPage(MemberPage):
    """Edits that met and wait for somebody to say what is right."""

    section = "conflicts"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the newest ones, or those behind a cursor."""
        page = api.list_conflicts(actor=request.actor, cursor=request.GET.get("cursor") or None, limit=SHOWN)
        senders = _name_senders(request.actor, page.items)
        context = {
            "cards": [to_card(conflict, senders) for conflict in page.items],
            "more_href": f"/conflicts/?{urlencode({'cursor': page.next_cursor})}" if page.next_cursor else None,
        }
        return render(request, "sync/conflicts.html", context)


def _name_senders(actor: Actor, conflicts: Sequence[Conflict]) -> dict[UUID | None, str]:
    """Name who brought the copies; whoever has left the vault has no name any more."""
    others = {conflict.made_by for conflict in conflicts if conflict.made_by is not None} - {actor.user_id}
    members = identity.find_members(tenant=actor.tenant, user_ids=others) if others else []
    return {actor.user_id: gettext("you"), **{one.user.id: one.user.name or one.user.email for one in members}}


def to_card(conflict: Conflict, senders: Mapping[UUID | None, str]) -> Card:
    """Give a conflict as a card."""
    who = senders.get(conflict.made_by, gettext("somebody who has left"))
    return Card(
        id=str(conflict.id),
        copy=_to_side(conflict.node),
        original=_to_side(conflict.original) if conflict.original else None,
        folder_href=f"/files/{conflict.node.parent_id}/",
        sender=gettext("%(who)s on %(device)s") % {"who": who, "device": conflict.made_on} if conflict.made_on else who,
        opened_at=conflict.opened_at.isoformat(),
        may_settle="edit" in conflict.node.capabilities,
    )


def _to_side(node: SyncedNode) -> Side:
    day = _DAY.search(node.name)
    head = node.name[: day.start()] if day else node.name
    return Side(
        name=node.name,
        head=head,
        tail=node.name[len(head) :],
        href=f"/api/v1/nodes/{node.id}/content",
        changed_at=node.modified_at.isoformat(),
        size_label=size_in_words(node.size_bytes or 0),
        revision=node.revision,
    )
