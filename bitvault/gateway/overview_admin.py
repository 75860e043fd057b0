"""The index of the operators' host: live figures of the installation above the lists of Django admin."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from bitvault.events import heartbeats
from bitvault.gateway import overview
from bitvault.gateway.readiness import DEADLINE_SECONDS
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators

VIEW_INSTALLATION = "identity.view_installation"

LATE_SECONDS = 120.0
"""What has waited for longer is worth a look."""

LOW_PERCENT = 10
FAILING_PERCENT = 1.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that wants an operator."""

    text: str
    href: str
    is_bad: bool = True
    """Whether something does not work now; else it is worth a look."""


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Show the figures to who may see them, and below them what Django admin lists for the operator."""
    may_see = request.user.has_perm(VIEW_INSTALLATION)
    return admin.site.index(request, extra_context=_read_figures() if may_see else None)


@never_cache
@require_GET
def show_figures(request: HttpRequest) -> HttpResponse:
    """Show the figures alone: what the open page asks for every few seconds."""
    return render(request, "admin/overview/figures.html", _read_figures())


def _read_figures() -> dict[str, Any]:
    found = overview.figures.start().result(timeout=2 * DEADLINE_SECONDS)
    return {"now": found, "troubles": list(list_troubles(found)), "late_seconds": LATE_SECONDS}


def list_troubles(now: Mapping[str, Any]) -> Iterator[Trouble]:
    """List what wants an operator; what is unknown because its service is away is told once, as that service."""
    doctor, jobs, stream = reverse("doctor"), reverse("admin:jobs_job_changelist"), reverse("stream")
    for name, text in (
        ("database", _("The database does not answer in time.")),
        ("valkey", _("Valkey does not answer in time: limits are not counted and pages hear of changes late.")),
        ("store", _("The object store does not answer in time: files are neither sent nor fetched.")),
    ):
        if now[name] is None:
            yield Trouble(text, doctor)
    if now["store_fit"] is False:
        yield Trouble(_("The object store lacks something that BitVault needs."), doctor)
    if now["store_disk"] is not None and now["store_disk"].is_low:
        yield Trouble(_("The store's disk is so full that uploads are refused."), doctor)
    if now["disk"] is not None and now["disk"].free_percent < LOW_PERCENT:
        yield Trouble(_("Little is left of this machine's disk."), doctor, is_bad=False)
    for name, age in (now["schedulers"] or {}).items():
        if age is None or age > heartbeats.SILENCE_LIMITS_SECONDS[name]:
            yield Trouble(_("The scheduler “%(name)s” is silent.") % {"name": name}, doctor)
    yield from _list_late(now, stream=stream, jobs=jobs)
    yield from _list_alarms(now)
    checks = now["store_checks"]
    if checks is not None and checks.stopped_count:
        runs = reverse("admin:storage_storerun_changelist")
        yield Trouble(_("A run over the object store was stopped or failed."), runs, is_bad=False)
    if now["traffic"] is not None and now["traffic"].failed_percent >= FAILING_PERCENT:
        yield Trouble(_("Many requests end in an error of the server."), doctor)


def _list_alarms(now: Mapping[str, Any]) -> Iterator[Trouble]:
    if "siem" in (now["alarms"] or ()):
        yield Trouble(_("The SIEM export fails: audit logs do not arrive."), reverse("siem"))
    if "anchors" in (now["alarms"] or ()):
        yield Trouble(_("Anchors of audit logs do not reach the bucket that locks them."), reverse("doctor"))


def _list_late(now: Mapping[str, Any], *, stream: str, jobs: str) -> Iterator[Trouble]:
    behind = now["stream"]
    if behind is not None:
        if behind.seconds > LATE_SECONDS:
            yield Trouble(
                _("The consumer “%(name)s” is behind.") % {"name": behind.behind[0].consumer}, stream, is_bad=True
            )
        if behind.dead_letter_count:
            yield Trouble(_("Dead letters wait for a decision."), stream, is_bad=False)
        for consumer in behind.paused:
            yield Trouble(_("The consumer “%(name)s” is paused.") % {"name": consumer}, stream, is_bad=False)
    if now["jobs"] is not None:
        if now["jobs"].oldest_seconds > LATE_SECONDS:
            yield Trouble(_("Jobs wait for a worker."), f"{jobs}?state__exact=queued")
        if now["jobs"].failed_count:
            yield Trouble(_("Jobs have failed."), f"{jobs}?state__exact=failed", is_bad=False)


urlpatterns = [
    path("", admin.site.admin_view(index)),
    path("figures", for_operators(show_figures, needs=VIEW_INSTALLATION), name="figures"),
]
limit_all(urlpatterns)
