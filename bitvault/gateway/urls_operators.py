"""What the operators' host answers: Django admin."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from bitvault.gateway import health
from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.routes import limit_all, limited

_SITE = admin.site.urls
limit_all(_SITE[0], login=RouteClass.SIGN_IN)
urlpatterns = [
    path("", limited()(RedirectView.as_view(url="/admin/"))),
    path("admin/stream/", include("bitvault.gateway.stream_admin")),
    path("admin/search/", include("bitvault.gateway.search_admin")),
    path("admin/uploads/", include("bitvault.gateway.uploads_admin")),
    path("admin/placement/", include("bitvault.gateway.placement_admin")),
    path("admin/plans/", include("bitvault.gateway.plans_admin")),
    path("admin/statements/", include("bitvault.gateway.statements_admin")),
    path("admin/payment/", include("bitvault.gateway.payment_admin")),
    path("admin/siem/", include("bitvault.gateway.siem_admin")),
    path("admin/deletions/", include("bitvault.gateway.tenants_admin")),
    path("admin/mails/", include("bitvault.gateway.mails_admin")),
    path("admin/impersonations/", include("bitvault.gateway.impersonation_admin")),
    path("admin/doctor/", include("bitvault.gateway.doctor_admin")),
    path("admin/tenants/", include("bitvault.gateway.tenant_list_admin")),
    path("admin/", include("bitvault.gateway.overview_admin")),
    path("admin/", _SITE),
    path("healthz", health.live),
    path("readyz", health.ready),
    path("beatz", health.beating),
    path("metrics", health.metrics),
]

handler400 = "bitvault.gateway.pages.bad_request"
handler403 = "bitvault.gateway.pages.forbidden"
handler404 = "bitvault.gateway.pages.not_found"
handler500 = "bitvault.gateway.pages.server_error"
