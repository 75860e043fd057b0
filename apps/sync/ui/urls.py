"""Paths of the pages of sync, at a tenant's host."""

from django.urls import path

from apps.sync.ui import devices, views

urlpatterns = [
    path("settings/devices/", devices.Devices.as_view()),
    path("conflicts/", views.ConflictsPage.as_view()),
]
