"""What every page's template knows about its surroundings."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from bitvault.kernel import tenancy


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Give templates the tenant, the CSRF cookie's name and the sockets' address."""
    return {
        "tenant": tenancy.find_current(),
        "csrf_cookie_name": settings.CSRF_COOKIE_NAME,
        "socket_url": settings.BITVAULT_SOCKET_URL,
        "base_url": settings.BITVAULT_BASE_URL,
    }
