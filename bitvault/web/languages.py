"""In which language an answer is: what the person has chosen, else the tenant, else the browser."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.cache import patch_vary_headers

from bitvault.kernel import tenancy
from bitvault.web.viewer import Viewer

REST_PREFIX = "/api/"


class Languages:
    """Choose the language of a request before anybody is known: the tenant's, or what ``Accept-Language`` asks for.

    The REST surface goes by ``Accept-Language`` alone; who sends none is answered in English. Pages of members go on to what the
    person has chosen (``use_language_of``). Nothing of it is left for the next request of the thread.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with translation.override(_choose(request)):
            response = self._get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        patch_vary_headers(response, ("Accept-Language",))
        return response


def _choose(request: HttpRequest) -> str:
    tenant = tenancy.find_current()
    if tenant is not None and tenant.locale and not request.path_info.startswith(REST_PREFIX):
        return tenant.locale
    return translation.get_language_from_request(request)


def use_language_of(viewer: Viewer) -> None:
    """Go on in the language that somebody has chosen, until the end of the request."""
    if viewer.locale and viewer.locale in dict(settings.LANGUAGES):
        translation.activate(viewer.locale)


def time_zone_of(viewer: Viewer | None) -> str:
    """Name the zone in which times are shown; empty: the browser's own."""
    tenant = tenancy.find_current()
    chosen = viewer.time_zone if viewer is not None else ""
    return chosen or (tenant.time_zone if tenant is not None else "")
