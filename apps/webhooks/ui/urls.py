"""Paths of the pages of webhooks, at a tenant's host."""

from django.urls import path

from apps.webhooks.ui import views

urlpatterns = [
    path("settings/webhooks/", views.WebhooksPage.as_view()),
    path("settings/webhooks/<uuid:webhook_id>/", views.WebhookPage.as_view()),
]
