"""Operators' screen of object stores: how each is reached, what it was found able to do, a test of it. Secrets are written, never shown."""

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from apps.storage import conformance, places, provider
from apps.storage.abilities import ABILITIES
from apps.storage.errors import StoreFull, StoreUnavailable
from apps.storage.models import Placement, Provider, Store
from apps.storage.models_of_stores import Encryption
from bitvault.kernel import clock, sealing

_PREFIX = re.compile(r"(?:[A-Za-z0-9._-]+/)*")
_ENDPOINTS = ("endpoint_url", "public_endpoint_url", "download_endpoint_url")
PLACE = ("endpoint_url", "bucket", "prefix", "addressing")
"""What says where objects lie: it stays as long as a tenant is placed there."""


class StoreForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """A store and its secret."""

    secret = forms.CharField(
        label=_lazy("Secret of the access key"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"size": 60, "autocomplete": "new-password"}),
        help_text=_lazy("It is never shown again. Empty: it stays as it is."),
    )

    class Meta:
        model = Store
        fields = (
            "name",
            *_ENDPOINTS,
            "region",
            "bucket",
            "prefix",
            "addressing",
            "encryption",
            "kms_key",
            "storage_class",
            "access_key_id",
        )

    def clean(self) -> dict[str, Any]:
        """Refuse what leads nowhere, and the installation's own place."""
        cleaned = super().clean() or {}
        for name in _ENDPOINTS:
            if cleaned.get(name):
                cleaned[name] = cleaned[name].rstrip("/")
                if not _is_origin(cleaned[name]):
                    self.add_error(name, _("An address such as https://store.example.com, without a path."))
        if not _PREFIX.fullmatch(cleaned.get("prefix") or ""):
            self.add_error("prefix", _("Letters, digits, dots and dashes, with / at the end."))
        if bool(cleaned.get("kms_key")) and cleaned.get("encryption") != Encryption.KMS:
            self.add_error("kms_key", _("A key is named for SSE-KMS alone."))
        if self.instance.sealed_secret == "" and not cleaned.get("secret"):
            self.add_error("secret", _("Enter the secret."))
        own = provider.store()
        wanted = tuple(cleaned.get(name, getattr(self.instance, name)) for name in ("endpoint_url", "bucket", "prefix"))
        if wanted == (own.endpoint_url, own.bucket, own.prefix):
            raise ValidationError(_("This is the installation's own store: tenants are there without being placed."))
        return cleaned


def _is_origin(url: str) -> bool:
    try:
        found = urlsplit(url)
        port_is_fit = found.port is None or found.port > 0
    except ValueError:
        return False
    return bool(
        found.scheme in ("http", "https")
        and found.hostname
        and port_is_fit
        and not (found.path or found.query or found.fragment or "@" in found.netloc)
        and re.fullmatch(r"[A-Za-z0-9.:\[\]-]+", found.netloc)
    )


@admin.register(Store)
class StoreAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """Object stores beside the installation's own. Tenants are placed there on the page “Where bytes are kept”."""

    form = StoreForm
    list_display = ("name", "endpoint_url", "bucket", "prefix", "encryption", "fitness", "tenants", "changed_at")
    search_fields = ("name", "endpoint_url", "bucket")
    ordering = ("name",)
    actions = ("test",)
    readonly_fields = ("abilities",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Store]:
        return super().get_queryset(request).select_related("provider").prefetch_related("placements")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*StoreForm.Meta.fields, "secret", *(("abilities",) if obj is not None else ()))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        is_used = obj is not None and Placement.objects.filter(store=obj).exists()
        return (*(PLACE if is_used else ()), "abilities")

    @admin.display(description=_lazy("Last test"))
    def fitness(self, row: Store) -> str:
        found = getattr(row, "provider", None)
        if found is None:
            return _("not tested")
        return _("can be used") if found.is_fit else _("lacks something")

    @admin.display(description=_lazy("Tenants"))
    def tenants(self, row: Store) -> int:
        return len(row.placements.all())

    @admin.display(description=_lazy("What it can do"))
    def abilities(self, row: Store) -> SafeString | str:
        found = getattr(row, "provider", None)
        if found is None:
            return _("Not tested. Choose it in the list, and the action “Test”.")
        return show_abilities(found)

    def save_model(self, request: HttpRequest, obj: Store, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        secret = form.cleaned_data.get("secret")
        if secret:
            obj.sealed_secret = sealing.seal(secret, purpose=places.PURPOSE)
        obj.changed_at = clock.now()
        super().save_model(request, obj, form, change)
        if set(form.changed_data) - {"name"}:
            # What was found is not known of it any more; nobody comes to live there before it was tested again.
            Provider.objects.filter(store=obj).delete()
            messages.warning(request, _("Test it before tenants are placed there."))
        places.forget()

    @admin.action(description=_lazy("Test"), permissions=["change"])
    def test(self, request: HttpRequest, chosen: QuerySet[Store]) -> None:
        """Try everything that BitVault asks of a store, at each that was chosen, and keep what was found."""
        places.forget()
        for row in list(chosen):
            try:
                report = conformance.probe_configured(row.pk)
            except (StoreUnavailable, StoreFull) as error:
                messages.error(request, _("%(store)s does not answer: %(why)s") % {"store": row, "why": error.detail})
                continue
            lacking = ", ".join(finding.ability for finding in report.lacking)
            if not report.is_fit:
                told = _("%(store)s cannot be used. It lacks: %(lacking)s")
                messages.error(request, told % {"store": row, "lacking": lacking})
            elif lacking:
                told = _("%(store)s can be used. It lacks: %(lacking)s")
                messages.warning(request, told % {"store": row, "lacking": lacking})
            else:
                messages.success(request, _("%(store)s can do everything.") % {"store": row})


def show_abilities(found: Provider) -> SafeString:
    """Show what a store can do, and of what it lacks what happens without it."""
    rows = format_html_join(
        "",
        "<tr><td>{}</td><th scope='row'>{}</th><td>{}</td></tr>",
        (
            (_("yes") if is_there else _("NO"), asked.meaning, "" if is_there else asked.answer)
            for name, asked in ABILITIES.items()
            if (is_there := found.abilities.get(name)) is not None
        ),
    )
    moment = _("Tested %(moment)s UTC") % {"moment": f"{found.probed_at:%Y-%m-%d %H:%M}"}
    return format_html("<p>{}</p><table>{}</table>", moment, rows)
