"""Every route is of some class, and says so."""

import pytest
from django.http import HttpResponse
from django.urls import path
from django.views import View as DjangoView

from bitvault.web.limits import routes
from bitvault.web.limits.policies import DEFAULTS, RouteClass
from tests.support.routes import list_routes

URLCONFS = ("bitvault.gateway.urls", "bitvault.gateway.urls_bare", "bitvault.gateway.urls_operators")


def unsaid(urlconf):
    return [str(route) for route in list_routes(urlconf) if routes.find_said(route.callback) is routes.UNSAID]


@pytest.mark.parametrize("urlconf", URLCONFS)
def test_every_route_says_of_what_class_it_is(urlconf):
    assert len(list_routes(urlconf)) > 5
    assert unsaid(urlconf) == []


def test_a_route_that_says_nothing_is_found():
    class Page(DjangoView):
        pass

    class Urls:
        urlpatterns = [path("function", lambda _: HttpResponse()), path("page", Page.as_view())]

    assert unsaid(Urls) == ["function", "page"]


def test_every_class_has_a_policy_but_that_of_health():
    assert {RouteClass(name) for name in DEFAULTS if name in set(RouteClass)} == set(RouteClass) - {RouteClass.HEALTH}


def test_routes_are_of_the_class_that_they_cost():
    said = {str(route): routes.find_said(route.callback) for urlconf in URLCONFS for route in list_routes(urlconf)}
    by_class = {kind: {route for route, one in said.items() if one is kind} for kind in RouteClass}
    assert by_class[RouteClass.HEALTH] == {"healthz", "certificates/ask"}
    assert by_class[RouteClass.HEAVY] == {
        *("api/v1/audit/verify", "api/v1/audit/export", "api/v1/audit/export.csv", "api/v1/sync/snapshot"),
        *("api/v1/payment/plan", "api/v1/payment/portal"),
    }
    assert by_class[RouteClass.SIGN_IN] == {
        *("api/v1/auth/login", "sign-in/", "sign-up/", "enter/", "support/enter/", "admin/login/"),
        *("api/v1/auth/password/forgot", "api/v1/auth/password/reset", "api/v1/auth/email/verify"),
        *("forgot-password/", "reset-password/", "verify-email/"),
        *("invitation/", "api/v1/public/invitations/<str:code>"),
    }
    assert by_class[RouteClass.PUBLIC] == {
        route
        for route in said
        if route.startswith(("s/<str:token>", "api/v1/public/links/", "api/v1/public/logo/", "payment/stripe"))
    }
    assert len(by_class[RouteClass.PUBLIC]) == 20
    assert by_class[RouteClass.UPLOAD] == {route for route in said if route.startswith("api/v1/uploads")}


@pytest.mark.parametrize(
    ("said", "method", "chosen"),
    [
        (None, "GET", RouteClass.READ),
        (None, "HEAD", RouteClass.READ),
        (None, "OPTIONS", RouteClass.READ),
        (None, "DELETE", RouteClass.WRITE),
        (None, "BREW", RouteClass.WRITE),
        (routes.UNSAID, "POST", RouteClass.WRITE),
        (RouteClass.UPLOAD, "GET", RouteClass.UPLOAD),
        (RouteClass.SIGN_IN, "POST", RouteClass.SIGN_IN),
        (RouteClass.SIGN_IN, "GET", RouteClass.READ),
    ],
)
def test_a_request_is_of_its_routes_class_or_counts_by_its_method(said, method, chosen):
    assert routes.choose(said, method) is chosen
