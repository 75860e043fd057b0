"""DRF does DRF's work: every view is put together from the toolkit's parser, renderer, permission and throttle classes."""

import pytest
from django.test import RequestFactory
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from bitvault.kernel.actor import Actor, Role, Scope, ScopeMissing
from bitvault.kernel.errors import Unauthenticated
from bitvault.kernel.tenancy import Tenant
from bitvault.web.limits.throttles import ActorThrottle, AddressThrottle
from bitvault.web.parsers import StructParser
from bitvault.web.permissions import HasActor, HasScope
from bitvault.web.views import View
from tests.support.routes import list_routes

VIEWS = {route.view for route in list_routes("bitvault.gateway.urls_bare") if str(route).startswith("api/v1/")}
each_view = pytest.mark.parametrize(
    "view", sorted(VIEWS, key=lambda view: view.__name__), ids=lambda view: view.__name__
)


@each_view
def test_a_view_says_by_permission_classes_whom_it_lets_in(view):
    (permission,) = view.permission_classes
    assert permission is AllowAny if view.is_public() else issubclass(permission, HasActor)


@each_view
def test_a_view_reads_by_the_one_parser_and_counts_by_the_throttles(view):
    assert view.parser_classes == [StructParser]
    assert view.throttle_classes == [ActorThrottle, AddressThrottle]
    assert len(view.renderer_classes) == 1


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "application/json;q=0", "nonsense", ""])
def test_a_resource_has_one_representation_whatever_is_accepted(api, accept):
    answer = api("mia").request("GET", "/me", headers={"accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def asking(scopes, method):
    request = RequestFactory().generic(method, "/")
    tenant = Tenant(id=None, slug="acme", name="Acme")
    request.actor = Actor(tenant=tenant, user_id=None, role=Role.MEMBER, scopes=frozenset(scopes))
    return request


@pytest.mark.parametrize(
    ("method", "scope"), [("GET", Scope.FILES_READ), ("HEAD", Scope.FILES_READ), ("POST", Scope.ACCOUNT)]
)
def test_reading_and_writing_ask_for_scopes_of_their_own(method, scope):
    permission = HasScope.of(Scope.FILES_READ, write=Scope.ACCOUNT)()
    assert permission.has_permission(asking([scope], method), None)
    with pytest.raises(ScopeMissing):
        permission.has_permission(asking(set(Scope) - {scope}, method), None)


@pytest.mark.parametrize("permission", [HasActor, HasScope.of(Scope.ADMIN)])
def test_nobody_is_let_in_without_an_actor(permission):
    with pytest.raises(Unauthenticated):
        permission().has_permission(RequestFactory().get("/"), None)


def test_a_view_that_says_nothing_is_for_files():
    (permission,) = View.permission_classes
    assert (permission.read, permission.write) == (Scope.FILES_READ, Scope.FILES_WRITE)


def test_an_answer_that_says_nothing_of_caches_is_kept_out_of_them(ask):
    class Kept(View):
        authentication_classes = []
        permission_classes = [AllowAny]

        def get(self, request):
            return Response({}, headers={"Cache-Control": "no-store"})

        def post(self, request):
            return Response({})

    assert ask(Kept)["Cache-Control"] == "no-store"
    assert ask(Kept, "POST")["Cache-Control"] == "private, no-store"
