"""Paths of what pages show of previews, at a tenant's host."""

from django.urls import path

from apps.previews.ui import views

urlpatterns = [
    path("previews/details", views.Picture.as_view()),
]
