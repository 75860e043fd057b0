"""The bases of operators' screens: those that show and act, and those whose form an operation carries out; and the form of a new tenant."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext_lazy as _

from apps.identity import models
from bitvault.kernel.errors import BitVaultError


def operator_id(request: HttpRequest) -> UUID:
    """Tell who changes something here; the admin lets nobody unknown come so far."""
    return UUID(str(request.user.pk))


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """A screen that shows and, by its actions, changes; there is no form to edit and nothing to delete."""

    def has_operate_permission(self, request: HttpRequest) -> bool:
        """Tell whether the operator may run actions: Django's right to change, though there is no form."""
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ByOperations(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs only
    """A screen whose form is carried out by an operation.

    Django saves a form inside a transaction of its own, and an operation begins one too. So ``save_model`` only says which operation is
    wanted; it runs when Django's transaction has ended, and what it refuses is said on top of the form.
    """

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        wanted = _Wanted()
        request.wanted_operation = wanted  # type: ignore[attr-defined] # read by save_model and the responses below
        response = super().changeform_view(request, object_id, *args, **kwargs)
        if wanted.operation is None:
            return response
        try:
            obj = wanted.operation()
        except BitVaultError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_add(request, obj) if object_id is None else super().response_change(request, obj)

    def want(self, request: HttpRequest, operation: Callable[[], Any]) -> None:
        """Have an operation carried out, which returns the row that the answer is about."""
        request.wanted_operation.operation = operation  # type: ignore[attr-defined] # set above

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponse()

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponse()

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the operation's event tells it, and there is no row yet."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """Write nothing: the operation's event tells it."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@dataclass(slots=True)
class _Wanted:
    """What a form asks for."""

    operation: Callable[[], Any] | None = None


class NewTenant(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs only
    """What a tenant is made from."""

    owner_email = forms.EmailField(label=_("E-mail of the owner"))
    owner_name = forms.CharField(required=False, label=_("Name of the owner"))
    owner_password = forms.CharField(
        label=_("Password of the owner"),
        widget=forms.PasswordInput,
        help_text=_("Somebody who has an account already keeps their password: give that one."),
    )

    class Meta:
        model = models.Tenant
        fields = ("slug", "name")
