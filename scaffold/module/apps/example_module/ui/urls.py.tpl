"""Paths of the module's pages, at a tenant's host."""

from django.urls import path

from apps.example_module.ui import views

urlpatterns = [
    path("example_module/", views.VersionsPage.as_view()),
]
