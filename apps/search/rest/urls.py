"""Search's REST routes."""

from django.urls import path

from apps.search.rest import views

urlpatterns = [
    path("search", views.Search.as_view()),
    path("nodes/<uuid:node_id>/searched-text", views.NodeSearchedText.as_view()),
    path("search/suggest", views.Suggest.as_view()),
]
