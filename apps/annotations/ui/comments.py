"""The threads of a node for the details panel, and the people whom a comment can mention."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext

from apps.annotations import api
from apps.annotations.dtos import Comment, CommentPerson
from apps.annotations.ui.addresses import cut_addresses
from apps.files import api as files
from apps.files.dtos import Node
from apps.identity import api as identity
from bitvault.kernel.actor import Actor
from bitvault.web.pages import MemberPage, PersonRequest, read_ids
from bitvault.web.viewer import initials

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SHOWN = 50
"""Threads of one answer."""

OFFERED = 8
"""People who are offered while a name is typed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text: words, the name of somebody who is mentioned, or an address of the web."""

    text: str
    user_id: UUID | None = None
    is_address: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """A comment as the panel shows it."""

    comment: Comment
    author: "StrOrPromise"
    initials: str
    pieces: Sequence[Piece]
    resolved_by: "StrOrPromise"
    may_edit: bool
    may_delete: bool
    replies: Sequence["Shown"] = ()


class NodeComments(MemberPage):
    """Comments on a node."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the threads, and the field to write in for whoever may."""
        ids, actor = read_ids(request), request.actor
        if len(ids) != 1:
            return HttpResponse(status=204)
        node = files.get_node(actor=actor, node_id=ids[0])
        if "view" not in node.capabilities:
            return HttpResponse(status=204)
        page = api.list_comments(actor=actor, node_id=node.id, limit=SHOWN, cursor=request.GET.get("cursor") or None)
        context = {
            "threads": [to_shown(one, actor, node) for one in page.items],
            "may_comment": "comment" in node.capabilities,
            "more": f"/annotations/details/comments?ids={node.id}&cursor={page.next_cursor}"
            if page.next_cursor
            else "",
            "node_id": node.id,
        }
        return render(request, "annotations/details_comments.html", context)


class People(MemberPage):
    """People of the vault, for whoever mentions one in a comment."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Find some by a part of their name or address; the directory is the members', so guests are offered nobody."""
        if request.actor.is_guest:
            return JsonResponse({"items": []})
        text = request.GET.get("q", "")[:80]
        found = identity.search_directory(tenant=request.actor.tenant, text=text, limit=OFFERED)
        people = [
            {"id": str(member.user.id), "name": member.user.name or member.user.email, "email": member.user.email}
            for member in found.people
        ]
        return JsonResponse({"items": people})


def to_shown(comment: Comment, actor: Actor, node: Node) -> Shown:
    """Give a comment, with its replies, as the panel shows it."""
    is_own = comment.author.id == actor.user_id
    return Shown(
        comment=comment,
        author=_name(comment.author, actor),
        initials=initials(comment.author.name, ""),
        pieces=cut(comment.text, comment.mentions),
        resolved_by=_name(comment.resolved_by, actor) if comment.resolved_by else "",
        may_edit=is_own and "comment" in node.capabilities,
        may_delete=is_own or "manage" in node.capabilities,
        replies=[to_shown(reply, actor, node) for reply in comment.replies],
    )


def _name(person: CommentPerson, actor: Actor) -> "StrOrPromise":
    return gettext("You") if person.id == actor.user_id else person.name or gettext("A former member")


def cut(text: str, mentions: Sequence[CommentPerson]) -> list[Piece]:
    """Cut a text where it has an address, or names somebody whom it mentions."""
    pieces: list[Piece] = []
    for part, is_address in cut_addresses(text):
        pieces += [Piece(part, is_address=True)] if is_address else _cut_names(part, mentions)
    return pieces


def _cut_names(text: str, mentions: Sequence[CommentPerson]) -> Iterator[Piece]:
    """Cut a text at the names that it mentions, longest names first: "Max Member" is not "Max"."""
    ids = {f"@{person.name}": person.id for person in mentions if person.name}
    if not ids:
        yield from [Piece(text)] if text else []
        return
    names = "|".join(re.escape(name) for name in sorted(ids, key=len, reverse=True))
    for part in re.split(f"({names})", text):
        if part:
            yield Piece(part, user_id=ids.get(part))
