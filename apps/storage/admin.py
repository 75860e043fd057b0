"""Operators' screens of storage: runs over the object store, what they found, and what the store was found able to do, to be read only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.storage import stores_admin
from apps.storage.models import Placement, Provider, StoreFinding, StoreRun, Sweep


class _ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Rows that the code alone writes."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(StoreRun)
class StoreRunAdmin(_ReadOnly):
    """Collections, reconciliations and scrubs of all tenants, latest first."""

    list_display = ("kind", "tenant_id", "state", "is_dry", "counts", "reason", "started_at", "finished_at")
    list_filter = ("kind", "state", "is_dry", "started_at")
    search_fields = ("=id", "=tenant_id")
    search_help_text = _("Id of the run or of its tenant")
    ordering = ("-started_at",)


@admin.register(StoreFinding)
class StoreFindingAdmin(_ReadOnly):
    """What the runs found, latest first."""

    list_display = ("kind", "outcome", "key", "blob_id", "size_bytes", "detail", "run", "found_at")
    list_filter = ("kind", "outcome", "found_at")
    list_select_related = ("run",)
    search_fields = ("=run__id", "=run__tenant_id", "=blob_id", "key")
    search_help_text = _("Id of the run, its tenant or the blob; or a part of the object's key")
    ordering = ("-found_at",)


@admin.register(Provider)
class ProviderAdmin(_ReadOnly):
    """Object stores and what the last probe of each found."""

    list_display = ("name", "is_fit", "probed_at")
    fields = ("name", "is_fit", "found")
    readonly_fields = fields

    @admin.display(description=_("What it can do"))
    def found(self, row: Provider) -> str:
        return stores_admin.show_abilities(row)


@admin.register(Placement)
class PlacementAdmin(_ReadOnly):
    """In which stores beside the installation's own tenants have bytes. They are placed on the page “Where bytes are kept”."""

    list_display = ("tenant_id", "store", "is_current", "placed_at")
    list_filter = ("store", "is_current")
    list_select_related = ("store",)
    search_fields = ("=tenant_id",)
    ordering = ("tenant_id", "placed_at")


@admin.register(Sweep)
class SweepAdmin(_ReadOnly):
    """What waits of each tenant: abandoned uploads, and bytes that no file holds."""

    list_display = ("tenant_id", "overdue_count", "uncollected_count", "swept_at")
    ordering = ("-overdue_count", "-uncollected_count")
