"""Paths of nodes, folders and the trash."""

from django.urls import path

from apps.files.rest import (
    history_views,
    lock_views,
    retention_views,
    rewind_views,
    rule_views,
    team_views,
    version_views,
    views,
)
from bitvault.web import converters

__all__ = ["converters", "urlpatterns"]

urlpatterns = [
    path("nodes/by-path", views.NodeByPath.as_view()),
    path("nodes/<node_ref:node_id>", views.NodeDetail.as_view()),
    path("nodes/<node_ref:node_id>/children", views.NodeChildren.as_view()),
    path("nodes/<node_ref:node_id>/children/batch", views.NodeChildrenBatch.as_view()),
    path("nodes/<uuid:node_id>/history", history_views.NodeHistory.as_view()),
    path("nodes/<node_ref:node_id>/path", views.NodePath.as_view()),
    path("nodes/<uuid:node_id>/versions", version_views.NodeVersions.as_view()),
    path("nodes/<uuid:node_id>/versions/<uuid:version_id>", version_views.VersionDetail.as_view()),
    path("versions/expiry", version_views.VersionExpiry.as_view()),
    path("nodes/<uuid:node_id>/lock", lock_views.NodeLock.as_view()),
    path("nodes/<uuid:node_id>/file-rules", rule_views.NodeFileRules.as_view()),
    path("nodes/<uuid:node_id>/retention", retention_views.NodeRetention.as_view()),
    path("retention/<uuid:policy_id>", retention_views.PolicyDetail.as_view()),
    path("retention/<uuid:policy_id>/nodes", retention_views.PolicyNodes.as_view()),
    path("nodes/<uuid:node_id>/rewind", rewind_views.NodeRewind.as_view()),
    path("nodes/<uuid:node_id>/rewind/days", rewind_views.NodeRewindDays.as_view()),
    path("nodes/<uuid:node_id>/rewind/moments", rewind_views.NodeRewindMoments.as_view()),
    path("nodes/<uuid:node_id>/rewind/actors", rewind_views.NodeRewindActors.as_view()),
    path("rewinds", rewind_views.Rewinds.as_view()),
    path("rewinds/<uuid:rewind_id>", rewind_views.RewindDetail.as_view()),
    path("rewinds/<uuid:rewind_id>/items", rewind_views.RewindItems.as_view()),
    path("rewinds/<uuid:rewind_id>/run", rewind_views.RewindRun.as_view()),
    path("rewinds/<uuid:rewind_id>/undo", rewind_views.RewindUndo.as_view()),
    path("folders", views.Folders.as_view()),
    path("team-folders", team_views.TeamFolders.as_view()),
    path("team-folders/<uuid:folder_id>", team_views.TeamFolderDetail.as_view()),
    path("team-folders/<uuid:folder_id>/restore", team_views.TeamFolderRestore.as_view()),
    path("trash", views.TrashList.as_view()),
    path("trash/restore", views.TrashRestoreMany.as_view()),
    path("trash/<uuid:node_id>", views.TrashDetail.as_view()),
    path("trash/<uuid:node_id>/restore", views.TrashRestore.as_view()),
]
