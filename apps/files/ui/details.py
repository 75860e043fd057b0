"""What the details panel tells of nodes: their properties and the latest versions of a file. Fragments, fetched beside the list."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from apps.files import api
from apps.files.dtos import Lock, Node, Path
from apps.files.dtos.versions import Version
from apps.files.ui import presentation
from bitvault.web import naming
from bitvault.web.pages import MemberPage, PersonRequest, read_ids
from bitvault.web.sizes import size_in_words

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

VERSIONS = 3
"""Versions that the panel names; the dialog has the rest."""

NOTHING = 204


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the properties: a text, a moment, or the way to a folder."""

    label: "StrOrPromise"
    text: "StrOrPromise" = ""
    moment: datetime | None = None
    steps: Sequence[presentation.Crumb] = ()
    code: str = ""
    """What is read by machines and can be copied."""


@dataclass(frozen=True, slots=True)
class ShownVersion:
    """One version, as its line says it."""

    version: Version
    size_label: str
    author: "StrOrPromise"


class Properties(MemberPage):
    """What nodes are: of one node everything, of several what they have together."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the properties of ``ids``; those that are not the reader's to see are left out."""
        ids = read_ids(request)
        if len(ids) == 1:
            return render(request, "files/details_properties.html", {"facts": describe_one(request, ids[0])})
        nodes = api.list_nodes(actor=request.actor, node_ids=ids)
        facts = describe_many(nodes) if nodes else []
        return render(request, "files/details_properties.html", {"facts": facts}, status=200 if facts else NOTHING)


class Versions(MemberPage):
    """The latest versions of a file."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, and the way to all of them."""
        ids = read_ids(request)
        if len(ids) != 1:
            return HttpResponse(status=NOTHING)
        found = api.list_versions(actor=request.actor, node_id=ids[0], limit=VERSIONS)
        shown = [to_shown(version, request) for version in found.items]
        return render(request, "files/details_versions.html", {"versions": shown, "more": found.next_cursor})


def to_shown(version: Version, request: PersonRequest) -> ShownVersion:
    """Give a version as a line says it."""
    return ShownVersion(version, size_in_words(version.size_bytes), _name_author(version, request))


def _name_author(version: Version, request: PersonRequest) -> str:
    if version.author.id == request.actor.user_id:
        return gettext("You")
    if version.author.kind == "link":
        name = version.author.name
        return gettext("%(name)s, through a link") % {"name": name} if name else gettext("A visitor of a link")
    return version.author.name or gettext("A former member")


def describe_one(request: PersonRequest, node_id: UUID) -> list[Fact]:
    """Tell everything of one node."""
    path = api.list_path(actor=request.actor, node_id=node_id)
    node = path.items[-1]
    label, media_type = presentation.label_of(node), node.media_type or ""
    facts = [
        Fact(gettext("Type"), f"{label} ({media_type})" if media_type else label),
        *_describe_size(request, node),
        Fact(gettext("Location"), steps=_find_place(path)),
        Fact(gettext("Owner"), name_maker(request, node)),
        Fact(gettext("Created"), moment=node.created_at),
        Fact(gettext("Modified"), moment=node.modified_at),
    ]
    if node.client_modified_at is not None and node.client_modified_at != node.modified_at:
        facts.append(Fact(gettext("Modified on the device"), moment=node.client_modified_at))
    if node.lock is not None:
        facts += _describe_lock(request, node.lock)
    if node.content_hash:
        facts.append(Fact(gettext("Content hash"), code=node.content_hash))
    return [fact for fact in facts if fact.text or fact.moment or fact.steps or fact.code]


def _describe_lock(request: PersonRequest, lock: Lock) -> list[Fact]:
    """Tell who alone may change a file, until when, and why."""
    own = lock.holder_id == request.actor.user_id
    holder = gettext("You") if own else lock.holder_name or gettext("A former member")
    return [
        Fact(gettext("Locked by"), f"{holder}: {lock.reason}" if lock.reason else holder),
        Fact(gettext("Locked until"), moment=lock.expires_at),
    ]


def _find_place(path: Path) -> Sequence[presentation.Crumb]:
    """Give the folder that a node lies in, and what that lies in; a root lies nowhere."""
    if len(path.items) == 1 and path.team_folder_id is None:
        return ()
    steps = presentation.to_crumbs(path)[:-1]
    return [one for step in steps for one in (step.hidden or (step,))]


def _describe_size(request: PersonRequest, node: Node) -> list[Fact]:
    """Tell how large a file is, to the byte; of a folder, what lies in it."""
    if node.size_bytes is not None:
        exact = ngettext("%(count)s byte", "%(count)s bytes", node.size_bytes) % {
            "count": number_format(node.size_bytes, force_grouping=True)
        }
        rounded = size_in_words(node.size_bytes)
        return [
            Fact(
                gettext("Size"),
                exact if rounded.replace("\N{NO-BREAK SPACE}", " ") == exact else f"{rounded} ({exact})",
            )
        ]
    if "view" not in node.capabilities:
        return []
    children = api.list_children(actor=request.actor, node_id=node.id, limit=1)
    return [Fact(gettext("Contains"), presentation.describe_totals(children.total_count, children.total_bytes or 0))]


def describe_many(nodes: Sequence[Node]) -> list[Fact]:
    """Tell what several nodes are together."""
    kinds = Counter(presentation.label_of(node) for node in nodes)
    files = [node for node in nodes if node.size_bytes is not None]
    facts = [
        Fact(gettext("Types"), ", ".join(f"{number_format(count)} × {label}" for label, count in kinds.most_common()))
    ]
    if files:
        total = size_in_words(sum(node.size_bytes or 0 for node in files))
        folders = len(nodes) - len(files)
        text = gettext("%(size)s, without what lies in folders") % {"size": total} if folders else total
        facts.append(Fact(gettext("Size of the files"), text))
    moments = [node.modified_at for node in nodes]
    facts += [
        Fact(gettext("Last modified"), moment=max(moments)),
        Fact(gettext("First modified"), moment=min(moments)),
    ]
    return facts


def name_maker(request: PersonRequest, node: Node) -> str:
    """Name who made a node as the page calls them: a member, or who has sent it through a link."""
    user_id = node.created_by
    if user_id == request.actor.user_id:
        return gettext("You")
    named = naming.finder().find_names(request.actor, people={user_id}, sent={node.id})
    return named.senders.get(node.id) or named.people.get(user_id) or gettext("A former member")
