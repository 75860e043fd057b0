"""Paths of webhooks below ``/api/v1/``."""

from django.urls import path

from apps.webhooks.rest import views

urlpatterns = [
    path("webhooks", views.Webhooks.as_view()),
    path("webhooks/<uuid:webhook_id>", views.WebhookDetail.as_view()),
    path("webhooks/<uuid:webhook_id>/rotate-secret", views.WebhookSecret.as_view()),
    path("webhooks/<uuid:webhook_id>/test", views.WebhookTest.as_view()),
    path("webhooks/<uuid:webhook_id>/replay", views.WebhookReplay.as_view()),
    path("webhooks/<uuid:webhook_id>/deliveries", views.WebhookDeliveries.as_view()),
    path("webhooks/<uuid:webhook_id>/deliveries/<uuid:delivery_id>/redeliver", views.WebhookRedelivery.as_view()),
    path("events", views.Events.as_view()),
]
