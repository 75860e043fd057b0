"""The operators' page of what could be wrong with the installation."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from bitvault.gateway import doctor
from bitvault.web.limits.routes import limit_all
from bitvault.web.operators import for_operators


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show what ``manage.py doctor`` finds, and what the proxies in front have said of this very request; the store is not probed anew."""
    found = doctor.examine(request=request)
    context = {
        **admin.site.each_context(request),
        "title": _("Doctor"),
        "findings": found,
        "bad_count": sum(one.level == "bad" for one in found),
        "warning_count": sum(one.level == "warning" for one in found),
    }
    return render(request, "admin/doctor.html", context)


urlpatterns = [path("", for_operators(show, needs="identity.view_installation"), name="doctor")]
limit_all(urlpatterns)
