"""Billing's REST routes."""

from django.urls import path

from apps.billing.rest import views

urlpatterns = [
    path("quotas/tenant", views.OwnLimit.as_view()),
    path("plans", views.Plans.as_view()),
    path("usage", views.UsageNow.as_view()),
    path("usage/history", views.UsageByDay.as_view()),
]
