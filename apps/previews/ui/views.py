"""What the details panel shows of files: a picture. A fragment, fetched beside the list."""

from django.http import HttpResponse
from django.shortcuts import render

from apps.previews import api
from bitvault.web.pages import MemberPage, PersonRequest, read_ids


class Picture(MemberPage):
    """The picture of one file."""

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show it, or that it is being made; a file of which there is none has no such section."""
        ids = read_ids(request)
        found = api.list_previews(actor=request.actor, node_ids=ids, size="medium") if len(ids) == 1 else []
        if not found or found[0].state == "none":
            return HttpResponse(status=204)
        return render(request, "previews/details.html", {"preview": found[0]})
