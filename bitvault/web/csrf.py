"""Proof that a page of ours sent a change: a browser adds its cookie to whatever any page sends, so the cookie alone proves nothing."""

from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import CSRFCheck

from bitvault.kernel.errors import Forbidden

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class CsrfFailed(Forbidden):
    """A change by session came without the proof that a page of ours sent it."""

    code = "identity.csrf_failed"
    title = "The request did not come from a page of this vault"


def require_proof(request: HttpRequest) -> None:
    """Refuse a change that does not carry the CSRF token of this browser, or that another origin sends.

    :raises CsrfFailed: the token, ``Origin``, ``Referer`` or ``Sec-Fetch-Site`` is missing or wrong.
    """
    if request.method in SAFE_METHODS:
        return
    require_own_origin(request)
    check = CSRFCheck(_no_view)
    check.process_request(request)
    reason = check.process_view(request, _no_view, (), {})
    if reason is not None:
        raise CsrfFailed("Send the CSRF token in the header X-CSRFToken. (%(reason)s)", reason=reason)


def require_own_origin(request: HttpRequest) -> None:
    """Refuse what a browser says another origin sends; tenants' hosts are siblings, so the same site is not enough.

    :raises CsrfFailed: ``Origin`` or ``Sec-Fetch-Site`` tells of another origin.
    """
    # Not from ``headers``, which may have been read before the spelling was settled (``address.settle_host``).
    origin = request.META.get("HTTP_ORIGIN")
    if origin is not None and origin != f"{request.scheme}://{request.get_host()}":
        raise CsrfFailed("The request comes from another origin.")
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        raise CsrfFailed("The request comes from another origin.")


def _no_view(*_: object) -> HttpResponse:
    """Stand where Django's middleware asks for a view; the check never calls it."""
    return HttpResponse()
