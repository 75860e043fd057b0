"""Paths of sync."""

from django.urls import path

from apps.sync.rest import tickets, views

urlpatterns = [
    path("sync/devices", views.Devices.as_view()),
    path("sync/devices/<uuid:device_id>", views.DeviceDetail.as_view()),
    path("sync/snapshot", views.Snapshots.as_view()),
    path("sync/changes", views.Changes.as_view()),
    path("sync/cursor", views.Cursor.as_view()),
    path("sync/conflicts", views.Conflicts.as_view()),
    path("sync/conflicts/<uuid:conflict_id>/resolve", views.ConflictResolution.as_view()),
    path("sync/ticket", tickets.Tickets.as_view()),
]
