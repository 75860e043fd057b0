"""Paths of the pages of files, at a tenant's host."""

from django.urls import path
from django.views.generic import RedirectView

from apps.files.ui import details, retention, rules, views
from bitvault.web.limits.routes import limited

urlpatterns = [
    path("", limited()(RedirectView.as_view(url="/files/"))),
    path("files/", views.FolderPage.as_view()),
    path("files/<uuid:node_id>/", views.FolderPage.as_view()),
    path("files/<uuid:node_id>/position", views.FolderPosition.as_view()),
    path("files/details/properties", details.Properties.as_view()),
    path("files/details/versions", details.Versions.as_view()),
    path("files/details/retention", retention.NodeRetention.as_view()),
    path("files/details/rules", rules.NodeRules.as_view()),
    path("settings/retention/", retention.RetentionPage.as_view()),
    path("files/owners", views.Owners.as_view()),
    path("teams/", views.TeamsPage.as_view()),
    path("trash/", views.TrashPage.as_view()),
    path("trash/position", views.TrashPosition.as_view()),
    path("trash/<uuid:root_id>/", views.TrashPage.as_view()),
    path("trash/<uuid:root_id>/position", views.TrashPosition.as_view()),
]
