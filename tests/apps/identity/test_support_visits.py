"""Who administers a tenant sees who of support has looked at it, and puts them out."""

from datetime import timedelta

import pytest

from apps.identity import models
from bitvault.events.models import StreamEvent
from bitvault.kernel import clock, ids
from tests.support.impersonating import MIA, REASON, allow, begin, find_link, follow, forgetting, supporter, visitor
from tests.support.world import ACME, BETA

__all__ = ["allow", "forgetting", "supporter", "visitor"]

pytestmark = pytest.mark.committed


def visits(api, name="olga", **query):
    answer = api(name).get("/support-visits", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def past(count, tenant=ACME):
    now = clock.now()
    rows = [
        models.Impersonation(
            id=ids.new_id(),
            operator_id=ids.new_id(),
            operator_name=f"Sue {number}",
            operator_session_id=ids.new_id(),
            tenant_id=tenant.id,
            slug=tenant.slug,
            member_id=MIA.user_id,
            member_email=MIA.email,
            reason="why",
            began_at=now,
            expires_at=now + timedelta(minutes=5),
            ended_at=now,
            ended_for="time",
        )
        for number in range(count)
    ]
    models.Impersonation.objects.bulk_create(rows)


def test_a_visit_is_listed_with_who_as_whom_and_why(api, visitor):
    (one,) = visits(api)["items"]
    assert (one["operator_name"], one["member_email"], one["reason"]) == ("Sue", MIA.email, REASON)
    assert (one["ended_at"], one["ended_for"]) == (None, "")
    assert "operator_id" not in one


def test_an_administrator_ends_it_at_once_and_all_logs_say_who(api, visitor, supporter, acme):
    (one,) = visits(api, "adam")["items"]
    assert visitor.get("/api/v1/me").status_code == 200
    assert api("adam").delete(f"/support-visits/{one['id']}").status_code == 204
    assert visitor.get("/api/v1/me").status_code == 401
    assert api("adam").delete(f"/support-visits/{one['id']}").status_code == 404
    (one,) = visits(api)["items"]
    assert one["ended_for"] == "tenant"
    event = StreamEvent.objects.get(tenant_id=acme.id, type="identity.impersonation.ended.v1")
    assert (event.actor_id, event.payload["ended_for"]) == (ACME.people["adam"].user_id, "tenant")
    page = supporter.get("/admin/impersonations/").content.decode()
    assert "by the tenant" in page
    assert find_link(begin(supporter)) is not None, "it may be begun again while the policy lets it"


def test_one_whose_code_was_never_used_is_ended_too(api, supporter):
    link = find_link(begin(supporter))
    (one,) = visits(api)["items"]
    assert api("olga").delete(f"/support-visits/{one['id']}").status_code == 204
    assert follow(link).answer.status_code == 401


def test_one_whose_time_is_over_reads_as_ended_before_it_is_swept(api, visitor):
    later = clock.now() + timedelta(minutes=16)
    models.Impersonation.objects.update(expires_at=clock.now() - timedelta(seconds=1))
    (one,) = visits(api)["items"]
    assert one["ended_for"] == "time"
    assert one["ended_at"] == one["expires_at"] < later.isoformat()


def test_others_neither_see_nor_end_it(api, visitor):
    (one,) = visits(api)["items"]
    for name in ("mia", "vera"):
        assert api(name).get("/support-visits").status_code == 403
        assert api(name).delete(f"/support-visits/{one['id']}").status_code == 403
    assert visits(api, "boris")["items"] == []
    assert api("boris").delete(f"/support-visits/{one['id']}").status_code == 404
    assert visitor.get("/api/v1/me").status_code == 200


def test_support_itself_sees_no_list(supporter, api):
    browser = follow(find_link(begin(supporter, ACME.people["olga"].email)))
    assert browser.get("/api/v1/support-visits").status_code == 403
    page = browser.get("/settings/team/").content.decode()
    assert "support-form" in page
    assert "Visits of support" not in page


def test_the_list_has_pages_and_as_many_queries_for_many(api, acme, make_actor, django_assert_num_queries):
    from apps.identity.api import impersonation
    from bitvault.kernel import tenancy
    from bitvault.kernel.actor import Role

    past(10)
    past(3, BETA)
    first = visits(api, limit="6")
    rest = visits(api, limit="6", cursor=first["next_cursor"])
    assert [len(first["items"]), len(rest["items"]), rest["next_cursor"]] == [6, 4, None]
    assert api("olga").get("/support-visits", cursor="x").status_code == 400
    actor = make_actor("olga", role=Role.OWNER)
    for more in (0, 190):
        past(more)
        with tenancy.entered(acme), django_assert_num_queries(1):
            assert len(impersonation.list_support_visits(actor=actor, limit=1000).items) == 10 + more


def test_it_is_kept_who_has_looked_when_the_tenant_lets_nobody_in_any_more(api, visitor, allow):
    allow("nobody")
    assert len(visits(api)["items"]) == 1
