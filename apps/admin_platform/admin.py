"""Operators' screen of feature flags: what holds, for whom, what is amiss; each change is a version that can be taken back."""

import json
from typing import Any
from uuid import UUID

import msgspec
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.text import format_lazy
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from apps.admin_platform import (
    config_admin,  # noqa: F401 - importing it registers the screen of settings
    flagging,
)
from apps.admin_platform.errors import FeatureUnknown, FeatureValueUnfit, FlagVersionUnknown
from apps.admin_platform.flag_provider import PROVIDER
from apps.admin_platform.flag_rules import FlagState, Rule
from apps.admin_platform.history_admin import History
from apps.admin_platform.models import Flag, FlagReading, FlagVersion
from bitvault.kernel import flags

RULES_HELP = format_lazy(
    _(
        "A list; the first rule that fits holds. Conditions: environments, tenants and plans (slugs), roles, percent,"
        " per (person or tenant). Like {example}."
    ),
    example='[{"value": true, "plans": ["team"], "percent": 10}]',
)


class FlagForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """What is decided, and why."""

    note = forms.CharField(
        label=_("Note"),
        required=False,
        widget=forms.TextInput(attrs={"size": 80}),
        help_text=_("Why; it stays in the history."),
    )

    class Meta:
        model = Flag
        fields = ("value", "rules", "is_forced")
        help_texts = {
            "value": _("As JSON: true, 25, “pictures” in quotation marks. Empty: the default of the code."),
            "rules": RULES_HELP,
        }

    def clean_rules(self) -> tuple[Rule, ...]:
        """Read the rules."""
        try:
            return tuple(msgspec.convert(self.cleaned_data["rules"] or [], list[Rule]))
        except msgspec.ValidationError as error:
            raise ValidationError(str(error)) from error

    def clean(self) -> dict[str, Any]:
        """Refuse values that the flag does not take."""
        cleaned = super().clean() or {}
        flag = flags.find(self.instance.key)
        if flag is None:
            raise ValidationError(FeatureUnknown.title)
        if "rules" in cleaned and "value" in cleaned:
            try:
                flagging.require_fit(flag, self.state)
            except FeatureValueUnfit as error:
                raise ValidationError(f"{error.detail}: {json.dumps(error.facts)}") from error
        return cleaned

    @property
    def state(self) -> FlagState:
        """What is wanted."""
        return FlagState(self.cleaned_data["value"], self.cleaned_data["rules"], self.cleaned_data["is_forced"])

    def _post_clean(self) -> None:
        """Leave the row alone: the operation writes it."""


class Versions(History):
    """What was decided before, by whom."""

    model = FlagVersion
    fields = ("version", "changed_at", "decided_by", "value", "rules", "is_forced", "note")
    readonly_fields = fields
    of = "flag_id"


@admin.register(Flag)
class FlagAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Flags that the code declares, and those that only a row remembers. A change holds everywhere within a second."""

    form = FlagForm
    list_display = ("key", "holds", "rule_count", "is_forced", "owner", "ends", "last_read", "troubles")
    search_fields = ("key",)
    ordering = ("key",)
    fields = (
        "description",
        "kind",
        "default",
        "owner",
        "ends",
        "last_read",
        "troubles",
        "value",
        "rules",
        "is_forced",
        "note",
    )
    readonly_fields = ("description", "kind", "default", "owner", "ends", "last_read", "troubles")
    inlines = (Versions,)
    actions = ("undo",)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show a row for each flag that the code declares, too."""
        declared = [Flag(key=flag.key) for flag in flags.list_declared()]
        Flag.objects.bulk_create(declared, ignore_conflicts=True)
        return super().changelist_view(request, extra_context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flag]:
        read = FlagReading.objects.filter(key=OuterRef("key")).values("last_read_on")
        rows: QuerySet[Flag] = super().get_queryset(request).annotate(last_read_on=Subquery(read))
        return rows

    @admin.display(description=_("Holds for all others"))
    def holds(self, row: Flag) -> str:
        return self.default(row) if row.value is None else json.dumps(row.value)

    @admin.display(description=_("Rules"))
    def rule_count(self, row: Flag) -> int:
        return len(row.rules)

    @admin.display(description=_("Owner"))
    def owner(self, row: Flag) -> str:
        return _of(row, "owner")

    @admin.display(description=_("To be gone by"))
    def ends(self, row: Flag) -> str:
        ends = _of(row, "ends")
        return ends if ends != "None" else gettext("lasting")

    @admin.display(description=_("Last read on"))
    def last_read(self, row: Any) -> Any:
        return row.last_read_on or gettext("never")

    @admin.display(description=_("Amiss"))
    def troubles(self, row: Any) -> str:
        return ", ".join(flagging.find_troubles(flags.find(row.key), row.last_read_on))

    @admin.display(description=_("What it does"))
    def description(self, row: Flag) -> str:
        return _of(row, "description")

    @admin.display(description=_("Type"))
    def kind(self, row: Flag) -> str:
        flag = flags.find(row.key)
        if flag is None:
            return gettext("unknown to this version of BitVault")
        least, most = gettext("at least %(figure)s"), gettext("at most %(figure)s")
        bounds = [least % {"figure": flag.least}] * (flag.least is not None)
        bounds += [most % {"figure": flag.most}] * (flag.most is not None)
        return f"{flag.kind} ({', '.join(flag.variants or bounds)})" if flag.variants or bounds else flag.kind

    @admin.display(description=_("Default of the code"))
    def default(self, row: Flag) -> str:
        flag = flags.find(row.key)
        return "" if flag is None else json.dumps(flag.default)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Flags come from the code."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only of what no module declares any more."""
        return obj is not None and flags.find(obj.key) is None and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Flag, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        flagging.write_state(obj.key, form.state, by=UUID(str(request.user.pk)), note=form.cleaned_data["note"])
        PROVIDER.forget()

    def delete_model(self, request: HttpRequest, obj: Flag) -> None:
        FlagReading.objects.filter(key=obj.key).delete()
        super().delete_model(request, obj)

    @admin.action(description=_("Undo the last change"), permissions=["change"])
    def undo(self, request: HttpRequest, chosen: QuerySet[Flag]) -> None:
        for key in list(chosen.values_list("key", flat=True)):
            try:
                version = flagging.undo(key, by=UUID(str(request.user.pk)))
                self.message_user(
                    request,
                    gettext("%(key)s is as before, in version %(version)s.") % {"key": key, "version": version},
                    messages.SUCCESS,
                )
            except (FlagVersionUnknown, FeatureUnknown) as error:
                self.message_user(request, f"{key}: {error.detail}", messages.ERROR)


def _of(row: Flag, attribute: str) -> str:
    flag = flags.find(row.key)
    return "" if flag is None else str(getattr(flag, attribute))
