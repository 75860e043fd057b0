"""REST routes of previews."""

from django.urls import path

from apps.previews.rest import views

urlpatterns = [
    path("nodes/<uuid:node_id>/preview", views.NodePreview.as_view()),
    path("nodes/<uuid:node_id>/text", views.NodeText.as_view()),
    path("previews", views.Previews.as_view()),
]
