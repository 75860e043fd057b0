"""Who changed a plan, or a tenant's plan and limits, when, and what held before: kept, and shown to operators and to whom it concerns."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import DatabaseError
from django.test import Client

from apps.billing import quotas
from apps.billing.models import Plan, PlanChange, PlanVersion
from apps.identity.models import User
from bitvault.kernel import clock, db, tenancy
from bitvault.kernel.actor import Role
from tests.apps.billing.test_payment import world
from tests.apps.billing.test_usage_page import enter
from tests.jobs.conftest import desk

__all__ = ["desk", "enter", "world"]

pytestmark = pytest.mark.committed

GIB = 1024**3


@pytest.fixture
def operator():
    user = User.objects.create_superuser(
        email="ops@bitvault.test", password="a long enough password", name="Olivia Operator"
    )
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    client.user_id = user.pk
    return client


@pytest.fixture
def team():
    plan = Plan.objects.create(slug="team", name="Team", limit_bytes=5 * GIB, member_limit=9)
    PlanVersion.objects.create(
        plan=plan, version=1, name="Team", limit_bytes=5 * GIB, trash_days=30, begun_at=clock.now()
    )
    return plan


def change_plan_of_admin(operator, plan, **changes):
    form = operator.get(f"/admin/billing/plan/{plan.pk}/change/").context["adminform"].form
    data = {name: "" if form[name].value() is None else form[name].value() for name in form.fields} | changes
    data["prices"] = "[]"
    for prefix in ("provider_prices", "versions"):
        data |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    answer = operator.post(f"/admin/billing/plan/{plan.pk}/change/", data)
    assert answer.status_code == 302, answer.context["adminform"].form.errors


def read(api, name="olga", **query):
    answer = api(name).get("/plan-changes", **query)
    assert answer.status_code == 200, answer.content
    return answer.json()


def figures(change):
    return {one["name"]: (one["before"], one["after"]) for one in change["changes"]}


def test_every_way_to_change_it_names_who_it_was_and_what_was_before(api, acme, operator, team, make_actor):
    operator.post("/admin/plans/give", {"tenant_id": acme.id, "plan": "team", "room": "7"})
    call_command("set_quota", "acme", "--limit-of-plan", "--guests", "3", stdout=StringIO())
    assert api("olga").put("/quotas/tenant", {"limit_bytes": GIB}).status_code == 200
    with tenancy.entered(acme):
        quotas.change_plan("default", paid_by=None)
        quotas.change_plan("team", paid_by=make_actor("adam").user_id)
    found = read(api)["items"]
    assert [(one["changed_by"], one["actor_id"]) for one in found] == [
        ("payment", str(make_actor("adam").user_id)),
        ("payment", None),
        ("person", str(make_actor("olga").user_id)),
        ("command", None),
        ("operator", str(operator.user_id)),
    ]
    own, command, given = figures(found[2]), figures(found[3]), figures(found[4])
    assert own == {"own_limit_bytes": (None, GIB)}
    assert command["given_bytes"] == (7 * GIB, 5 * GIB)
    assert command["guest_limit"] == (None, 3)
    assert command["own_figures"] == ("limit_bytes", "guest_limit")
    assert given["plan"] == ("default", "team")
    assert given["given_bytes"][1] == 7 * GIB
    assert given["member_limit"] == (None, 9)


def test_what_changes_nothing_is_no_change(api, acme, operator, team):
    for _ in range(2):
        operator.post("/admin/plans/give", {"tenant_id": acme.id, "plan": "team", "room": ""})
    assert len(read(api)["items"]) == 1


def test_a_change_of_the_plan_itself_concerns_who_has_it_then_and_nobody_else(api, acme, operator, team):
    change_plan_of_admin(operator, team, trash_days=20)
    assert read(api)["items"] == [], "acme had another plan"
    with tenancy.entered(acme):
        api_set = quotas.change_plan
        api_set("team", paid_by=None)
    change_plan_of_admin(operator, team, trash_days=10, limit_bytes=6 * GIB)
    with tenancy.entered(acme):
        api_set("default", paid_by=None)
    change_plan_of_admin(operator, team, trash_days=5)
    found = [one for one in read(api)["items"] if one["is_of_plan"]]
    assert [figures(one) for one in found] == [{"trash_days": (20, 10), "given_bytes": (5 * GIB, 6 * GIB)}]
    assert (found[0]["changed_by"], found[0]["actor_id"], found[0]["plan"]) == (
        "operator",
        str(operator.user_id),
        "team",
    )


def test_the_list_has_pages_and_a_constant_number_of_queries(api, acme, make_actor, django_assert_num_queries):
    olga = api("olga")

    def change(times):
        for number in range(times):
            olga.put("/quotas/tenant", {"limit_bytes": GIB + number})

    change(10)
    first = read(api, limit="4")
    second = read(api, limit="4", cursor=first["next_cursor"])
    third = read(api, limit="4", cursor=second["next_cursor"])
    assert [len(page["items"]) for page in (first, second, third)] == [4, 4, 2]
    assert third["next_cursor"] is None
    moments = [one["changed_at"] for page in (first, second, third) for one in page["items"]]
    assert moments == sorted(moments, reverse=True)
    assert api("olga").get("/plan-changes", cursor="nonsense").status_code == 400
    actor = make_actor("olga", role=Role.OWNER)
    from apps.billing.api import history

    for times in (0, 190):
        change(times)
        with tenancy.entered(acme), django_assert_num_queries(6):
            history.list_plan_changes(actor=actor, limit=1000)


def test_others_read_nothing_of_it(api):
    for name in ("mia", "vera"):
        assert api(name).get("/plan-changes").status_code == 403


def test_rows_are_kept_as_they_were_written(acme, make_actor):
    with tenancy.entered(acme):
        quotas.set_own_limit(limit_bytes=GIB, by=make_actor("olga"))
        with pytest.raises(DatabaseError), db.write_transaction():
            PlanChange.objects.update(changed_by="payment")
        with pytest.raises(DatabaseError), db.write_transaction():
            PlanChange.objects.all().delete()


def test_the_page_of_usage_tells_administrators_without_names_of_operators(enter, api, acme, operator, team):
    operator.post("/admin/plans/give", {"tenant_id": acme.id, "plan": "team", "room": ""})
    change_plan_of_admin(operator, team, trash_days=10)
    api("olga").put("/quotas/tenant", {"limit_bytes": GIB})
    page = enter("adam").get("/usage/").content.decode()
    assert "The operator of this installation" in page
    assert "Olivia Operator" not in page
    assert "The plan itself was changed" in page
    assert "30 days" in page
    for number in range(12):
        api("olga").put("/quotas/tenant", {"limit_bytes": GIB - number})
    page = enter("adam").get("/usage/")
    assert "Older changes" in page.content.decode()
    older = enter("adam").get("/usage/", {"changes": page.context["older_changes"]}).content.decode()
    assert "Latest changes" in older
    assert "The plan itself was changed" in older
    assert enter("adam").get("/usage/", {"changes": "nonsense"}).status_code == 200


def test_operators_see_it_with_names_and_the_plans_own_history(operator, api, acme, team):
    operator.post("/admin/plans/give", {"tenant_id": acme.id, "plan": "team", "room": ""})
    api("olga").put("/quotas/tenant", {"limit_bytes": GIB})
    page = operator.get("/admin/plans/history/acme").content.decode()
    assert "Olivia Operator" in page
    assert "Olga" in page
    assert operator.get("/admin/plans/history/acme?cursor=nonsense").status_code == 404
    assert operator.get("/admin/plans/history/nobody").status_code == 404
    assert "/admin/plans/history/acme" in operator.get("/admin/plans/").content.decode()
    change_plan_of_admin(operator, team, trash_days=10, month_price="3.5")
    page = operator.get(f"/admin/billing/plan/{team.pk}/change/").content.decode()
    assert "Olivia Operator" in page
    assert "30 days → 10 days" in page
    assert "0.00 → 3.50" in page


def test_a_payment_names_who_had_gone_to_pay(world, api, make_actor):
    world.subscribed()
    (found,) = read(api)["items"]
    assert (found["changed_by"], found["actor_id"]) == ("payment", str(make_actor("olga").user_id))
    assert figures(found)["plan"] == ("default", "team")
    page = api("olga").get("/plan-changes").json()
    assert page["next_cursor"] is None
