"""What the bare host and plain addresses answer: the REST surface by token, sign-in across tenants, sign-up."""

from django.urls import include, path

from bitvault.gateway import certificates, health, mailbox, payment
from bitvault.web import catalogue

urlpatterns = [
    path("api/v1/", include("bitvault.gateway.urls_api")),
    path("docs/", include("bitvault.gateway.urls_docs")),
    path("healthz", health.live),
    path("texts/<str:language>/<str:digest>.js", catalogue.show),
    path("readyz", health.ready),
    path("beatz", health.beating),
    path("certificates/ask", certificates.ask),
    path("metrics", health.metrics),
    path("payment/stripe", payment.take_stripe_notice),
    path("mailbox/<str:key>/", mailbox.show),
    path("mailbox/<str:key>/mails.json", mailbox.list_as_json),
    path("", include("apps.identity.ui.urls_bare")),
]

handler400 = "bitvault.gateway.pages.bad_request"
handler403 = "bitvault.gateway.pages.forbidden"
handler404 = "bitvault.gateway.pages.not_found"
handler500 = "bitvault.gateway.pages.server_error"
