"""What operators are told of by mail, beside what their overview shows: now, that the SIEM export of the installation fails.

Each tenant's audit log is sent on by an export of its own, to one address. Operators are told once, however many of them fail, and once
more when none does.
"""

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.admin_platform import api as administration
from apps.identity import api as identity
from apps.identity.api import operators
from bitvault.kernel import tenancy
from bitvault.mail import api as mail

SIEM = "siem"
NEEDS = "admin_platform.view_config"
"""Who is told: who may look at the page of the export."""


def watch_siem() -> bool:
    """Look whether the operators' export of any tenant has failed for long, and tell of a change; gives whether one has."""
    failing = any(_is_failing(tenant) for tenant in identity.list_active_tenants())
    if failing is not (SIEM in administration.list_alarms()):
        tell = operators.list_operators(permission=NEEDS)
        administration.change_alarm(key=SIEM, is_raised=failing, tell=tell)
    return failing


def _is_failing(tenant: tenancy.Tenant) -> bool:
    with tenancy.entered(tenant):
        found = administration.find_siem_export_of_installation()
    return found is not None and found.enabled and bool(found.url) and found.told_at is not None


@mail.mail_kind("admin_platform.alarm")
def write_alarm(operator_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell an operator that something is amiss, or well again."""
    found = operators.find_operator_address(operator_id=operator_id)
    if found is None or facts["key"] != SIEM:
        return None
    email, locale = found
    is_raised = bool(facts["is_raised"])
    return mail.Letter(
        to=email,
        locale=locale or None,
        subject=_("The SIEM export fails") if is_raised else _("The SIEM export works again"),
        template="gateway/mail/alarm",
        context={"is_raised": is_raised},
        action=mail.Action(_("Look at the SIEM export"), f"{_find_operators_url()}/admin/siem/"),
    )


def _find_operators_url() -> str:
    base = urlsplit(settings.BITVAULT_BASE_URL)
    port = f":{base.port}" if base.port else ""
    return f"{base.scheme}://{settings.BITVAULT_OPERATOR_HOST}{port}"
