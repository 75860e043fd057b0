"""Operators' screen of consumers that are stopped. What is done here stands in Django admin's own journal."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from bitvault.events.consuming import list_consumers
from bitvault.events.models import PausedConsumer
from bitvault.kernel import clock


class PausedConsumerForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """Which consumer is stopped, and why."""

    consumer = forms.ChoiceField(choices=lambda: [(name, name) for name in list_consumers()])

    class Meta:
        model = PausedConsumer
        fields = ("consumer", "reason")


@admin.register(PausedConsumer)
class PausedConsumerAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """The switch of each consumer: add it here and it begins no further batch in any tenant; delete it and it goes on where it stopped."""

    form = PausedConsumerForm
    list_display = ("consumer", "reason", "paused_at")
    ordering = ("consumer",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PausedConsumer, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        obj.paused_at = clock.now()
        super().save_model(request, obj, form, change)
