"""Plans: one place that says what holds, limits told before bytes move, and what a smaller plan does to what is there."""

from datetime import date, timedelta
from io import StringIO

import pytest
from django.contrib.admin.sites import site
from django.core.management import CommandError, call_command
from django.test import RequestFactory

from apps.billing import api, models
from apps.billing.dtos import UsageOfDay
from apps.billing.errors import FileOverLimit, QuotaExceeded
from apps.billing.ui import charts
from apps.identity.models import User
from bitvault.kernel import clock, db, ids, policies

LATER = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _nothing_remembered():
    policies.forget()
    yield
    policies.forget()


def reserve(actor, size, **options):
    upload_id = ids.new_id()
    api.reserve(actor=actor, upload_id=upload_id, size_bytes=size, expires_at=clock.now() + LATER, **options)
    return upload_id


def test_a_policy_is_the_plans_until_the_tenant_has_a_figure_of_its_own(tenant, actor):
    assert (policies.current().plan, policies.current().trash_days) == ("default", 30)
    api.set_quota(trash_days=7, file_limit_bytes=500)
    assert (policies.current().trash_days, policies.current().file_limit_bytes) == (7, 500)
    api.set_quota(limit_bytes=1000)
    assert policies.current().trash_days == 7
    api.set_quota(trash_days=None, file_limit_bytes=None)
    assert (policies.current().trash_days, policies.current().file_limit_bytes) == (30, None)


def test_members_guests_and_links_are_limited_by_the_plan_or_by_figures_of_the_tenants_own(tenant):
    models.Plan.objects.filter(slug="default").update(member_limit=5, guest_limit=0)
    policies.forget()
    found = policies.current()
    assert (found.member_limit, found.guest_limit, found.link_limit) == (5, 0, None)
    api.set_quota(guest_limit=3, link_limit=0)
    found = policies.current()
    assert (found.member_limit, found.guest_limit, found.link_limit) == (5, 3, 0)
    call_command("set_quota", "acme", "--limit-of-plan", "--guests", "plan", "--links", "4", stdout=StringIO())
    found = policies.current()
    assert (found.member_limit, found.guest_limit, found.link_limit) == (5, 0, 4)
    with pytest.raises(CommandError):
        call_command("set_quota", "acme", "--limit-of-plan", "--members", "-1")


def test_a_policy_is_read_within_a_transaction_too(tenant):
    api.set_quota(trash_days=9)
    with db.read_transaction():
        assert policies.current().trash_days == 9


def test_a_file_above_the_plans_largest_is_refused_with_the_figures_and_promises_nothing(tenant, actor):
    api.set_quota(limit_bytes=1000, file_limit_bytes=100)
    reserve(actor, 100, is_file=True)
    with pytest.raises(FileOverLimit) as refused:
        reserve(actor, 101, is_file=True)
    assert refused.value.facts == {"limit_bytes": 100, "requested_bytes": 101}
    assert refused.value.status == 413
    small, large = ids.new_id(), ids.new_id()
    assert api.reserve_many(actor=actor, sizes={small: 100, large: 101}, expires_at=clock.now() + LATER) == {small}
    assert isinstance(api.explain_refusal(actor=actor, size_bytes=101), FileOverLimit)
    assert api.get_quota(actor=actor).reserved_bytes == 200


def test_a_copy_of_a_tree_is_no_large_file(tenant, actor):
    api.set_quota(limit_bytes=1000, file_limit_bytes=100)
    reserve(actor, 900)


def test_a_smaller_plan_deletes_nothing_and_says_that_the_vault_is_over_its_limit(tenant, actor):
    upload_id = reserve(actor, 800)
    api.settle(upload_id=upload_id, size_bytes=800)
    api.set_quota(limit_bytes=500)
    with pytest.raises(QuotaExceeded, match="over its limit") as refused:
        reserve(actor, 1)
    assert (refused.value.facts["used_bytes"], refused.value.facts["limit_bytes"]) == (800, 500)
    api.refund(cause_id=ids.new_id(), size_bytes=400)
    reserve(actor, 100)


def test_the_vaults_own_limit_holds_for_one_and_for_many(tenant, make_actor):
    actor = make_actor("olga")
    api.set_own_limit(actor=actor, limit_bytes=50)
    with pytest.raises(QuotaExceeded):
        reserve(actor, 51)
    first, second = ids.new_id(), ids.new_id()
    assert api.reserve_many(actor=actor, sizes={first: 40, second: 20}, expires_at=clock.now() + LATER) == {first}
    quota = api.set_own_limit(actor=actor, limit_bytes=None)
    assert (quota.limit_bytes, quota.own_limit_bytes) == (quota.given_bytes, None)


def test_operators_change_a_plan_and_its_earlier_versions_stay(tenant, actor):
    screen, plan = site.get_model_admin(models.Plan), models.Plan.objects.get(slug="default")
    request = RequestFactory().post("/")
    request.user = User(pk=actor.user_id)
    form = type("Form", (), {"changed_data": ["trash_days"]})
    for days in (14, 60):
        plan.trash_days = days
        screen.save_model(request, plan, form, change=True)
    assert policies.current().trash_days == 60
    assert policies.current().plan_version == 3
    kept = models.PlanVersion.objects.filter(plan=plan).order_by("version").values_list("version", "trash_days")
    assert list(kept) == [(1, 30), (2, 14), (3, 60)]
    assert not screen.has_delete_permission(RequestFactory().get("/"))


def test_a_chart_stacks_what_there_was_day_by_day():
    begin = date(2026, 3, 1)
    items = [UsageOfDay(begin, "live_bytes", 100), UsageOfDay(begin + timedelta(days=1), "trash_bytes", 60)]
    chart = charts.draw_stacked(items, ("live_bytes", "trash_bytes"), begin=begin, end=begin + timedelta(days=2))
    assert [row.amounts for row in chart.days] == [[0, 60], [100, 0]]
    assert [line.amount for line in chart.lines] == [0, 64, 128]
    assert chart.layers[0].points.split()[0].startswith("0.0,")
    assert not chart.is_empty
    assert charts.draw_stacked([], ("live_bytes",), begin=begin, end=begin).is_empty
