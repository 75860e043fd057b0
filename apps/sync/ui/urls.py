"""Paths of the pages of sync, at a tenant's host."""

from django.urls import path

from apps.sync.ui import views

urlpatterns = [
    path("conflicts/", views.ConflictsPage.as_view()),
]
