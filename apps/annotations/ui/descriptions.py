"""The description of a folder: above its list, and in the details panel. Changes go over REST."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render

from apps.annotations.api import descriptions as api
from apps.annotations.ui.markdown import to_html
from apps.files import api as files
from bitvault.web.pages import MemberPage, PersonRequest, read_ids


class FolderDescription(MemberPage):
    """The description of a folder as it stands above the list, for a page that is open while it changes."""

    template = "annotations/description.html"
    below = 1
    """Level of the heading that it stands below."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it, and the way to change it for whoever may."""
        ids = read_ids(request)
        if len(ids) != 1:
            return HttpResponse(status=204)
        node = files.get_node(actor=request.actor, node_id=ids[0])
        if node.kind != "folder" or "view" not in node.capabilities:
            return HttpResponse(status=204)
        context = to_context(node.id, may_edit="edit" in node.capabilities, below=self.below)
        return self.show(request, context)

    def show(self, request: PersonRequest, context: dict[str, Any]) -> HttpResponse:
        """Render it; the page keeps the place of one that is not there."""
        return render(request, self.template, context)


class DetailsDescription(FolderDescription):
    """The description of a folder in the details panel, with the way to write one."""

    template = "annotations/details_description.html"
    below = 3

    def show(self, request: PersonRequest, context: dict[str, Any]) -> HttpResponse:
        """Render it; where there is none, whoever may not write one is shown nothing."""
        if not context["text"] and not context["may_edit"]:
            return HttpResponse(status=204)
        return super().show(request, context)


def to_context(node_id: UUID, *, may_edit: bool, below: int) -> dict[str, Any]:
    """Give what a template shows of a folder that the reader views."""
    found = api.find_description(node_id=node_id)
    return {
        "node_id": node_id,
        "text": found.text,
        "revision": found.revision,
        "html": to_html(found.text, below=below) if found.text else "",
        "may_edit": may_edit,
    }
