"""Paths of the pages of sharing, at a tenant's host."""

from django.urls import path

from apps.sharing.ui import views

urlpatterns = [
    path("shared/", views.WithMe.as_view()),
    path("shared/by-me/", views.ByMe.as_view()),
    path("shared/details", views.People.as_view()),
    path("shared/requests/", views.Requests.as_view()),
    path("shared/shortcuts", views.Shortcuts.as_view()),
    path("shared/badges", views.Badges.as_view()),
]
