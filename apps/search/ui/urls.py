"""Paths of the pages of search, at a tenant's host."""

from django.urls import path

from apps.search.ui import views

urlpatterns = [
    path("search/", views.SearchPage.as_view()),
]
