"""Notifications' REST routes."""

from django.urls import path

from apps.notifications.rest import browsers, views

urlpatterns = [
    path("notifications", views.Notifications.as_view()),
    path("notifications/read", views.NotificationsRead.as_view()),
    path("notifications/preferences", views.NotificationPreferences.as_view()),
    path("notifications/browsers", browsers.Browsers.as_view()),
    path("notifications/browsers/<uuid:browser_id>", browsers.BrowserDetail.as_view()),
    path("subscriptions", views.Subscriptions.as_view()),
    path("subscriptions/<uuid:subscription_id>", views.SubscriptionDetail.as_view()),
    path("nodes/<node_ref:node_id>/activity", views.NodeActivity.as_view()),
    path("activity", views.ActivityList.as_view()),
]
