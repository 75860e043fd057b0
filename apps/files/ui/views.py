"""The pages of folders and of the trash. Everything that changes something goes over REST; these views only show."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, get_args
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext

from apps.files import api
from apps.files.dtos import Children, NodeRef, OpenedTrash, OrderName, SortName
from apps.files.ui import presentation
from bitvault.kernel.errors import NotFound
from bitvault.kernel.permissions import Permission
from bitvault.web import naming, problems
from bitvault.web.pages import MemberPage, PersonRequest, read_ids

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

ROWS = 96
"""Rows of one answer: two screens, 250 kB of HTML at most; the next ones come before the reader is there. Whole blocks of the browser's."""

MOST_ROWS = 1_000_000
"""No folder has so many: bounds the numbers that a query may name."""

_SORTS: dict[str, SortName] = {name: name for name in get_args(SortName)}
_ORDERS: dict[str, OrderName] = {name: name for name in get_args(OrderName)}


class FolderPage(MemberPage):
    """What lies in a folder."""

    section = "files"

    def get(self, request: PersonRequest, node_id: UUID | None = None) -> HttpResponse:
        """Show the first rows, the way here, and what can be done; or that there is nothing here for the reader, and what they can do."""
        try:
            return self._show(request, node_id)
        except NotFound as error:
            if node_id is None:
                raise
            problems.note(request, error)
            return render(request, "files/missing.html", {"section": "", "node_id": node_id}, status=error.status)

    def _show(self, request: PersonRequest, node_id: UUID | None) -> HttpResponse:
        ref: NodeRef = node_id or "root"
        sort, order = read_order(request)
        opened = api.open_folder(actor=request.actor, node_id=ref, limit=ROWS, sort=sort, order=order)
        path = opened.path
        folder = path.items[-1]
        crumbs = presentation.to_crumbs(path)
        if opened.children is None:
            return redirect(crumbs[-2].href if len(crumbs) > 1 else "/files/")
        if node_id is not None and crumbs[-1].href == "/files/":
            return redirect("/files/")
        href = crumbs[-1].href
        in_team = path.team_folder_id is not None
        context = {
            "section": "files" if path.is_own else "teams" if in_team else "",
            **to_rows(opened.children, name_owners(request, opened.children)),
            "folder": crumbs[-1],
            "root_id": path.items[0].id if path.is_own else "",
            "team_folder_id": path.team_folder_id,
            "root_is_shown": path.is_own and len(path.items) == 1,
            "parent": crumbs[-2] if len(crumbs) > 1 else None,
            "crumbs": crumbs,
            "hidden_crumbs": [step for crumb in crumbs for step in crumb.hidden],
            "rules": opened.rules,
            "may_write": "edit" in folder.capabilities,
            "may_manage": "manage" in folder.capabilities,
            "capabilities": " ".join(folder.capabilities),
            "columns": presentation.to_columns(href, sort, order),
            "sort_choices": presentation.to_sort_choices(href, sort, order),
            "sort": sort,
            "order": order,
            "blank_row": presentation.BLANK_ROW,
        }
        return render(request, "files/folder.html", context)


class FolderPosition(MemberPage):
    """Where rows of a long list are that its page has not read: the page shows a part of it, and jumps."""

    def get(self, request: PersonRequest, node_id: UUID) -> HttpResponse:
        """Give the cursor of the rows from index ``at`` on, or the index of the next name that begins with ``name`` behind ``after``."""
        sort, order = read_order(request)
        where: dict[str, Any] = {"actor": request.actor, "node_id": node_id, "sort": sort, "order": order}
        if prefix := request.GET.get("name"):
            return JsonResponse(
                {"index": api.find_index(**where, prefix=prefix, after=read_index(request, "after", -1))}
            )
        return JsonResponse({"cursor": api.find_cursor(**where, at=read_index(request, "at", 0))})


class Owners(MemberPage):
    """Names of who made nodes, for rows that come while a page is open."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Name the people of ``ids``; at most a hundred are looked for, and who is no member has no name."""
        ids = read_ids(request)
        named = naming.finder().find_names(request.actor, people=ids).people if ids else {}
        return JsonResponse({str(user_id): name for user_id, name in named.items()})


class TeamsPage(MemberPage):
    """Folders of the whole tenant."""

    section = "teams"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show those that the reader reaches, and to who administers the tenant those that have ended."""
        actor = request.actor
        folders = api.open_team_folders(actor=actor)
        context = {
            "teams": [presentation.to_team_row(folder) for folder in folders.live],
            "ended": [presentation.to_team_row(folder) for folder in folders.ended],
            "administers": actor.may(Permission.MANAGE_TEAM_FOLDERS),
        }
        return render(request, "files/teams.html", context)


class TrashPage(MemberPage):
    """What was deleted from a root and is kept for a while."""

    section = "trash"

    def get(self, request: PersonRequest, root_id: UUID | None = None) -> HttpResponse:
        """Show the first rows, and which other roots have a trash of their own."""
        opened = api.open_trash(actor=request.actor, root_id=root_id or "root", limit=ROWS)
        here = next((one for one in opened.teams if one.id == root_id), None)
        root_name = here.name if here else presentation.ROOT_NAME
        context = {
            **to_trash_rows(opened, root_id, root_name),
            "root_id": root_id or "",
            "root_name": root_name,
            "teams": opened.teams,
        }
        return render(request, "files/trash.html", context)


class TrashPosition(MemberPage):
    """Where rows of a long trash are that its page has not read."""

    def get(self, request: PersonRequest, root_id: UUID | None = None) -> HttpResponse:
        """Give the cursor of the rows from index ``at`` on, or the index of the next name that begins with ``name`` behind ``after``."""
        where: dict[str, Any] = {"actor": request.actor, "root_id": root_id or "root"}
        if prefix := request.GET.get("name"):
            after = read_index(request, "after", -1)
            return JsonResponse({"index": api.find_trash_index(**where, prefix=prefix, after=after)})
        return JsonResponse({"cursor": api.find_trash_cursor(**where, at=read_index(request, "at", 0))})


def read_order(request: HttpRequest) -> tuple[SortName, OrderName]:
    """Read the wanted order; a word that is none is the usual order, since people edit addresses."""
    return _SORTS.get(request.GET.get("sort", ""), "name"), _ORDERS.get(request.GET.get("order", ""), "asc")


def read_index(request: HttpRequest, name: str, default: int) -> int:
    """Take an index of a row from a query; what is none counts as left out."""
    try:
        return min(max(int(request.GET.get(name, default)), -1), MOST_ROWS)
    except ValueError:
        return default


def name_owners(request: PersonRequest, page: Children) -> dict[UUID, str]:
    """Name who made the nodes of a page; oneself is "You", and a folder of one's own asks nobody."""
    actor = request.actor
    others = {node.created_by for node in page.items} - {actor.user_id}
    named = naming.finder().find_names(actor, people=others).people if others else {}
    return {**named, actor.user_id: gettext("You")}


def to_rows(page: Children, owners: Mapping[UUID, str]) -> dict[str, Any]:
    """Give the first rows of a folder, what all of it is, and where the next ones are."""
    return {
        "rows": [presentation.to_row(node, owners) for node in page.items],
        "next_cursor": page.next_cursor or "",
        "total_count": page.total_count,
        "total_bytes": page.total_bytes,
        "totals": presentation.describe_totals(page.total_count, page.total_bytes or 0),
    }


def to_trash_rows(page: OpenedTrash, root_id: UUID | None, root_name: "StrOrPromise") -> dict[str, Any]:
    """Give the first rows of the trash of a root, how many there are, and where the next ones are."""
    return {
        "rows": [presentation.to_trash_row(node, root_name) for node in page.items],
        "blank_row": presentation.BLANK_TRASH_ROW,
        "next_cursor": page.next_cursor or "",
        "total_count": page.total_count,
        "totals": presentation.describe_totals(page.total_count, 0),
        "may_delete": not page.items or "manage" in page.items[0].capabilities,
    }
