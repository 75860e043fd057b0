"""Paths of the pages of annotations, at a tenant's host."""

from django.urls import path

from apps.annotations.ui import comments, descriptions, metadata, views

urlpatterns = [
    path("favourites/", views.FavouritesPage.as_view()),
    path("annotations/details/tags", views.NodeTags.as_view()),
    path("annotations/details/comments", comments.NodeComments.as_view()),
    path("annotations/details/metadata", metadata.NodeMetadata.as_view()),
    path("annotations/details/description", descriptions.DetailsDescription.as_view()),
    path("annotations/description", descriptions.FolderDescription.as_view()),
    path("metadata/", metadata.TemplatesPage.as_view()),
    path("annotations/people", comments.People.as_view()),
    path("tags/", views.TagsPage.as_view()),
    path("tags/<uuid:tag_id>/", views.TagPage.as_view()),
    path("recents/", views.RecentsPage.as_view()),
]
