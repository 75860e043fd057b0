"""The operator's command for room."""

import pytest
from django.core.management import CommandError, call_command

from apps.billing import api
from bitvault.kernel import tenancy

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("given", "limit"), [("500", 500), ("20GiB", 20 * 1024**3), ("3 MiB", 3 * 1024**2), ("0", 0)])
def test_an_operator_sets_a_limit_and_takes_it_away_again(acme, actor, given, limit):
    call_command("set_quota", "acme", limit=given)
    with tenancy.entered(acme):
        assert api.get_quota(actor=actor).limit_bytes == limit
    call_command("set_quota", "acme.localhost", limit_of_plan=True)
    with tenancy.entered(acme):
        assert api.get_quota(actor=actor).limit_bytes == 1024**4


@pytest.mark.parametrize("given", ["-1", "many", "1GB", "1.5GiB", "9000000TiB"])
def test_a_limit_that_is_none_is_refused(given):
    with pytest.raises(CommandError):
        call_command("set_quota", "acme", f"--limit={given}")


def test_a_tenant_or_plan_that_is_not_there_is_named():
    with pytest.raises(CommandError, match="nobody"):
        call_command("set_quota", "nobody", limit="1")
    with pytest.raises(CommandError, match="no such plan"):
        call_command("set_quota", "acme", plan="imaginary", limit="1")
