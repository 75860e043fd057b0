"""The base of every REST view: parse → door → render. No try, no query and no rule stands in a view.

Each step is DRF's own: bodies are read by ``parsers``, credentials found by ``gateway.authentication``, scopes asked for by
``permissions``, requests counted by ``limits.throttles``, lists cut by ``pagination``, answers written by ``renderers``, errors rendered by
``problems``. ``settings.REST_FRAMEWORK`` names them.
"""

from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

import msgspec
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bitvault.events.api import answer_with_head
from bitvault.kernel import db, errors, tenancy
from bitvault.kernel.actor import Scope
from bitvault.web import guests, idempotency
from bitvault.web.limits import routes
from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.throttles import ActorThrottle, AddressThrottle
from bitvault.web.operations import Operation, find_operation
from bitvault.web.pagination import KeysetPagination
from bitvault.web.permissions import HasScope
from bitvault.web.requests import ActorRequest

KEY_HEADER = "Idempotency-Key"

SETTLING = frozenset({"PUT", "PATCH", "DELETE"})
"""Methods that say how something is to be; sent again, they change nothing."""


class View(APIView):
    """A REST resource. It is for whoever may read and write files, unless it names other ``permission_classes``."""

    request: ActorRequest
    permission_classes = [HasScope.of(Scope.FILES_READ, write=Scope.FILES_WRITE)]
    throttle_classes = [ActorThrottle, AddressThrottle]
    pagination_class = KeysetPagination

    limit_class: ClassVar[RouteClass | None] = None
    counts_itself: ClassVar[bool] = True
    publishes: ClassVar[bool] = True
    """Whether what the route changes is an event: then a change tells its number, also when it was there already."""
    needs_fresh_reach: ClassVar[bool] = False
    """Whether what the caller may reach is read for each request: the feed follows at once what its device was told of."""

    @classmethod
    def is_public(cls) -> bool:
        """Tell whether the route asks for no credential."""
        return not cls.authentication_classes

    @property
    def operation(self) -> Operation:
        """What the method that is asked for says of itself."""
        return find_operation(getattr(self, str(self.request.method).lower(), None))

    # --- DRF's hooks ---------------------------------------------------------------------------------------------------------

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Wrap Django's request."""
        return ActorRequest(
            request,
            parsers=self.get_parsers(),
            authenticators=self.get_authenticators(),
            negotiator=self.get_content_negotiator(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: ActorRequest, *args: Any, **kwargs: Any) -> None:  # type: ignore[override] # made by initialize_request
        """Let in who may ask, and refuse what the route does not take.

        Throttles come before permissions, other than in DRF: what is refused for its scope counts as well.
        """
        self.format_kwarg = None
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        self.perform_authentication(request)
        self.check_throttles(request)
        self.check_permissions(request)
        if not self.is_public():
            guests.require_open(request._request, request.actor)  # noqa: SLF001 - DRF's way to the request of Django
        request.require_single_parameters()
        key = request.headers.get(KEY_HEADER) if request.method == "POST" else None
        if key is not None:
            if not self.operation.takes_key:
                raise idempotency.KeyNotTaken
            idempotency.require_fit(key)

    def finalize_response(  # type: ignore[override] # problems are plain answers of Django's
        self, request: Request, response: HttpResponse, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Keep answers out of caches, and tell the stream's number with what a PATCH or DELETE found done already.

        Sent again when its answer was lost, it publishes nothing, and tells a number all the same.
        """
        if isinstance(response, Response):
            response.setdefault("Cache-Control", "private, no-store")
            if self.publishes and request.method in SETTLING and db.latest_seq.get() is None and tenancy.find_current():
                try:
                    answer_with_head()
                except DatabaseError as error:
                    response = self.handle_exception(error)
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[arg-type] # as above

    # --- what views use ------------------------------------------------------------------------------------------------------

    def choose_limit_class(self, request: Request) -> RouteClass:
        """Tell of what class a request is (``limits.policies``): ``limit_class``, or to read or to write by its method."""
        return routes.choose(self.limit_class, request.method)

    def paginate(self, list_page: Callable[..., Any]) -> Response:
        """Answer with the page of a list that the request asks for: ``list_page`` is a door that lacks ``limit`` and ``cursor``."""
        paginator = self.pagination_class()
        return paginator.get_paginated_response(paginator.paginate_queryset(list_page, self.request, view=self))

    def repeatable(
        self, request: ActorRequest, act: Callable[[], Any], *, status: int = 201, owner_id: UUID | None = None
    ) -> Response:
        """Run the door of a POST, once for each ``Idempotency-Key``, and answer with what it gave or had given.

        :param owner_id: whose key it is where nobody is signed in.
        :raises KeyUnfit: the key is empty or too long.
        :raises KeyReused: the key came with another request before.
        """
        text = request.headers.get(KEY_HEADER)
        if text is None:
            return Response(act(), status=status)
        key = idempotency.Key.of(
            user_id=owner_id or request.actor.user_id,
            credential_id=None if owner_id else request.actor.token_id or request.actor.session_id,
            route=request.resolver_match.route if request.resolver_match else "",
            text=text,
            method=str(request.method),
            path=request.path,
            body=request.body,
        )
        answer = idempotency.find_answer(key)
        if answer is None:
            try:
                with idempotency.keeping(key):
                    return Response(act(), status=status)
            except idempotency.Replay as replay:
                answer = replay.answer
            except errors.BitVaultError:
                # Another request with this key may have had the effect that this one now trips over: the name is taken, the thing is
                # gone from the trash, the room is used up.
                answer = idempotency.find_answer(key)
                if answer is None:
                    raise
        answer_with_head()
        return Response(msgspec.Raw(answer), status=status, headers={"Idempotent-Replayed": "true"})


class VisitorView(View):
    """A resource for whoever has its address. It asks for no credential, and does not pass over one that comes: that chooses the tenant."""

    limit_class = RouteClass.PUBLIC
    authentication_classes = []
    permission_classes = [AllowAny]

    def get_authenticators(self) -> list[Any]:
        """Let a credential choose the tenant where the host does not."""
        # The generator of the OpenAPI document has no request yet.
        brings = "Authorization" in getattr(self.request, "headers", {})
        return [kind() for kind in View.authentication_classes] if brings else []
