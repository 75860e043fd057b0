"""What a page's view could not get from a service that does not answer: 503, as the REST surface says it."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from bitvault.gateway.pages import refuse
from bitvault.kernel import errors
from bitvault.web import problems


class Refusals:
    """Answer for services that are away or overloaded. Other errors are a page's own business, or defects."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer for what a view raised (Django's hook); None leaves it to Django."""
        known = problems.find_known(exception)
        return refuse(request, known) if isinstance(known, errors.Unavailable) else None
