"""Paths of shares."""

from django.urls import path

from apps.sharing.rest import asking, shortcut_views, views

urlpatterns = [
    path("nodes/<uuid:node_id>/shares", views.NodeShares.as_view()),
    path("nodes/<uuid:node_id>/shares/candidates", views.ShareCandidates.as_view()),
    path("nodes/<uuid:node_id>/access", views.NodeAccessDetail.as_view()),
    path("nodes/<uuid:node_id>/access-requests", asking.NodeAccessRequests.as_view()),
    path("access-requests", asking.AccessRequests.as_view()),
    path("access-requests/<uuid:request_id>/answer", asking.AccessRequestAnswer.as_view()),
    path("shares/<uuid:share_id>", views.ShareDetail.as_view()),
    path("shares/<uuid:share_id>/left", views.LeftShare.as_view()),
    path("nodes/<uuid:node_id>/shortcuts", shortcut_views.FolderShortcuts.as_view()),
    path("shortcuts", shortcut_views.Shortcuts.as_view()),
    path("shortcuts/<uuid:shortcut_id>", shortcut_views.ShortcutDetail.as_view()),
    path("shared/left", views.LeftShares.as_view()),
    path("shared/with-me", views.SharedWithMe.as_view()),
    path("shared/by-me", views.SharedByMe.as_view()),
]
