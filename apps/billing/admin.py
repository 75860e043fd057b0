"""Operators' screen of plans. What is done here stands in Django admin's own journal, and each change is another version of the plan."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec
from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.billing.change_wording import word_figures
from apps.billing.history import FACTS, compare_versions, with_former_facts
from apps.billing.models import Plan, PlanPrice, PlanVersion
from apps.billing.pricing import METRICS, PLAN, read_prices
from bitvault.kernel import clock, policies
from bitvault.web import naming
from bitvault.web.sizes import size_in_words

LIMITS = ("member_limit", "guest_limit", "link_limit")


class PlanForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """A plan."""

    class Meta:
        model = Plan
        fields = ("slug", *FACTS, "grace_days")
        help_texts = {
            **dict.fromkeys(LIMITS, _("Empty: as many as come.")),
            "currency": _("ISO 4217, such as EUR."),
            "prices": format_lazy(
                _("A list: {example}: price of a unit above what a month includes. Metrics: {metrics}."),
                example='[{"metric": "live_bytes", "price": "0.02", "included": "100"}]',
                metrics=", ".join(f"{name} ({one.unit})" for name, one in METRICS.items()),
            ),
        }

    def clean_prices(self) -> Any:
        """Refuse what is no list of prices, or names a metric twice."""
        stored = self.cleaned_data["prices"] or []
        try:
            prices = read_prices(stored)
        except msgspec.ValidationError as error:
            raise ValidationError(str(error)) from error
        if len({price.metric for price in prices}) < len(prices):
            raise ValidationError(_("A metric has one price."))
        return stored


class Versions(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """What the plan was, who made it so, and what differs. Django makes one of these for each request, so names are asked for once."""

    model = PlanVersion
    template = "admin/edit_inline/read_only.html"
    fields = ("version", "begun_at", "made_by", "what_differs", *FACTS)
    readonly_fields = fields
    ordering = ("-version",)
    extra = 0
    can_delete = False
    verbose_name_plural = _("History")
    _names: Mapping[UUID, str] | None = None

    def get_queryset(self, request: HttpRequest) -> Any:
        return with_former_facts(super().get_queryset(request))

    @admin.display(description=_("Changed by"))
    def made_by(self, row: PlanVersion) -> str:
        if row.changed_by is None:
            return "manage.py"
        if self._names is None:
            found = PlanVersion.objects.filter(plan=row.plan_id).values_list("changed_by", flat=True)
            self._names = naming.finder().name_operators({one for one in found if one is not None})
        return self._names.get(row.changed_by) or gettext("an operator who is gone")

    @admin.display(description=_("What differs"))
    def what_differs(self, row: Any) -> str:
        if row.former_name is None:
            return ""
        changes = compare_versions(
            {name: getattr(row, f"former_{name}") for name in FACTS}, {name: getattr(row, name) for name in FACTS}
        )
        return "; ".join(
            f"{line.label}: {line.before} → {line.after}" if line.is_told else line.label
            for line in word_figures(changes)
        )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class PriceForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """What the plan is called at the payment service."""

    metric = forms.ChoiceField(choices=[(PLAN, _("price of a month")), *((name, name) for name in METRICS)])

    class Meta:
        model = PlanPrice
        fields = ("metric", "price_id", "event_name")
        help_texts = {
            "price_id": _("price_…, a recurring one by the month; metered for what is used."),
            "event_name": _("Of the meter that a metered price stands on; it counts thousandths of the unit."),
        }

    def clean(self) -> Any:
        """Ask for the meter's event where usage is reported, and only there."""
        cleaned = super().clean() or {}
        if (cleaned.get("metric") == PLAN) == bool(cleaned.get("event_name")):
            self.add_error(
                "event_name", _("A price of what is used has the event of its meter; the price of a month has none.")
            )
        return cleaned


class Prices(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """Its prices at the payment service; without one of a month it is not for sale."""

    model = PlanPrice
    form = PriceForm
    extra = 0
    verbose_name = _("price at the payment service")
    verbose_name_plural = _("prices at the payment service")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.view_plan")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("billing.change_plan")

    has_change_permission = has_add_permission
    has_delete_permission = has_add_permission


@admin.register(Plan)
class PlanAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Plans: a change holds for all tenants that have the plan within a second, and deletes nothing of theirs."""

    list_display = ("name", "slug", "version", "room", "largest_file", "trash_days", *LIMITS, "month_price", "currency")
    form = PlanForm
    ordering = ("limit_bytes", "slug")
    inlines = (Prices, Versions)

    @admin.display(description=_("Room"), ordering="limit_bytes")
    def room(self, plan: Plan) -> str:
        return size_in_words(plan.limit_bytes)

    @admin.display(description=_("Largest file"), ordering="file_limit_bytes")
    def largest_file(self, plan: Plan) -> str:
        return "no limit" if plan.file_limit_bytes is None else size_in_words(plan.file_limit_bytes)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("slug",) if obj is not None else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Plan, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        if change and not set(form.changed_data) & set(FACTS):
            # Days of grace are no part of a version: no statement asks for them.
            super().save_model(request, obj, form, change)
            return
        if change:
            # Locked until the admin's transaction ends, so that two operators make two versions.
            obj.version = Plan.objects.select_for_update().get(pk=obj.pk).version + 1
        super().save_model(request, obj, form, change)
        facts = {name: getattr(obj, name) for name in FACTS}
        PlanVersion.objects.create(
            plan=obj, version=obj.version, begun_at=clock.now(), changed_by=request.user.pk, **facts
        )
        policies.forget()
