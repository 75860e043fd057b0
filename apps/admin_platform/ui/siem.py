"""The page of SIEM exports: where the audit log is sent on to, and how far that is. Changes go over REST."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from apps.admin_platform import api, dtos
from bitvault.kernel.outbound.failures import Failure
from bitvault.kernel.permissions import Permission
from bitvault.web.pages import MemberPage, PersonRequest

FAILURES: dict[Failure, Any] = {
    "": "",
    "answer": _("Refused by the receiver"),
    "address_refused": _("The address is not allowed"),
    "address_unknown": _("No server of this name was found"),
    "connection": _("No connection, or it broke off"),
    "timeout": _("No answer within 15 seconds"),
    "certificate": _("The certificate is not valid"),
    "protocol": _("The answer could not be read"),
    "secret_unreadable": _("The secret cannot be read any more: enter it again"),
}


class SiemExports(MemberPage):
    """Where the audit log is sent on to."""

    section = "audit"
    permissions = (Permission.SEE_AUDIT,)

    def get(self, request: PersonRequest) -> HttpResponse:
        """Show them, and the forms."""
        exports = [describe(one) for one in api.list_siem_exports(actor=request.actor).items]
        return render(request, "admin_platform/siem.html", {"exports": exports})


def describe(export: dtos.SiemExport) -> dict[str, Any]:
    """Give an export with words for what was wrong."""
    return {"facts": export, "failure": FAILURES[export.last_failure]}
