"""Every administrative route names the permission that it needs: by its view, where the check stands that the test meets."""

import uuid

import pytest
from django.urls import URLPattern, get_resolver
from rest_framework.permissions import SAFE_METHODS

from apps.identity import models, queries
from bitvault.kernel import clock
from bitvault.kernel.actor import Actor, Role, Scope
from bitvault.kernel.permissions import CHOOSABLE, Permission
from bitvault.web import shell
from bitvault.web.pages import MemberPage
from bitvault.web.permissions import HasPermission, HasScope
from tests.support.client import ApiClient
from tests.support.surface import operations
from tests.support.world import ACME

MISSING = "identity.permission_missing"


def scope_for(view, method):
    (permission,) = view.permission_classes
    if not issubclass(permission, HasScope):
        return None
    return permission.read if method in SAFE_METHODS else permission.write


def named_by(view, method):
    (permission,) = view.permission_classes
    return permission.names_for(method) if issubclass(permission, HasPermission) else ()


ADMINISTRATIVE = [(route, method) for route, method, _ in operations() if scope_for(route.view, method) is Scope.ADMIN]
NAMED = [(route, method) for route, method, _ in operations() if named_by(route.view, method)]


def test_every_administrative_route_names_the_permission_that_it_needs():
    assert len(ADMINISTRATIVE) > 30
    assert [f"{method} {route.path}" for route, method in ADMINISTRATIVE if not named_by(route.view, method)] == []


def test_every_permission_is_needed_by_a_route_or_is_asked_where_something_is_shared():
    named = {permission for route, method in NAMED for permission in named_by(route.view, method)}
    assert set(Permission) - named <= {Permission.SHARE_OUTSIDE, Permission.MAKE_LINKS}


@pytest.fixture
def give(db, acme):
    """Give Mia a role with exactly these permissions; returns a client of hers."""

    def to_mia(permissions):
        models.Membership.objects.filter(user_id=ACME.people["mia"].user_id).update(custom_role=None)
        models.CustomRole.objects.filter(tenant_id=acme.id).delete()
        role = models.CustomRole.objects.create(
            tenant_id=acme.id,
            name="some",
            base="member",
            permissions=sorted(permissions),
            created_at=clock.now(),
        )
        models.Membership.objects.filter(user_id=ACME.people["mia"].user_id).update(custom_role=role)
        queries.forget_remembered()
        return ApiClient(token=ACME.people["mia"].token, raise_request_exception=False)

    return to_mia


def ask(client, route, method):
    values = {
        name: uuid.uuid4() if name.endswith("_id") else f"user:{uuid.uuid4()}" if name == "scope" else "nothing"
        for name in route.parameters
    }
    answer = client.request(method, route.at(**values), {} if method not in SAFE_METHODS else None)
    return answer.status_code, (answer.json()["code"] if answer.status_code >= 400 else None)


def test_a_route_lets_in_whose_role_has_its_permission_and_refuses_who_has_all_others(give):
    groups = {named_by(route.view, method) for route, method in NAMED}
    for named in groups:
        without = give(set(CHOOSABLE) - set(named))
        theirs = [(route, method) for route, method in NAMED if named_by(route.view, method) == named]
        for route, method in theirs:
            (permission,) = route.view.permission_classes
            if not permission.others:
                assert ask(without, route, method) == (403, MISSING), (method, route.path)
        for one in set(named) & set(CHOOSABLE):
            client = give({one})
            for route, method in theirs:
                status, code = ask(client, route, method)
                assert status < 500, (method, route.path, one)
                assert code != MISSING, (method, route.path, one)


def pages():
    found = []

    def walk(patterns):
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                view = getattr(pattern.callback, "view_class", None)
                if view is not None and issubclass(view, MemberPage):
                    found.append(view)
            else:
                walk(pattern.url_patterns)

    walk(get_resolver("bitvault.gateway.urls").url_patterns)
    return found


def test_every_page_of_administration_names_a_permission_and_the_rail_shows_it_to_who_has_one(acme, monkeypatch):
    from apps.billing import api as billing

    monkeypatch.setattr(billing, "shows_usage", lambda **_: True)
    sections = {one.key: one for one in shell.sections.all() if one.administration}
    assert set(sections) >= {"members", "groups", "roles", "usage", "audit"}
    found = [view for view in pages() if view.section in sections]
    assert {view.section for view in found} == set(sections)
    for view in found:
        assert view.permissions, view
        for permission in Permission:
            actor = Actor(tenant=acme, user_id=uuid.uuid4(), role=Role.MEMBER, given=frozenset({permission}))
            shown = sections[view.section].visible_to(actor)
            assert shown is (permission in view.permissions), (view.section, permission)
