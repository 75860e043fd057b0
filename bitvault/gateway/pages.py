"""Answers that belong to no module: what a browser or a program gets when a request is refused before it reaches one."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from bitvault.kernel import errors
from bitvault.web import problems


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Tell a browser that its form came without the right token, and what to do."""
    return refuse(request, errors.Forbidden("The page was open too long or came from elsewhere. Load it again."))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django refuses to read: broken encoding, too many fields."""
    return refuse(request, problems.find_known(exception) or errors.Malformed())


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a page that the person may not see."""
    return refuse(request, errors.Forbidden())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a path that no route takes."""
    return refuse(request, errors.NotFound())


def refuse_host(request: HttpRequest) -> HttpResponse:
    """Answer at a host that is nobody's; a browser is shown the way to the address that is."""
    error = errors.NotFound("No vault lives at this address.")
    if not _wants_page(request):
        return problems.render(error)
    start = f"{request.scheme}://{settings.BITVAULT_BASE_HOST}{_port_of(request)}/"
    return render(request, "errors/no_vault.html", {"start": start}, status=error.status)


def _port_of(request: HttpRequest) -> str:
    """Give the port that the browser named, with its colon: the pages of all hosts are at the same one."""
    _host, colon, port = request.META.get("HTTP_HOST", "").rpartition(":")
    return f":{port}" if colon and port.isdecimal() else ""


def _wants_page(request: HttpRequest) -> bool:
    return not request.path.startswith("/api/") and "text/html" in request.headers.get("Accept", "")


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer for a defect of ours: an id to ask for, and nothing about the inside."""
    return refuse(request, problems.InternalError())


def refuse(request: HttpRequest, error: errors.BitVaultError) -> HttpResponse:
    """Answer a refusal as a page to a browser, and as a problem to anybody else."""
    problem = problems.render(error)
    if not _wants_page(request):
        return problem
    page = render(request, "errors/problem.html", {"error": error}, status=error.status)
    if "Retry-After" in problem:
        page["Retry-After"] = problem["Retry-After"]
    return page
