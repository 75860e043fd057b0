"""Operators' screens: jobs with their state, tries and problem, to be run again or canceled; and kinds that are stopped.

What is done here stands in Django admin's own journal.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from bitvault.jobs import kinds, operating
from bitvault.jobs.models import Job, PausedKind
from bitvault.kernel import clock


@admin.register(Job)
class JobAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """All jobs of all tenants, latest first."""

    list_display = ("kind", "tenant_id", "state", "progress", "tries", "run_at", "started_at", "finished_at", "error")
    list_filter = ("state", "kind", "lane", "created_at")
    search_fields = ("=id", "=tenant_id", "=created_by_id", "key")
    search_help_text = _("Id of the job, its tenant or who asked for it; or a part of its key")
    ordering = ("-id",)
    show_full_result_count = False
    fields = [field.name for field in Job._meta.fields]  # noqa: SLF001 - Django's public name for it
    actions = ("run_again", "cancel")

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Tell whether the operator may run actions: Django's right to change, though there is no form."""
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("Progress"))
    def progress(self, job: Job) -> str:
        return (
            gettext("%(done)s of %(total)s") % {"done": job.done_count, "total": job.total_count}
            if job.total_count is not None
            else str(job.done_count)
        )

    @admin.action(description=_("Run again"), permissions=["operate"])
    def run_again(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        jobs = list(chosen)
        count = operating.retry(job_ids=[job.pk for job in jobs])
        self._journal(request, jobs, "Run again.")
        self.message_user(
            request,
            gettext("%(count)s will run again; the others have not failed.") % {"count": count},
            messages.SUCCESS,
        )

    @admin.action(description=_("Cancel"), permissions=["operate"])
    def cancel(self, request: HttpRequest, chosen: QuerySet[Job]) -> None:
        jobs = list(chosen)
        count = operating.cancel(job_ids=[job.pk for job in jobs])
        self._journal(request, jobs, "Canceled.")
        self.message_user(
            request,
            gettext("%(count)s are canceled; what runs ends at its next step. The others had ended.")
            % {"count": count},
            messages.SUCCESS,
        )

    def _journal(self, request: HttpRequest, jobs: list[Job], change: str) -> None:
        operator_id = UUID(str(request.user.pk))
        LogEntry.objects.log_actions(operator_id, jobs, CHANGE, change_message=change)


class PausedKindForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """Which kind is stopped, and why."""

    kind = forms.ChoiceField(choices=lambda: [(name, name) for name in kinds.list_kinds()])

    class Meta:
        model = PausedKind
        fields = ("kind", "reason")


@admin.register(PausedKind)
class PausedKindAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """The switch of each kind: add it here and nothing of it is begun; delete it and all goes on."""

    form = PausedKindForm
    list_display = ("kind", "reason", "paused_at")
    ordering = ("kind",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PausedKind, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        obj.paused_at = clock.now()
        super().save_model(request, obj, form, change)
