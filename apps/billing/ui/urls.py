"""Paths of billing's pages at a tenant's host."""

from django.urls import path

from apps.billing.ui import views

urlpatterns = [
    path("usage/", views.UsagePage.as_view()),
]
