"""What operators are told of by mail, beside what their overview shows: that the SIEM export of the installation fails, and that anchors of
audit logs do not reach the bucket that locks them.

Each tenant's audit log is sent on, and its anchors are copied, on their own, to one place. Operators are told once, however many of them
fail, and once more when none does.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.admin_platform import api as administration
from apps.admin_platform.api import locked
from apps.identity import api as identity
from apps.identity.api import operators
from bitvault.kernel import tenancy
from bitvault.mail import api as mail

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

SIEM = "siem"
ANCHORS = "anchors"
NEEDS = "admin_platform.view_config"
"""Who is told: who may look at the page of the export."""


@dataclass(frozen=True, slots=True)
class _Words:
    """What a mail says of an alarm."""

    raised: "StrOrPromise"
    over: "StrOrPromise"
    raised_text: "StrOrPromise"
    over_text: "StrOrPromise"
    action: "StrOrPromise"
    path: str


_WORDS = {
    SIEM: _Words(
        raised=_("The SIEM export fails"),
        over=_("The SIEM export works again"),
        raised_text=_(
            "The receiver of the installation's SIEM export has not taken the audit log of at least one tenant"
            " for half an hour. It is tried on, and nothing is lost: entries are sent in their order once it takes them. This is told once."
        ),
        over_text=_(
            "The receiver of the installation's SIEM export takes the audit logs of all tenants again, or nothing is sent there any more."
        ),
        action=_("Look at the SIEM export"),
        path="/admin/siem/",
    ),
    ANCHORS: _Words(
        raised=_("Anchors of audit logs are not locked away"),
        over=_("Anchors of audit logs are locked away again"),
        raised_text=_(
            "For half an hour at least one anchor of an audit log has not reached the bucket that locks it. It is tried on, and"
            " anchors are signed and kept here meanwhile; what is not there yet, whoever owns the database"
            " could still change. Doctor says what is wrong. This is told once."
        ),
        over_text=_("All anchors of audit logs are in the bucket that locks them, or are copied there no more."),
        action=_("Ask the doctor"),
        path="/admin/doctor/",
    ),
}


def watch_siem() -> bool:
    """Look whether the operators' export of any tenant has failed for long, and tell of a change; gives whether one has."""
    failing = any(_is_failing(tenant) for tenant in identity.list_active_tenants())
    return _change(SIEM, is_raised=failing)


def watch_anchors() -> bool:
    """Look whether copies of anchors are late, and tell of a change; gives whether they are."""
    turn = locked.find_anchor_turn()
    return _change(ANCHORS, is_raised=turn is not None and turn.is_late)


def _change(key: str, *, is_raised: bool) -> bool:
    if is_raised is not (key in administration.list_alarms()):
        tell = operators.list_operators(permission=NEEDS)
        administration.change_alarm(key=key, is_raised=is_raised, tell=tell)
    return is_raised


def _is_failing(tenant: tenancy.Tenant) -> bool:
    with tenancy.entered(tenant):
        found = administration.find_siem_export_of_installation()
    return found is not None and found.enabled and bool(found.url) and found.told_at is not None


@mail.mail_kind("admin_platform.alarm")
def write_alarm(operator_id: UUID, facts: mail.Facts) -> mail.Letter | None:
    """Tell an operator that something is amiss, or well again."""
    found, words = operators.find_operator_address(operator_id=operator_id), _WORDS.get(str(facts["key"]))
    if found is None or words is None:
        return None
    email, locale = found
    is_raised = bool(facts["is_raised"])
    return mail.Letter(
        to=email,
        locale=locale or None,
        subject=words.raised if is_raised else words.over,
        template="gateway/mail/alarm",
        context={"text": words.raised_text if is_raised else words.over_text},
        action=mail.Action(words.action, f"{_find_operators_url()}{words.path}"),
    )


def _find_operators_url() -> str:
    base = urlsplit(settings.BITVAULT_BASE_URL)
    port = f":{base.port}" if base.port else ""
    return f"{base.scheme}://{settings.BITVAULT_OPERATOR_HOST}{port}"
