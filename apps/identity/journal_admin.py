"""Operators' screen of Django admin's journal: who of them changed what here. What tenants' streams tell of stands in their audit logs."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.identity.screens import ReadOnly


@admin.register(LogEntry)
class JournalAdmin(ReadOnly):
    """The journal, latest first."""

    list_display = ("action_time", "operator", "action_flag", "content_type", "object_repr", "change")
    list_filter = ("action_flag", "action_time", "content_type")
    search_fields = ("user__email", "object_repr", "change_message", "=object_id")
    search_help_text = _("E-mail of the operator, what was changed, or its id")
    list_select_related = ("user", "content_type")
    ordering = ("-action_time", "-id")
    show_full_result_count = False
    fields = ("action_time", "operator", "action_flag", "content_type", "object_id", "object_repr", "change")

    @admin.display(description=_("Operator"), ordering="user__email")
    def operator(self, entry: LogEntry) -> str:
        return str(entry.user.shown_email)

    @admin.display(description=_("Change"))
    def change(self, entry: LogEntry) -> str:
        return entry.get_change_message()

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Have it listed on the index for who may look."""
        return self.has_view_permission(request)
