"""Paths of links below ``/api/v1/``; what spans modules below ``public/links/{token}`` (``content``, ``uploads``) is the gateway's."""

from django.urls import path

from apps.links.rest import public, views

urlpatterns = [
    path("nodes/<uuid:node_id>/links", views.NodeLinks.as_view()),
    path("links", views.Links.as_view()),
    path("links/<uuid:link_id>", views.LinkDetail.as_view()),
    path("links/<uuid:link_id>/accesses", views.LinkAccesses.as_view()),
    path("links/<uuid:link_id>/qr", views.LinkQr.as_view()),
    path("links/<uuid:link_id>/received", views.LinkReceived.as_view()),
    path("public/links/<str:token>", public.PublicLinkDetail.as_view()),
    path("public/links/<str:token>/unlock", public.PublicLinkUnlock.as_view()),
    path("public/links/<str:token>/children", public.PublicLinkChildren.as_view()),
    path("public/links/<str:token>/submissions", public.PublicSubmissions.as_view()),
    path("public/links/<str:token>/submissions/current", public.PublicSubmission.as_view()),
    path("public/links/<str:token>/submissions/current/finish", public.PublicSubmissionFinish.as_view()),
]
