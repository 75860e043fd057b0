"""The pages of folders and of the trash. Everything that changes something goes over REST; these views only show."""

from typing import Any, get_args
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render

from apps.files import api
from apps.files.dtos import NodeRef, OrderName, SortName
from apps.files.ui import presentation
from apps.identity import api as identity
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import NotFound
from bitvault.web.address import client_address
from bitvault.web.pages import Page, PersonRequest, describe_viewer

ROWS = 100
"""Rows of one answer: two screens, 250 kB of HTML at most; the next ones come before the reader is there."""

MOST_ROWS = 1_000_000
"""No folder has so many: bounds the numbers that a query may name."""

_SORTS: dict[str, SortName] = {name: name for name in get_args(SortName)}
_ORDERS: dict[str, OrderName] = {name: name for name in get_args(OrderName)}


class FilesPage(Page):
    """A page of this module."""

    section = "files"

    def find_actor(self, request: HttpRequest) -> Actor | None:
        """Ask identity who is signed in at this host."""
        return identity.find_actor_by_session(
            session=request.session, tenant=tenancy.current(), address=client_address(request)
        )

    def frame(self, request: PersonRequest) -> dict[str, Any]:
        """Give what the frame around the page shows."""
        user = identity.get_profile(actor=request.actor).user
        viewer = describe_viewer(user_id=user.id, name=user.name, email=user.email, email_proved=user.email_proved)
        return {"viewer": viewer, "section": self.section}


class FolderPage(FilesPage):
    """What lies in a folder."""

    def get(self, request: PersonRequest, node_id: UUID | None = None) -> HttpResponse:
        """Show the first rows, the way here, and what can be done."""
        ref: NodeRef = node_id or "root"
        path = api.list_path(actor=request.actor, node_id=ref)
        folder = path.items[-1]
        crumbs = presentation.to_crumbs(path)
        if folder.kind == "file":
            return redirect(crumbs[-2].href)
        if node_id is not None and crumbs[-1].href == "/files/":
            return redirect("/files/")
        sort, order = read_order(request)
        href = crumbs[-1].href
        in_team = path.team_folder_id is not None
        context = {
            **self.frame(request),
            "section": "teams" if in_team else self.section,
            **list_rows(request, folder.id, sort, order),
            "folder": crumbs[-1],
            "root_id": "" if in_team else path.items[0].id,
            "team_folder_id": path.team_folder_id,
            "may_manage": folder.id == path.team_folder_id and "manage" in folder.rights,
            "parent": crumbs[-2] if len(crumbs) > 1 else None,
            "crumbs": crumbs,
            "hidden_crumbs": [step for crumb in crumbs for step in crumb.hidden],
            "may_write": "edit" in folder.rights,
            "columns": presentation.to_columns(href, sort, order),
            "sort_choices": presentation.to_sort_choices(href, sort, order),
            "sort": sort,
            "order": order,
            "blank_row": presentation.BLANK_ROW,
        }
        return render(request, "files/folder.html", context)


class FolderPosition(FilesPage):
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


class TeamsPage(FilesPage):
    """Folders of the whole tenant."""

    section = "teams"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show those that the reader reaches, and to who administers the tenant those that have ended."""
        actor = request.actor
        ended = api.list_team_folders(actor=actor, ended=True).items if actor.administers else ()
        context = {
            **self.frame(request),
            "teams": [presentation.to_team_row(folder) for folder in api.list_team_folders(actor=actor).items],
            "ended": [presentation.to_team_row(folder) for folder in ended],
            "administers": actor.administers,
        }
        return render(request, "files/teams.html", context)


class TrashPage(FilesPage):
    """What was deleted from a root and is kept for a while."""

    section = "trash"

    def get(self, request: PersonRequest, root_id: UUID | None = None) -> HttpResponse:
        """Show the first rows, and which other roots have a trash of their own."""
        teams = [one for one in api.list_team_folders(actor=request.actor).items if "edit" in one.rights]
        here = next((one for one in teams if one.id == root_id), None)
        if root_id is not None and here is None:
            raise NotFound
        root_name = here.name if here else presentation.ROOT_NAME
        context = {
            **self.frame(request),
            **list_trash_rows(request, root_id, root_name, None),
            "root_id": root_id or "",
            "root_name": root_name,
            "teams": teams,
        }
        return render(request, "files/trash.html", context)


class TrashRows(FilesPage):
    """Further rows of the trash of a root."""

    def get(self, request: PersonRequest, root_id: UUID | None = None) -> HttpResponse:
        """Show the rows after the cursor."""
        root_name = presentation.ROOT_NAME
        if root_id is not None:
            root_name = api.get_team_folder(actor=request.actor, folder_id=root_id).name
        rows = list_trash_rows(request, root_id, root_name, request.GET.get("cursor") or None)
        return render(request, "files/trash_rows.html", rows)


def read_order(request: HttpRequest) -> tuple[SortName, OrderName]:
    """Read the wanted order; a word that is none is the usual order, since people edit addresses."""
    return _SORTS.get(request.GET.get("sort", ""), "name"), _ORDERS.get(request.GET.get("order", ""), "asc")


def read_index(request: HttpRequest, name: str, default: int) -> int:
    """Take an index of a row from a query; what is none counts as left out."""
    try:
        return min(max(int(request.GET.get(name, default)), -1), MOST_ROWS)
    except ValueError:
        return default


def list_rows(request: PersonRequest, folder_id: UUID, sort: SortName, order: OrderName) -> dict[str, Any]:
    """Read the first rows of a folder, what all of it is, and where the next ones are."""
    page = api.list_children(actor=request.actor, node_id=folder_id, limit=ROWS, sort=sort, order=order)
    return {
        "rows": [presentation.to_row(node) for node in page.items],
        "next_cursor": page.next_cursor or "",
        "total_count": page.total_count,
        "total_bytes": page.total_bytes,
        "totals": presentation.describe_totals(page.total_count, page.total_bytes),
    }


def list_trash_rows(request: PersonRequest, root_id: UUID | None, root_name: str, cursor: str | None) -> dict[str, Any]:
    """Read rows of the trash of a root and where the next ones are."""
    page = api.list_trash(actor=request.actor, root_id=root_id or "root", limit=ROWS, cursor=cursor)
    here = f"/trash/{root_id}/" if root_id else "/trash/"
    return {
        "rows": [presentation.to_trash_row(node, root_name) for node in page.items],
        "more_url": f"{here}rows?cursor={page.next_cursor}" if page.next_cursor else None,
        "may_delete": not page.items or "manage" in page.items[0].rights,
    }
