"""What operators may ask for while they look at a tenant as one of its members, and how the tenant's audit log is told of it.

They read, and change nothing. Routes are open to them that are named here, and no other: one that is new is closed. Never open are
credentials, settings of sign-in, addresses of links, the audit log, and what leads out of the vault. What the member may do with a node is
judged as for themselves, by an actor that can view and not download (``kernel.actor``); contents are open where the
tenant's policy says so.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgspec
import structlog
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse

from apps.admin_platform import api as administration
from bitvault.kernel import tenancy
from bitvault.kernel.errors import NotFound
from bitvault.kernel.impersonation import Impersonation, ImpersonationClosed, ImpersonationReadOnly
from bitvault.kernel.request import current_origin, set_origin
from bitvault.web.problems import CONTENT_TYPE
from bitvault.web.viewer import Viewer

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

LOOKED, REFUSED = "identity.impersonation.looked", "identity.impersonation.refused"
REPEATED = "identity.impersonation.repeated"
FIRST_REFUSAL = 400

_NAMES = (
    "nodes/by-path",
    "nodes/<node_ref:node_id>",
    "nodes/<node_ref:node_id>/children",
    "nodes/<uuid:node_id>/history",
    "nodes/<node_ref:node_id>/path",
    "nodes/<uuid:node_id>/versions",
    "nodes/<uuid:node_id>/versions/<uuid:version_id>",
    "nodes/<uuid:node_id>/retention",
    "nodes/<uuid:node_id>/shares",
    "nodes/<uuid:node_id>/access",
    "nodes/<uuid:node_id>/shortcuts",
    "nodes/<node_ref:node_id>/activity",
    "nodes/<uuid:node_id>/scan",
    "team-folders",
    "team-folders/<uuid:folder_id>",
    "trash",
    "access-requests",
    "shortcuts",
    "shared/left",
    "shared/with-me",
    "shared/by-me",
    "me",
    "pictures",
    "pictures/<uuid:picture_id>",
    "members",
    "groups",
    "groups/<uuid:group_id>/members",
    "groups/<uuid:group_id>/members/<uuid:user_id>",
    "roles",
    "tenant",
    "quotas",
    "usage",
    "usage/seats",
    "usage/history",
    "features",
    "features/<str:key>",
    "sync/conflicts",
    "notifications",
    "notifications/preferences",
    "subscriptions",
    "activity",
    "favourites",
    "recents",
    "tags",
    "tags/<uuid:tag_id>/nodes",
    "marks",
    "jobs",
    "jobs/<uuid:job_id>",
)

_PAGES = (
    "",
    "files/",
    "files/<uuid:node_id>/",
    "files/<uuid:node_id>/position",
    "files/details/properties",
    "files/details/versions",
    "files/details/retention",
    "files/owners",
    "teams/",
    "trash/",
    "trash/position",
    "trash/<uuid:root_id>/",
    "trash/<uuid:root_id>/position",
    "shared/",
    "shared/by-me/",
    "shared/details",
    "shared/requests/",
    "shared/shortcuts",
    "shared/badges",
    "groups/",
    "groups/<uuid:group_id>/",
    "members/",
    "roles/",
    "settings/",
    "settings/team/",
    "settings/notifications/",
    "conflicts/",
    "notifications/",
    "notifications/panel/",
    "activity/",
    "activity/details",
    "usage/",
    "features/",
    "favourites/",
    "recents/",
    "tags/",
    "tags/<uuid:tag_id>/",
    "annotations/details/tags",
    "scanning/details",
    "scanning/marks",
)

_CONTENTS = (
    "nodes/<node_ref:node_id>/content",
    "nodes/<uuid:node_id>/preview",
    "nodes/<uuid:node_id>/text",
    "nodes/<uuid:node_id>/searched-text",
    "nodes/<uuid:node_id>/comments",
    "nodes/<uuid:node_id>/description",
    "nodes/<uuid:node_id>/metadata",
    "previews",
    "search",
    "search/suggest",
)

_PAGES_OF_CONTENTS = (
    "search/",
    "previews/details",
    "annotations/description",
    "annotations/details/comments",
    "annotations/details/description",
    "annotations/details/metadata",
)

OPEN = frozenset({*(f"api/v1/{route}" for route in _NAMES), *_PAGES})
"""Routes that may be read, as the URL configuration spells them."""

OPEN_WITH_CONTENTS = frozenset({*(f"api/v1/{route}" for route in _CONTENTS), *_PAGES_OF_CONTENTS})
"""Routes that may be read besides where the tenant lets support open files: contents, or what people wrote of them."""

logger = structlog.get_logger(__name__)


def settle(request: HttpRequest, viewer: Viewer) -> None:
    """Note whose request it is, and refuse what is not open.

    :raises ImpersonationReadOnly: it would change something.
    :raises ImpersonationClosed: the route is not open to operators, or only with another policy of the tenant.
    """
    found = viewer.actor.impersonation
    assert found is not None  # noqa: S101 - for the type: asked by the caller
    request.impersonation = found  # type: ignore[attr-defined] # for the audit log and the banner
    request.viewer = viewer  # type: ignore[attr-defined] # a page that refuses shows the banner too
    request.actor = viewer.actor  # type: ignore[attr-defined] # as above
    set_origin(replace(current_origin(), operator_id=found.operator_id, on_behalf_of=viewer.id))
    if request.method not in SAFE_METHODS:
        raise ImpersonationReadOnly
    route = request.resolver_match.route if request.resolver_match else ""
    if route not in OPEN and not (found.may_open and route in OPEN_WITH_CONTENTS):
        raise ImpersonationClosed


def may_be_repeat(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell whether a page may have asked for it by itself, so that the same again is counted and not written each time.

    Only what was read (GET) and answered, of a route that gives names and no contents, and that no person went to: browsers say of each
    request whether it leads somewhere (``Sec-Fetch-Mode: navigate``), and our pages of a link that was followed within them
    (``HX-Boosted``). Whoever sends other headers gains nothing: the first request of an address is an entry in any case, and each later
    one is counted.
    """
    route = request.resolver_match.route if request.resolver_match else ""
    return (
        request.method == "GET"
        and response.status_code < FIRST_REFUSAL
        and route in OPEN
        and request.headers.get("Sec-Fetch-Mode", "navigate") != "navigate"
        and "HX-Boosted" not in request.headers
    )


class Impersonations:
    """Write down, in the tenant's audit log, each request of an operator who looks at it, and count what pages repeat."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._get_response(request)
        found: Impersonation | None = getattr(request, "impersonation", None)
        if found is not None:
            self._record(request, response, found)
        return response

    @staticmethod
    def _record(request: HttpRequest, response: HttpResponse, found: Impersonation) -> None:
        actor, match = request.actor, request.resolver_match  # type: ignore[attr-defined] # set with the impersonation
        is_refused = response.status_code >= FIRST_REFUSAL and response.status_code != NotFound.status
        payload: dict[str, Any] = {
            "impersonation_id": found.id,
            "on_behalf_of": actor.user_id,
            "method": request.method,
            "route": match.route if match else "",
            "status": response.status_code,
        }
        if response.get("Content-Type") == CONTENT_TYPE:
            payload["code"] = msgspec.json.decode(response.content)["code"]
        named = match.kwargs.get("node_id") if match else None
        act: dict[str, Any] = {
            "event_type": REFUSED if is_refused else LOOKED,
            "actor_id": found.operator_id,
            "node_id": named if hasattr(named, "hex") else None,
            "payload": payload,
        }
        try:
            with tenancy.entered(actor.tenant):
                if may_be_repeat(request, response):
                    key = f"{found.id} {request.get_full_path()}"
                    administration.record_repeatable_act(**act, repeated_type=REPEATED, key=key)
                else:
                    administration.record_act(**act)
        except DatabaseError:
            logger.exception("act_not_recorded", impersonation=str(found.id))
