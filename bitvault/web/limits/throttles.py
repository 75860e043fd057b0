"""DRF's throttle classes of the toolkit's views. They count before the view's own work, replays of an ``Idempotency-Key`` too."""

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from bitvault.kernel.actor import Actor
from bitvault.web.limits import counting, policies, routes


class ActorThrottle(BaseThrottle):
    """Limits somebody known: their tenant, them, and their credential by the class of the route."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request.

        :raises TooManyRequests: a limit is reached; it says which, and when the next request passes.
        """
        actor = getattr(request, "actor", None)
        if isinstance(actor, Actor) and policies.switched_on():
            counting.count_actor(request._request, actor, _class_of(request, view))  # noqa: SLF001 - DRF's way to the request of Django
        return True


class AddressThrottle(BaseThrottle):
    """Limits strangers by their address, on views that are public."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request.

        :raises TooManyRequests: a limit is reached; it says which, and when the next request passes.
        """
        if getattr(request, "actor", None) is None and policies.switched_on():
            counting.count_stranger(request._request, _class_of(request, view))  # noqa: SLF001 - DRF's way to the request of Django
        return True


def _class_of(request: Request, view: APIView) -> policies.RouteClass:
    """Ask the view, which may look at the request: the further pages of what is heavy to begin are not."""
    ask = getattr(view, "choose_limit_class", None)
    return ask(request) if ask else routes.choose(getattr(view, "limit_class", None), request.method)
