"""Who makes a request: the holder of a bearer token, on any host, or who is signed in at the tenant's host.

A token is read from the ``Authorization`` header alone: what stands in a query string is kept in histories and logs. Each way costs one
query, and one more for the permissions that the actor has; a token that was seen within the last 0.8 s costs none.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, cast
from uuid import UUID

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request

from apps.identity import api as identity
from apps.sharing import api as sharing
from apps.sync import api as sync
from apps.sync.errors import DeviceEnded
from bitvault.gateway import impersonation
from bitvault.kernel import tenancy
from bitvault.kernel.actor import Actor
from bitvault.kernel.errors import Denied, NotFound, Unauthenticated
from bitvault.kernel.request import DEVICE_HEADER, current_origin, set_origin
from bitvault.web.address import client_address
from bitvault.web.csrf import require_proof
from bitvault.web.viewer import Viewer

if TYPE_CHECKING:  # DRF loads this class while the view base is being defined
    from bitvault.web.requests import ActorRequest


class Credentials(BaseAuthentication):
    """Finds the actor of a REST request and enters their tenant for the rest of it."""

    def authenticate(self, request: Request) -> tuple[Actor, None]:
        """Tell who asks; ``request.actor`` is theirs.

        :raises Unauthenticated: nobody, or nobody who is let in.
        :raises NotFound: the token belongs to another tenant than the host.
        :raises CsrfFailed: a change by session without proof.
        :raises DeviceEnded: the request names a device that is none of theirs, or not any more.
        """
        actor = find_actor(request._request)  # noqa: SLF001 - DRF's way to the request of Django
        if actor is None:
            raise Unauthenticated().about(_find_refused(request))
        view = request.parser_context.get("view")
        if actor.session_id is None:
            actor = with_reach(actor, fresh=getattr(view, "needs_fresh_reach", False))
        cast("ActorRequest", request).actor = actor
        cast("ActorRequest", request._request).actor = actor  # noqa: SLF001 - for what stands around the view
        _note_origin(request, actor)
        return actor, None

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme for ``WWW-Authenticate``."""
        return "Bearer"


def with_reach(actor: Actor, *, fresh: bool) -> Actor:
    """Give the actor the permissions that they have.

    A session's are read for each request, as the session itself is: whoever is given something finds it there at once. A token's are
    remembered as long as the token is.
    """
    return replace(actor, reach=sharing.find_reach(actor=actor, fresh=fresh))


def _note_origin(request: Request, actor: Actor) -> None:
    """Take down by which token a request comes, and which device sends it where it says so: events and conflicted copies tell of them."""
    if actor.token_id is not None:
        set_origin(replace(current_origin(), token_id=actor.token_id))
    text = request.headers.get(DEVICE_HEADER)
    if text is None:
        return
    try:
        device_id = UUID(text)
    except ValueError as error:
        raise DeviceEnded from error
    device = sync.get_device(actor=actor, device_id=device_id)
    set_origin(replace(current_origin(), device_id=device.id, device_name=device.name))


def _find_refused(request: Request) -> Denied | None:
    """Tell whose the session was that a request brings and nobody is let in with."""
    tenant = tenancy.find_current()
    return None if tenant is None else identity.find_refused_session(session=request._request.session, tenant=tenant)  # noqa: SLF001 - DRF's way to the request of Django


def find_actor(request: HttpRequest) -> Actor | None:
    """Find who makes a request and enter their tenant; a header that names a credential is never passed over for a cookie."""
    header = request.headers.get("Authorization")
    if header is not None:
        return _by_token(request, header)
    return _by_session(request)


def _by_token(request: HttpRequest, header: str) -> Actor:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    actor = identity.get_actor_by_token(text=text.strip(), address=client_address(request))
    of_host = tenancy.find_current()
    if of_host is None:
        tenancy.enter(actor.tenant)
    elif of_host.id != actor.tenant.id:
        # The same answer as for any other thing of another tenant: whose token it is stays untold.
        raise NotFound
    return actor


def _by_session(request: HttpRequest) -> Actor | None:
    viewer = find_viewer(request)
    if viewer is None:
        return None
    require_proof(request)
    return viewer.actor


def find_viewer(request: HttpRequest) -> Viewer | None:
    """Find who is signed in at the host that is asked: for REST by session, and for pages (``BITVAULT_VIEWER_FINDER``)."""
    tenant = tenancy.find_current()
    if tenant is None:
        return None
    found = identity.find_viewer(session=request.session, tenant=tenant, address=client_address(request))
    if found is None:
        return None
    user = found.user
    viewer = Viewer(
        actor=with_reach(found.actor, fresh=True),
        name=user.name,
        email=user.email,
        email_proved=user.email_proved,
        locale=user.locale,
        time_zone=user.time_zone,
    )
    if viewer.actor.impersonation is not None:
        impersonation.settle(request, viewer)
    return viewer
