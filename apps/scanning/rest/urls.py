"""The module's REST routes."""

from django.urls import path

from apps.scanning.rest import views

urlpatterns = [
    path("scanning/rule", views.ScanRule.as_view()),
    path("nodes/<uuid:node_id>/scan", views.NodeScan.as_view()),
    path("scans", views.Scans.as_view()),
    path("quarantine", views.Quarantine.as_view()),
    path("quarantine/<uuid:content_id>/release", views.QuarantineRelease.as_view()),
    path("quarantine/<uuid:content_id>/trash", views.QuarantineTrash.as_view()),
]
