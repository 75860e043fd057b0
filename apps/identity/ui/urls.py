"""Paths of identity's pages at a tenant's host."""

from django.urls import path

from apps.identity.ui import doorway, settings

urlpatterns = [
    path("sign-in/", doorway.SignIn.as_view()),
    path("sign-out/", doorway.SignOut.as_view()),
    path("enter/", doorway.Enter.as_view()),
    path("settings/", settings.SettingsPage.as_view()),
]
