"""The operators' page of mails: what waits, was sent or failed, of which tenant and kind. Neither recipients nor texts are kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from apps.identity import api as identity
from bitvault.gateway import tenant_pages
from bitvault.jobs import operating as jobs
from bitvault.jobs.dtos import OperatedJob
from bitvault.mail import api as mail
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

PAGE = "/admin/mails/"
PAGE_LENGTH = 50

STATES = ("queued", "running", "done", "failed", "canceled")


@dataclass(frozen=True, slots=True)
class Row:
    """A mail on the page."""

    job: OperatedJob
    name: str
    tenant: str
    """The slug; empty for the installation's own, and for a tenant that is gone."""

    @property
    def is_sent(self) -> bool:
        """Whether a mail server took it; what is done and was not sent had nothing to tell any more."""
        return isinstance(self.job.result, dict) and self.job.result.get("sent") is True

    @property
    def is_put_off(self) -> bool:
        """Whether a mail server did not take it at the last try."""
        return self.job.state == "queued" and self.job.tries > 0

    @property
    def may_go_again(self) -> bool:
        """Whether it can be sent again."""
        return self.job.state in ("failed", "canceled")


class _Listed(Sequence[OperatedJob]):
    """Mails as a paginator takes them: counted with the page that is read."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self._wanted = wanted

    def __len__(self) -> int:
        return jobs.list_jobs(kind=mail.KIND, **self._wanted, offset=0, limit=0)[0]

    def __getitem__(self, rows: Any) -> Any:
        wanted = {**self._wanted, "offset": rows.start, "limit": rows.stop - rows.start}
        return jobs.list_jobs(kind=mail.KIND, **wanted)[1]


@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """Show mails, latest first: all, or those of a state, of a name, or of tenants whose slug has what was searched for."""
    names = mail.list_names()
    state, name, wanted = request.GET.get("state", ""), request.GET.get("mail", ""), tenant_pages.read_search(request)
    slugs = {tenant.id: tenant.slug for tenant in identity.list_tenants()}
    asked: dict[str, Any] = {
        "state": state if state in STATES else "",
        "name": name if name in names else "",
        "among": _find_tenants(slugs, wanted),
    }
    page = Paginator(_Listed(asked), PAGE_LENGTH).get_page(request.GET.get("p"))
    context = tenant_pages.context_of(
        request,
        title=_("Mails"),
        page=page,
        rows=[_to_row(job, slugs) for job in page],
        counts=jobs.count_by_state(kind=mail.KIND),
        states=STATES,
        state=asked["state"],
        names=names,
        mail_name=asked["name"],
        extra=urlencode({"mail": asked["name"]}) if asked["name"] else "",
        paused=jobs.list_paused().get(mail.KIND),
    )
    return render(request, "admin/mails/index.html", context)


def _find_tenants(slugs: Mapping[UUID, str], wanted: str) -> Collection[UUID] | None:
    return [tenant_id for tenant_id, slug in slugs.items() if wanted in slug] if wanted else None


def _to_row(job: OperatedJob, slugs: Mapping[UUID, str]) -> Row:
    tenant = slugs.get(job.tenant_id, "") if job.tenant_id else ""
    return Row(job=job, name=str(job.payload.get("name", "")), tenant=tenant)


@require_POST
def send_again(request: HttpRequest) -> HttpResponse:
    """Send one mail again, or all that have failed; the journal names them."""
    try:
        chosen = None if request.POST.get("all") == "failed" else [UUID(request.POST.get("id", ""))]
    except ValueError:
        messages.error(request, _("There is no such mail."))
        return HttpResponseRedirect(PAGE)
    count = jobs.run_again(kind=mail.KIND, operator_id=UUID(str(request.user.pk)), job_ids=chosen)
    if count:
        said = ngettext("%(count)s mail is sent again.", "%(count)s mails are sent again.", count) % {"count": count}
        messages.success(request, said)
    else:
        messages.info(request, _("There was nothing to send again."))
    return HttpResponseRedirect(PAGE)


urlpatterns = [
    path("", for_operators(overview, needs="jobs.view_job"), name="mails"),
    path("again", for_operators(send_again, needs="jobs.change_job")),
]
limit_all(urlpatterns)
