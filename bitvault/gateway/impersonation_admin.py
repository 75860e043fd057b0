"""The operators' page of looking at a tenant as one of its members: begin with a reason and a time, end, and who did so before."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from apps.identity.api import impersonation as identity
from apps.identity.dtos import Handover
from apps.identity.dtos.tenants import PastImpersonation
from bitvault.gateway import tenant_pages
from bitvault.kernel.errors import BitVaultError
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/impersonations/"
NEEDS = "identity.impersonate"
FIELDS = ("tenant", "email", "reason", "minutes")
MINUTES_DIGITS = 3


class _Listed(Sequence[PastImpersonation]):
    """Impersonations as a paginator takes them: counted with the page that is read."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted

    def __len__(self) -> int:
        return identity.list_impersonations(wanted=self._wanted, limit=0)[0]

    def __getitem__(self, rows: Any) -> Any:
        return identity.list_impersonations(wanted=self._wanted, offset=rows.start, limit=rows.stop - rows.start)[1]


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show the form, and who looks at which tenant as whom, or did."""
    return _show(request, {field: request.GET.get(field, "") for field in FIELDS})


@never_cache
@require_POST
def begin(request: HttpRequest) -> HttpResponse:
    """Begin, and show the link that leads to the tenant's host; what is refused comes back with the form.

    A form leads only to its own origin (``form-action``), so the last step is a link.
    """
    entered = {field: request.POST.get(field, "") for field in FIELDS}
    minutes = entered["minutes"].strip()
    try:
        handover = identity.begin_impersonation(
            operator_id=UUID(str(request.user.pk)),
            session=request.session,
            slug=entered["tenant"],
            email=entered["email"],
            reason=entered["reason"],
            minutes=int(minutes[:MINUTES_DIGITS]) if minutes.isascii() and minutes.isdecimal() else 0,
        )
    except BitVaultError as error:
        messages.error(request, _(error.detail))
        return _show(request, entered, status=error.status)
    return _show(request, {}, handover=handover, entered=entered)


@require_POST
def end(request: HttpRequest) -> HttpResponse:
    """End what the operator looks at."""
    if identity.end_impersonation_by_operator(operator_id=UUID(str(request.user.pk))):
        messages.success(request, _("It is ended."))
    else:
        messages.info(request, _("There was nothing to end."))
    return HttpResponseRedirect(PAGE)


def _show(
    request: HttpRequest,
    values: dict[str, str],
    *,
    handover: Handover | None = None,
    entered: dict[str, str] | None = None,
    status: int = 200,
) -> HttpResponse:
    longest = identity.get_longest_minutes()
    page = Paginator(_Listed(tenant_pages.read_search(request)), tenant_pages.PAGE_LENGTH).get_page(
        request.GET.get("p")
    )
    onward = handover and f"{handover.tenant_url}/support/enter/?{urlencode({'code': handover.ticket})}"
    context = tenant_pages.context_of(
        request,
        title=_("Look as a member"),
        page=page,
        rows=list(page),
        values={**values, "minutes": values.get("minutes") or min(identity.USUAL_MINUTES, longest)},
        entered=entered,
        longest=longest,
        onward=onward,
        own_id=request.user.pk,
    )
    return render(request, "admin/impersonations/index.html", context, status=status)


urlpatterns = [
    path("", for_operators(overview, needs=NEEDS), name="impersonations"),
    path("begin", for_operators(begin, needs=NEEDS)),
    path("end", for_operators(end, needs=NEEDS)),
]
limit_all(urlpatterns)
