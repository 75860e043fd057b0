"""Paths of annotations."""

from django.urls import path

from apps.annotations.rest import description_views, metadata_views, views

urlpatterns = [
    path("nodes/<uuid:node_id>/favourite", views.NodeFavourite.as_view()),
    path("favourites", views.Favourites.as_view()),
    path("recents", views.Recents.as_view()),
    path("tags", views.Tags.as_view()),
    path("tags/<uuid:tag_id>", views.TagDetail.as_view()),
    path("tags/<uuid:tag_id>/nodes", views.TaggedNodes.as_view()),
    path("nodes/<uuid:node_id>/tags/<uuid:tag_id>", views.NodeTagDetail.as_view()),
    path("nodes/<uuid:node_id>/comments", views.NodeComments.as_view()),
    path("comments/<uuid:comment_id>", views.CommentDetail.as_view()),
    path("nodes/<uuid:node_id>/description", description_views.NodeDescription.as_view()),
    path("metadata/templates", metadata_views.Templates.as_view()),
    path("metadata/templates/<uuid:template_id>", metadata_views.TemplateDetail.as_view()),
    path("nodes/<uuid:node_id>/metadata", metadata_views.NodeMetadataList.as_view()),
    path("nodes/<uuid:node_id>/metadata/<uuid:field_id>", metadata_views.NodeMetadataValue.as_view()),
    path("marks", views.MarksOfNodes.as_view()),
]
