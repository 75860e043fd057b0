"""What operators' pages with a row for each tenant share: the search field, the page of tenants, and what their template needs."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Page, Paginator
from django.http import HttpRequest

from apps.identity import api as identity
from bitvault.kernel.tenancy import Tenant

PAGE_LENGTH = 20
"""Tenants of a page: some pages ask each of them in its own schema."""


def find_page(request: HttpRequest) -> Page[Tenant]:
    """Give the page of active tenants, by slug, that the query asks for: ``q`` is a part of the slug, ``p`` the number."""
    wanted = read_search(request)
    tenants = sorted(identity.list_active_tenants(), key=lambda tenant: tenant.slug)
    return Paginator([tenant for tenant in tenants if wanted in tenant.slug], PAGE_LENGTH).get_page(
        request.GET.get("p")
    )


def read_search(request: HttpRequest) -> str:
    """Read what is searched for."""
    return request.GET.get("q", "").strip().lower()


def context_of(request: HttpRequest, *, title: str, page: Page[Any], **more: Any) -> dict[str, Any]:
    """Give what ``admin/tenant_page.html`` needs, and ``more``."""
    return {
        **admin.site.each_context(request),
        "title": title,
        "wanted": read_search(request),
        "page": page,
        **more,
    }
