"""The operators' page that gives a tenant a plan."""

import pytest
from django.test import Client

from apps.billing import api as billing
from apps.billing import models
from bitvault.events.api import list_published
from bitvault.kernel import tenancy

pytestmark = pytest.mark.committed


@pytest.fixture
def operator():
    from apps.identity.models import User

    user = User.objects.create_superuser(email="ops@bitvault.test", password="a long enough password")
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    client.user_id = user.pk
    return client


def give(operator, acme, **form):
    answer = operator.post("/admin/plans/give", {"tenant_id": acme.id, "plan": "team", "room": "", **form}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_tenant_is_given_a_plan_and_its_audit_log_is_told_by_whom(operator, acme, beta):
    models.Plan.objects.create(slug="team", name="Team", limit_bytes=5 * 1024**3)
    page = operator.get("/admin/plans/?q=acm").content.decode()
    assert ">acme</th>" in page
    assert ">beta</th>" not in page
    assert "Acme has the plan team." in give(operator, acme, room="2,5")
    with tenancy.entered(acme):
        quota = billing.get_quota()
        assert (quota.plan, quota.limit_bytes, billing.find_given_room()) == ("team", 2.5 * 1024**3, 2.5 * 1024**3)
        told = [one for one in list_published(after=0, limit=100) if one.type == "billing.quota.changed.v1"]
        assert told[-1].actor_id == operator.user_id
    assert 'value="2.5"' in operator.get("/admin/plans/").content.decode()
    give(operator, acme)
    with tenancy.entered(acme):
        assert billing.get_quota().limit_bytes == 5 * 1024**3
    with tenancy.entered(beta):
        assert billing.get_quota().plan == "default"


@pytest.mark.parametrize(
    "form", [{"plan": "imaginary"}, {"room": "much"}, {"room": "-1"}, {"room": "inf"}, {"room": "nan"}]
)
def test_what_is_no_plan_or_no_figure_changes_nothing(operator, acme, form):
    models.Plan.objects.create(slug="team", name="Team", limit_bytes=5 * 1024**3)
    assert 'class="error"' in give(operator, acme, **form)
    with tenancy.entered(acme):
        assert billing.get_quota().plan == "default"


def test_an_operator_without_the_right_to_change_plans_gives_none(acme):
    from apps.identity.models import User

    user = User.objects.create_superuser(email="help@bitvault.test", password="a long enough password")
    User.objects.filter(pk=user.pk).update(is_superuser=False)
    client = Client(headers={"host": "admin.localhost"})
    client.force_login(user)
    assert client.post("/admin/plans/give", {"tenant_id": acme.id, "plan": "default"}).status_code == 403
