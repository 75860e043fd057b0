"""What a tenant's host answers: the REST surface and the pages of the vault."""

from django.urls import include, path

from bitvault.gateway import brand, health, link_content, link_previews
from bitvault.web import catalogue

urlpatterns = [
    path("api/v1/", include("bitvault.gateway.urls_api")),
    path("docs/", include("bitvault.gateway.urls_docs")),
    path("healthz", health.live),
    # Before all pages, each of which would be compared first: strangers by the thousand fetch what a link leads to.
    path("s/<str:token>/content/<uuid:node_id>", link_content.LinkDownload.as_view()),
    path("s/<str:token>/preview/<uuid:node_id>", link_previews.LinkPreview.as_view()),
    path("accent/<str:light>-<str:dark>.css", brand.show_accent),
    path("texts/<str:language>/<str:digest>.js", catalogue.show),
    path("", include("apps.identity.ui.urls")),
    path("", include("apps.files.ui.urls")),
    path("", include("apps.sharing.ui.urls")),
    path("", include("apps.sync.ui.urls")),
    path("", include("apps.search.ui.urls")),
    path("", include("apps.links.ui.urls")),
    path("", include("apps.notifications.ui.urls")),
    path("", include("apps.previews.ui.urls")),
    path("", include("apps.admin_platform.ui.urls")),
    path("", include("apps.webhooks.ui.urls")),
    path("", include("apps.billing.ui.urls")),
    path("", include("apps.annotations.ui.urls")),
    path("", include("apps.scanning.ui.urls")),
]

handler400 = "bitvault.gateway.pages.bad_request"
handler403 = "bitvault.gateway.pages.forbidden"
handler404 = "bitvault.gateway.pages.not_found"
handler500 = "bitvault.gateway.pages.server_error"
