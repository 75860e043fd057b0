"""Operators' screen of settings: what holds, who changed it and why, any version brought back; and the same as JSON for programs."""

import json
from typing import Any
from uuid import UUID

import msgspec
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from apps.admin_platform import configuring
from apps.admin_platform.config_source import SOURCE
from apps.admin_platform.dtos import ConfigTrouble
from apps.admin_platform.errors import ConfigChanged, ConfigUnknown, ConfigValueUnfit, ConfigVersionUnknown
from apps.admin_platform.history_admin import History
from apps.admin_platform.models import Config, ConfigVersion
from bitvault.kernel import config
from bitvault.kernel.config import Setting
from bitvault.kernel.errors import BitVaultError, Malformed
from bitvault.web import problems

DEFAULT = "default"


TROUBLES: dict[ConfigTrouble, Any] = {
    "unknown": _("unknown to this version of BitVault"),
    "unfit": _("this version does not take what was decided: the default holds"),
    "unreadable": _("the secret cannot be read any more: enter it again"),
}


def say_schema(schema: dict[str, Any]) -> str:
    """Say what a setting takes, in words."""
    low, high = schema.get("minimum"), schema.get("maximum")
    match schema.get("type"):
        case "boolean":
            return str(_("Yes or no"))
        case "integer":
            return str(_("A number from %(low)s to %(high)s") % {"low": low, "high": high})
        case "array":
            return str(_("A list of at most %(count)s") % {"count": schema.get("maxItems", "∞")})
        case _kind:
            return str(_("A text of at most %(count)s characters") % {"count": schema.get("maxLength", "∞")})


def field_of(setting: Setting[Any]) -> forms.Field:
    """Give the form's field for a setting; empty is the default."""
    kind = setting.schema.get("type")
    if setting.is_secret:
        widget = forms.PasswordInput(attrs={"size": 60, "autocomplete": "new-password"})
        return forms.CharField(required=False, widget=widget, help_text=_("It is never shown again."))
    if kind == "boolean":
        return forms.ChoiceField(
            choices=[("", _("The default")), ("true", _("Yes")), ("false", _("No"))], required=False
        )
    if kind == "integer":
        low, high = setting.schema.get("minimum"), setting.schema.get("maximum")
        return forms.IntegerField(
            required=False,
            min_value=low,
            max_value=high,
            help_text=_("From %(low)s to %(high)s. Empty: the default.") % {"low": low, "high": high},
        )
    if kind == "array":
        return forms.CharField(
            required=False,
            widget=forms.Textarea(attrs={"rows": 5, "cols": 60}),
            help_text=_("One a line. Empty: the default."),
        )
    return forms.CharField(
        required=False, help_text=_("Empty: the default."), widget=forms.TextInput(attrs={"size": 80})
    )


def read_field(setting: Setting[Any], entered: Any) -> Any:
    """Read what was entered as JSON has it; ``None``: the default."""
    if entered in (None, ""):
        return None
    kind = setting.schema.get("type")
    if kind == "boolean":
        return entered == "true"
    if kind == "array":
        return [line.strip() for line in entered.splitlines() if line.strip()]
    return entered


def show_field(setting: Setting[Any], stored: Any) -> Any:
    """Give what is decided as the field shows it."""
    if stored is None or setting.is_secret:
        return ""
    if isinstance(stored, bool):
        return "true" if stored else "false"
    return "\n".join(stored) if isinstance(stored, list) else stored


class ConfigForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """What is decided, and why."""

    decided = forms.CharField(required=False, label=_("Value"))
    forget_secret = forms.BooleanField(required=False, label=_("Forget the secret: the default holds again"))
    back_to = forms.ChoiceField(
        required=False, label=_("Or go back to"), help_text=_("A version from the history below.")
    )
    note = forms.CharField(
        required=False,
        label=_("Note"),
        widget=forms.TextInput(attrs={"size": 80}),
        help_text=_("Why; it stays in the history."),
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput, label="")

    class Meta:
        model = Config
        fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        setting = config.find(self.instance.key)
        self.fields["seen_version"].initial = self.instance.version
        versions = configuring.list_versions(self.instance.key)
        self.fields["back_to"].choices = [  # type: ignore[attr-defined] # of a choice field
            ("", "–"),
            *(
                (
                    str(one.version),
                    _("%(version)s of %(moment)s UTC")
                    % {"version": one.version, "moment": f"{one.changed_at:%Y-%m-%d %H:%M}"},
                )
                for one in versions[1:]
            ),
            *([("0", _("0: the default"))] if versions else []),
        ]
        if setting is not None:
            self.fields["decided"] = field_of(setting)
            self.fields["decided"].label = _("Value")
            self.fields["decided"].initial = show_field(setting, self.instance.value)
        if setting is None or not setting.is_secret:
            del self.fields["forget_secret"]

    def clean(self) -> dict[str, Any]:
        """Refuse what the setting does not take."""
        cleaned = super().clean() or {}
        setting = config.find(self.instance.key)
        if setting is None:
            raise ValidationError(ConfigUnknown.title)
        if cleaned.get("seen_version") != self.instance.version:
            raise ValidationError(ConfigChanged.title)
        cleaned["wanted"] = read_field(setting, cleaned.get("decided"))
        if cleaned.get("back_to"):
            return cleaned
        if setting.is_secret and cleaned["wanted"] is None and not cleaned.get("forget_secret"):
            raise ValidationError({"decided": _("Enter the secret, or say that it is to be forgotten.")})
        if cleaned["wanted"] is not None:
            try:
                setting.read(cleaned["wanted"])
            except config.Unfit as error:
                told = (
                    _("It is too short, too long, or has signs that are not allowed.")
                    if setting.is_secret
                    else _("The setting does not take this: %(reason)s") % {"reason": error}
                )
                raise ValidationError({"decided": told}) from error
        return cleaned

    def _post_clean(self) -> None:
        """Leave the row alone: the operation writes it."""


class Versions(History):
    """What was decided before, by whom."""

    model = ConfigVersion
    fields = ("version", "changed_at", "decided_by", "shown", "note")
    readonly_fields = fields
    of = "config_id"

    @admin.display(description=_("Value"))
    def shown(self, row: ConfigVersion) -> str:
        if row.sealed:
            return str(_("a secret"))
        return DEFAULT if row.value is None else json.dumps(row.value)


@admin.register(Config)
class ConfigAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Settings that the code declares, and those that only a row remembers. A change holds everywhere within a second."""

    form = ConfigForm
    list_display = ("key", "holds", "source", "owner", "changed_at", "troubles")
    search_fields = ("key",)
    ordering = ("key",)
    readonly_fields = ("description", "takes", "default", "holds", "owner", "troubles")
    inlines = (Versions,)
    actions = ("undo",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        setting = None if obj is None else config.find(obj.key)
        secret = ("forget_secret",) if setting is not None and setting.is_secret else ()
        return [(None, {"fields": (*self.readonly_fields, "decided", *secret, "back_to", "note", "seen_version")})]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        return super().get_form(request, obj, change, **{**kwargs, "fields": ()})

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show a row for each setting that the code declares, too."""
        Config.objects.bulk_create([Config(key=one.key) for one in config.list_declared()], ignore_conflicts=True)
        return super().changelist_view(request, extra_context)

    @admin.display(description=_("Holds"))
    def holds(self, row: Config) -> str:
        setting = config.find(row.key)
        if setting is None:
            return ""
        if setting.is_secret:
            return str(_("a secret") if row.sealed or setting.default() else _("none"))
        return json.dumps(setting.write(setting.get()), ensure_ascii=False)

    @admin.display(description=_("From"))
    def source(self, row: Config) -> str:
        setting = config.find(row.key)
        if row.value is not None or row.sealed:
            return str(_("decided here"))
        return setting.variable or DEFAULT if setting is not None else ""

    @admin.display(description=_("Owner"))
    def owner(self, row: Config) -> str:
        setting = config.find(row.key)
        return setting.owner if setting is not None else ""

    @admin.display(description=_("Amiss"))
    def troubles(self, row: Config) -> str:
        return ", ".join(str(TROUBLES[one]) for one in configuring.find_troubles(config.find(row.key), row)) or "–"

    @admin.display(description=_("What it does"))
    def description(self, row: Config) -> str:
        setting = config.find(row.key)
        return str(setting.description if setting is not None else _("unknown to this version of BitVault"))

    @admin.display(description=_("Takes"))
    def takes(self, row: Config) -> str:
        setting = config.find(row.key)
        return say_schema(setting.schema) if setting is not None else ""

    @admin.display(description=_("Default"))
    def default(self, row: Config) -> str:
        setting = config.find(row.key)
        if setting is None:
            return ""
        origin = f" ({setting.variable})" if setting.variable else ""
        if setting.is_secret:
            return f"{_('a secret') if setting.default() else _('none')}{origin}"
        return f"{json.dumps(setting.write(setting.default()), ensure_ascii=False)}{origin}"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Settings come from the code."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only of what no module declares any more."""
        return obj is not None and config.find(obj.key) is None and super().has_delete_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Config, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        by, entered = UUID(str(request.user.pk)), form.cleaned_data
        if entered.get("back_to"):
            configuring.write_earlier(obj.key, to=int(entered["back_to"]), by=by, note=entered["note"])
        else:
            configuring.write_value(
                obj.key, entered["wanted"], by=by, note=entered["note"], expected_version=entered["seen_version"]
            )
        SOURCE.forget()

    @admin.action(description=_("Undo the last change"), permissions=["change"])
    def undo(self, request: HttpRequest, chosen: QuerySet[Config]) -> None:
        for key in list(chosen.values_list("key", flat=True)):
            try:
                version = configuring.undo(key, by=UUID(str(request.user.pk)))
                self.message_user(
                    request,
                    _("%(key)s is as before, in version %(version)s.") % {"key": key, "version": version},
                    messages.SUCCESS,
                )
            except (ConfigVersionUnknown, ConfigUnknown, ConfigValueUnfit) as error:
                self.message_user(request, f"{key}: {error.detail}", messages.ERROR)

    # --- as JSON ---------------------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        site = self.admin_site
        return [
            path("values", site.admin_view(require_GET(self.list_values)), name="config-values"),
            path(
                "values/<str:key>",
                site.admin_view(require_http_methods(["GET", "PUT"])(self.one_value)),
                name="config-value",
            ),
            *super().get_urls(),
        ]

    def list_values(self, request: HttpRequest) -> HttpResponse:
        """Give all settings."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        return JsonResponse({"items": msgspec.to_builtins(configuring.list_statuses())})

    def one_value(self, request: HttpRequest, key: str) -> HttpResponse:
        """Give one with its history, or change it: ``{"value", "note"?, "version"?}``."""
        if not (self.has_change_permission(request) if request.method == "PUT" else self.has_view_permission(request)):
            raise PermissionDenied
        try:
            if request.method == "PUT":
                body = read_body(request.body)
                configuring.set_value(
                    key, body.value, by=UUID(str(request.user.pk)), note=body.note, expected_version=body.version
                )
            status, versions = configuring.get_status(key), configuring.list_versions(key)
        except BitVaultError as error:
            return problems.render(error)
        return JsonResponse({**msgspec.to_builtins(status), "versions": msgspec.to_builtins(versions)})


class SetValue(msgspec.Struct, forbid_unknown_fields=True):
    """A change of a setting."""

    value: Any
    note: str = ""
    version: int | None = None


def read_body(body: bytes) -> SetValue:
    """Read a change.

    :raises Malformed: it is none.
    """
    try:
        return msgspec.json.decode(body, type=SetValue)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise Malformed(str(error)) from error
