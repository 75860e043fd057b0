"""Pages of operators beside Django admin's own: each names the permission that it needs."""

from collections.abc import Callable

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpResponse


def for_operators(view: Callable[..., HttpResponse], *, needs: str) -> Callable[..., HttpResponse]:
    """Let in operators who are signed in and have a permission, as ``app.codename``; all others are sent to sign in, or refused."""
    page = admin.site.admin_view(permission_required(needs, raise_exception=True)(view))
    page.operator_permission = needs  # type: ignore[attr-defined] # read by the test that walks all pages
    return page
