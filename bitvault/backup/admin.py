"""Operators' screen of backups, to be read only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from bitvault.backup.models import BackupRun


@admin.register(BackupRun)
class BackupRunAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Backups that were begun here, latest first."""

    list_display = (
        "id",
        "state",
        "target",
        "tenant_count",
        "database_bytes",
        "object_count",
        "object_bytes",
        "copied_bytes",
        "lost_count",
        "reason",
        "started_at",
        "finished_at",
    )
    list_filter = ("state", "started_at")
    search_fields = ("id", "target")
    ordering = ("-started_at",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
