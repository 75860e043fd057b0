"""The module's REST routes."""

from django.urls import path

from apps.example_module.rest import views

urlpatterns = [
    path("example_module/versions", views.Versions.as_view()),
]
