"""Pages that belong to no module: what a browser sees when a request is refused before it reaches one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Tell a browser that its form came without the right token, and what to do."""
    return render(request, "errors/csrf.html", status=403)
