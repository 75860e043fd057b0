"""Paths of links' pages, at a tenant's host; ``s/{token}/content/{node_id}`` spans modules and is the gateway's."""

from django.urls import path

from apps.links.ui import views

urlpatterns = [
    path("s/<str:token>", views.LinkPage.as_view()),
    path("s/<str:token>/<uuid:node_id>", views.LinkPage.as_view()),
]
