"""What every page's template knows about its surroundings."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from bitvault.kernel import tenancy


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Give templates the tenant, the CSRF cookie's name and the sockets' address."""
    return {
        "tenant": tenancy.find_current(),
        "csrf_cookie_name": settings.CSRF_COOKIE_NAME,
        "socket_url": socket_url(request),
        "base_url": settings.BITVAULT_BASE_URL,
    }


def socket_url(request: HttpRequest) -> str:
    """Tell a page where its sockets are; empty for its own origin.

    At the page's own host name, whatever the port: that is where the browser sends the session's cookie.
    """
    if not settings.BITVAULT_SOCKET_URL:
        return ""
    sockets = urlsplit(settings.BITVAULT_SOCKET_URL)
    name, _port = split_domain_port(request.get_host())
    return f"{sockets.scheme}://{name}{f':{sockets.port}' if sockets.port else ''}"
