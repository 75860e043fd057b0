"""Paths of identity below ``/api/v1/``."""

from django.urls import path

from apps.identity.rest import views

urlpatterns = [
    path("auth/login", views.LogIn.as_view()),
    path("auth/logout", views.LogOut.as_view()),
    path("auth/password", views.Password.as_view()),
    path("auth/password/forgot", views.ForgottenPassword.as_view()),
    path("auth/password/reset", views.PasswordReset.as_view()),
    path("auth/email/verify", views.EmailProof.as_view()),
    path("auth/email/send", views.EmailCode.as_view()),
    path("members", views.Members.as_view()),
    path("tokens", views.Tokens.as_view()),
    path("tokens/<uuid:token_id>", views.TokenDetail.as_view()),
    path("sessions", views.Sessions.as_view()),
    path("sessions/<uuid:session_id>", views.SessionDetail.as_view()),
]
