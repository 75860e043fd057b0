"""Answers that belong to no module: what a browser or a program gets when a request is refused before it reaches one."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bitvault.kernel import errors
from bitvault.web import problems


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Tell a browser that its form came without the right token, and what to do."""
    return answer(request, errors.Forbidden("The page was open too long or came from elsewhere. Load it again."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses to read: broken encoding, too many fields."""
    return answer(request, problems.find_known(exception) or errors.Malformed())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a page that the person may not see."""
    return answer(request, errors.Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that no route takes."""
    return answer(request, errors.NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a defect of ours: an id to ask for, and nothing about the inside."""
    return answer(request, problems.InternalError())


def answer(request: HttpRequest, error: errors.BitVaultError) -> HttpResponse:
    """Tell a program or a browser what was refused, in its own form."""
    if request.path.startswith("/api/") or "text/html" not in request.headers.get("Accept", ""):
        return problems.render(error)
    return render(request, "errors/problem.html", {"error": error}, status=error.status)
