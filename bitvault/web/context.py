"""What every page's template knows about its surroundings."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from bitvault.kernel import tenancy
from bitvault.web import catalogue
from bitvault.web.address import socket_origin
from bitvault.web.brand import find_brand
from bitvault.web.languages import time_zone_of
from bitvault.web.shell import Frame


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Give templates the tenant, the frame, addresses that the installation names and the CSRF cookie's name."""
    tenant = tenancy.find_current()
    return {
        "tenant": tenant,
        "brand": find_brand(tenant),
        "frame": Frame(request),
        "viewer": getattr(request, "viewer", None),
        "impersonation": getattr(request, "impersonation", None),
        "time_zone": time_zone_of(getattr(request, "viewer", None)),
        "catalogue_url": catalogue.address(translation.get_language() or settings.LANGUAGE_CODE),
        "density": request.COOKIES.get("density", ""),
        "section": getattr(request, "section", ""),
        "home_url": home_url(request),
        "sign_in_url": settings.LOGIN_URL,
        "csrf_cookie_name": settings.CSRF_COOKIE_NAME,
        "socket_url": socket_url(request),
        "base_url": settings.BITVAULT_BASE_URL,
    }


def home_url(request: HttpRequest) -> str:
    """Tell where the reader begins: guests have no files of their own."""
    viewer = getattr(request, "viewer", None)
    is_guest = viewer is not None and viewer.actor.is_guest
    return settings.BITVAULT_GUEST_HOME if is_guest else settings.LOGIN_REDIRECT_URL


def socket_url(request: HttpRequest) -> str:
    """Tell a page where its sockets are; empty for its own origin.

    Behind a front pages and sockets are one origin, and BITVAULT_SOCKET_URL is empty.
    """
    return socket_origin(request) if settings.BITVAULT_SOCKET_URL else ""
