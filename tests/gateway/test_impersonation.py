"""An operator looks at a tenant as one of its members: what they see, what they are refused, who is told, and how it ends."""

import re
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, get_resolver

from apps.admin_platform.models import AuditEntry
from apps.identity import api as identity
from apps.identity import models
from apps.identity.tasks import end_impersonations
from bitvault.gateway import impersonation
from bitvault.kernel import db, tenancy
from bitvault.web import valkey
from bitvault.web.pages import MemberPage
from tests.support.impersonating import MIA, begin, find_link, follow
from tests.support.surface import routes
from tests.support.world import ACME, PASSWORD

NIL = UUID(int=7)
OLGA, VERA = (ACME.people[name] for name in ("olga", "vera"))


def log_of(tenant, *types):
    with tenancy.entered(tenant), db.read_transaction():
        return list(AuditEntry.objects.filter(type__in=types).order_by("number"))


def code_of(answer):
    return answer.json()["code"]


# --- what is seen ------------------------------------------------------------------------------------------------------------


def test_support_sees_what_the_member_sees_with_a_banner_on_each_page(visitor, api):
    mia = api("mia")
    mia.post("/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": "Only of Mia"})
    page = visitor.get("/files/").content.decode()
    assert "Only of Mia" in page
    for path in ("/files/", "/shared/", "/settings/", "/notifications/", "/recents/"):
        page = visitor.get(path).content.decode()
        assert "support-banner" in page, path
        assert "<b>Sue</b> of support" in page
        assert 'action="/support/end/"' in page
    assert visitor.get("/api/v1/me").json()["user"]["email"] == MIA.email
    assert visitor.get("/api/v1/nodes/root/children").json()["items"]


def test_a_page_that_is_refused_has_the_banner_too(visitor):
    answer = visitor.get("/settings/tokens/")
    assert answer.status_code == 403
    assert "support-banner" in answer.content.decode()


def test_nobody_else_has_a_banner(supporter, db):
    begin(supporter)
    browser = Client(headers={"host": "acme.localhost"})
    browser.post("/sign-in/", {"email": MIA.email, "password": PASSWORD})
    assert "support-banner" not in browser.get("/settings/").content.decode()


def test_it_can_view_and_not_download(visitor, api):
    mia = api("mia")
    made = mia.post(
        "/folders", {"parent_id": mia.get("/me").json()["root_id"], "name": f"Box {uuid4().hex[:6]}"}
    ).json()
    seen = visitor.get(f"/api/v1/nodes/{made['id']}").json()
    assert seen["capabilities"] == ["view"]


# --- what is refused ---------------------------------------------------------------------------------------------------------


def fill(route):
    return re.sub(r"<\w+:\w+>|\{\w+\}", str(NIL), route)


def test_whatever_changes_something_is_refused(visitor):
    wrong = []
    for route in routes():
        if route.view.is_public() if hasattr(route.view, "is_public") else True:
            continue
        for method in route.operations:
            if method in ("GET", "HEAD"):
                continue
            answer = visitor.generic(method, f"/api/v1{fill(route.path)}", "{}", content_type="application/json")
            if answer.status_code != 403 or code_of(answer) != "identity.impersonation_read_only":
                wrong.append((method, route.path, answer.status_code))
    assert not wrong


def is_open(route, opened):
    return any(re.sub(r"<\w+:(\w+)>", r"<\1>", one) == route for one in opened)


@pytest.mark.parametrize("access", ["look", "open"])
def test_what_is_not_named_is_closed_to_read_too(visitor, allow, access):
    allow(access)
    opened = impersonation.OPEN | (impersonation.OPEN_WITH_CONTENTS if access == "open" else frozenset())
    wrong = []
    for route in routes():
        if "GET" not in route.operations or (route.view.is_public() if hasattr(route.view, "is_public") else True):
            continue
        answer = visitor.get(f"/api/v1{fill(route.path)}")
        is_closed = answer.status_code == 403 and code_of(answer) == "identity.impersonation_closed"
        if is_closed is is_open("api/v1" + re.sub(r"\{(\w+)\}", r"<\1>", route.path), opened):
            wrong.append((route.path, answer.status_code))
    for page in list_pages():
        answer = visitor.get(f"/{fill(page)}")
        is_closed = answer.status_code == 403 and b"This is not open to support" in answer.content
        if is_closed is (page in opened):
            wrong.append((page, answer.status_code))
    assert not wrong


def list_pages():
    def walk(patterns, prefix):
        for pattern in patterns:
            here = prefix + str(pattern.pattern)
            if not isinstance(pattern, URLPattern):
                yield from walk(pattern.url_patterns, here)
            elif issubclass(getattr(pattern.callback, "view_class", object), MemberPage):
                yield here

    return list(walk(get_resolver("bitvault.gateway.urls").url_patterns, ""))


def test_what_is_named_as_open_is_there(db):
    spelled = {"api/v1" + re.sub(r"\{(\w+)\}", r"<\1>", route.path) for route in routes()} | {*list_pages(), ""}
    named = impersonation.OPEN | impersonation.OPEN_WITH_CONTENTS
    assert not [one for one in named if one not in spelled and re.sub(r"<\w+:(\w+)>", r"<\1>", one) not in spelled]


def test_it_leads_to_no_other_host(visitor):
    """The member's way to the bare host, where their other vaults are, gives an operator no ticket."""
    answer = visitor.get("/vaults/")
    assert "ticket" not in answer.get("Location", "")
    assert answer["Location"] == "/sign-in/"


def test_a_token_of_the_member_is_not_made(visitor):
    answer = visitor.post("/api/v1/tokens", {"name": "mine"}, content_type="application/json")
    assert (answer.status_code, code_of(answer)) == (403, "identity.impersonation_read_only")
    assert not models.ApiToken.objects.filter(name="mine").exists()


# --- who may ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "status"), [("support", 200), ("full", 200), ("billing", 403), ("read_only", 403), ("nobody", 403)]
)
def test_only_support_and_full_operators_may(db, acme, role, status):
    person = models.User.objects.create_superuser(email=f"{role}@operators.test", password=PASSWORD)
    models.User.objects.filter(pk=person.pk).update(is_superuser=role == "full")
    if role not in ("full", "nobody"):
        person.groups.add(Group.objects.get(name=role))
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(person)
    assert client.get("/admin/impersonations/").status_code == status
    answer = begin(client)
    assert answer.status_code == status
    assert (find_link(answer) is not None) is (status == 200)


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"reason": "  "}, "Say why"),
        ({"minutes": "61"}, "at least one minute"),
        ({"minutes": "0"}, "at least one minute"),
        ({"minutes": "-5"}, "at least one minute"),
        ({"minutes": "²"}, "at least one minute"),
        ({"minutes": "9" * 5000}, "at least one minute"),
        ({"tenant": "nowhere"}, "There is no such tenant"),
        ({"tenant": "a\0b"}, "There is no such tenant"),
        ({"email": "nobody@acme.test"}, "Nobody who is let in"),
        ({"email": "boris@beta.test"}, "Nobody who is let in"),
        ({"email": "\0"}, "Nobody who is let in"),
        ({"reason": "x" * 501}, "more than 500"),
    ],
)
def test_what_is_asked_for_wrongly_is_told(supporter, entered, said):
    answer = begin(supporter, **entered)
    assert answer.status_code in (403, 404, 422)
    assert said in answer.content.decode()
    assert find_link(answer) is None
    assert not models.Impersonation.objects.exists()


def test_guests_and_whoever_is_not_let_in_are_no_targets(supporter, acme):
    models.Membership.objects.filter(tenant_id=acme.id, user_id=VERA.user_id).update(role="guest")
    models.Membership.objects.filter(tenant_id=acme.id, user_id=MIA.user_id).update(state="deactivated")
    assert begin(supporter, VERA.email).status_code == 403
    assert begin(supporter, MIA.email).status_code == 403
    refused = log_of(acme, "identity.impersonation.refused")
    assert [one.payload["reason"] for one in refused] == ["guest", "no_member"]
    assert {one.actor_id for one in refused} == {supporter.person.pk}
    assert LogEntry.objects.filter(user=supporter.person, change_message__startswith="Refused (guest)").exists()


def test_owners_are_targets(supporter):
    assert follow(find_link(begin(supporter, OLGA.email))).get("/members/").status_code == 200


def test_a_suspended_tenant_lets_nobody_in(supporter, visitor, acme):
    identity.suspend_tenant(tenant_id=acme.id)
    assert visitor.get("/files/").status_code == 404
    assert begin(supporter).status_code == 404


def test_the_tenant_switches_it_off_and_on_at_once(supporter, visitor, allow):
    allow("nobody")
    assert visitor.get("/api/v1/me").status_code == 401
    end_impersonations.run()
    answer = begin(supporter)
    assert answer.status_code == 403
    assert "lets nobody of support in" in answer.content.decode()
    allow("look")
    assert find_link(begin(supporter)) is not None


def test_one_at_a_time_and_ended_ones_do_not_count(supporter, visitor):
    answer = begin(supporter, OLGA.email)
    assert answer.status_code == 409
    assert supporter.post("/admin/impersonations/end").status_code == 302
    assert visitor.get("/api/v1/me").status_code == 401
    assert find_link(begin(supporter, OLGA.email)) is not None


# --- the code ---------------------------------------------------------------------------------------------------------------


def test_a_code_is_good_once_at_its_tenants_host_and_from_the_operators_host_alone(supporter, beta):
    link = find_link(begin(supporter))
    assert follow(link, referrer="http://evil.test/").answer.status_code == 401
    assert follow(link, referrer="").answer.status_code == 401
    assert follow(link).answer.status_code == 302
    assert follow(link).answer.status_code == 401


def test_at_another_tenants_host_it_is_worth_nothing_and_gone(supporter, beta):
    link = find_link(begin(supporter))
    assert follow(link, host="beta.localhost").answer.status_code == 401
    assert follow(link).answer.status_code == 401


@pytest.mark.parametrize("code", ["", "x", "\0", "é", "a" * 10_000])
def test_what_was_never_a_code_is_refused(supporter, code):
    assert follow(f"http://acme.localhost/support/enter/?code={code}").answer.status_code == 401


def test_a_code_is_kept_hashed_for_a_minute(supporter):
    from apps.identity.operations import impersonating

    code = parse_qs(urlsplit(find_link(begin(supporter))).query)["code"][0]
    assert code not in impersonating._key(code)
    assert 0 < valkey.client().ttl(impersonating._key(code)) <= 60


def test_a_code_dies_with_the_session_that_it_was_made_with(supporter):
    link = find_link(begin(supporter))
    supporter.post("/admin/logout/")
    assert follow(link).answer.status_code == 401


def test_the_session_of_a_member_in_this_browser_is_ended_first(supporter):
    link = find_link(begin(supporter))
    parts = urlsplit(link)
    browser = Client(headers={"host": parts.netloc})
    browser.post("/sign-in/", {"email": OLGA.email, "password": PASSWORD})
    browser.get(f"{parts.path}?{parts.query}", headers={"referer": "http://admin.localhost/"})
    assert not models.Session.objects.filter(user_id=OLGA.user_id).exists()
    assert browser.get("/api/v1/me").json()["user"]["email"] == MIA.email
