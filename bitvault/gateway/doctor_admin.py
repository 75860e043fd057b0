"""The operators' page of what could be wrong with the installation."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET

from bitvault.gateway import doctor
from bitvault.web.limits.routes import limit_all


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show what ``manage.py doctor`` finds, and what the proxies in front have said of this very request; the store is not probed anew."""
    context = {
        **admin.site.each_context(request),
        "title": "Doctor",
        "findings": doctor.examine(request=request),
    }
    return render(request, "admin/doctor.html", context)


urlpatterns = [path("", admin.site.admin_view(show), name="doctor")]
limit_all(urlpatterns)
