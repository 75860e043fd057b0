"""Paths of administration's pages at a tenant's host."""

from django.urls import path

from apps.admin_platform.ui import features, siem, views

urlpatterns = [
    path("audit/", views.Audit.as_view()),
    path("audit/siem/", siem.SiemExports.as_view()),
    path("features/", features.Features.as_view()),
]
