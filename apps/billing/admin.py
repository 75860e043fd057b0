"""Operators' screen of plans. What is done here stands in Django admin's own journal, and each change is another version of the plan."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.billing.models import Plan, PlanVersion
from bitvault.kernel import clock, policies
from bitvault.web.sizes import size_in_words


class Versions(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """What the plan was."""

    model = PlanVersion
    fields = ("version", "begun_at", "name", "limit_bytes", "file_limit_bytes", "trash_days")
    readonly_fields = fields
    ordering = ("-version",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Plans: a change holds for all tenants that have the plan within a second, and deletes nothing of theirs."""

    list_display = ("name", "slug", "version", "room", "largest_file", "trash_days")
    fields = ("slug", "name", "limit_bytes", "file_limit_bytes", "trash_days")
    ordering = ("limit_bytes", "slug")
    inlines = (Versions,)

    @admin.display(description="Room", ordering="limit_bytes")
    def room(self, plan: Plan) -> str:
        return size_in_words(plan.limit_bytes)

    @admin.display(description="Largest file", ordering="file_limit_bytes")
    def largest_file(self, plan: Plan) -> str:
        return "no limit" if plan.file_limit_bytes is None else size_in_words(plan.file_limit_bytes)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change and not form.changed_data:
            return
        if change:
            # Locked until the admin's transaction ends, so that two operators make two versions.
            obj.version = Plan.objects.select_for_update().get(pk=obj.pk).version + 1
        super().save_model(request, obj, form, change)
        facts = {name: getattr(obj, name) for name in ("name", "limit_bytes", "file_limit_bytes", "trash_days")}
        PlanVersion.objects.create(plan=obj, version=obj.version, begun_at=clock.now(), **facts)
        policies.forget()
