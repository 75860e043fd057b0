"""The module's pages: parse, door, render."""

from django.http import HttpResponse
from django.shortcuts import render

from apps.example_module import api
from bitvault.web.pages import MemberPage, PersonRequest


class VersionsPage(MemberPage):
    """Versions that the reader has committed."""

    section = "example_module"

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show the newest ones, or those behind a cursor."""
        page = api.list_versions(actor=request.actor, cursor=request.GET.get("cursor") or None)
        return render(request, "example_module/versions.html", {"page": page})
