"""What every page's template knows about its surroundings."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from bitvault.kernel import tenancy
from bitvault.web.address import socket_origin


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

    Behind a front pages and sockets are one origin, and BITVAULT_SOCKET_URL is empty.
    """
    return socket_origin(request) if settings.BITVAULT_SOCKET_URL else ""
