"""Paths of the module's pages, at a tenant's host."""

from django.urls import path

from apps.scanning.ui import views

urlpatterns = [
    path("settings/scanning/", views.ScanningPage.as_view()),
    path("scanning/details", views.NodeDetails.as_view()),
    path("scanning/marks", views.Marks.as_view()),
]
