"""Paths of the pages of notifications, at a tenant's host."""

from django.urls import path

from apps.notifications.ui import stopping, views, worker

urlpatterns = [
    path("notifications/", views.NotificationsPage.as_view()),
    path("notifications/panel/", views.Panel.as_view()),
    path("notifications/unsubscribe/<str:token>/", stopping.StopPage.as_view()),
    path("settings/notifications/", views.PreferencesPage.as_view()),
    path("push-worker.js", worker.PushWorker.as_view()),
    path("activity/", views.ActivityPage.as_view()),
    path("activity/details", views.NodeActivity.as_view()),
]
