"""Paths of identity's pages at the bare host: sign-in across a person's vaults, and sign-up."""

from django.urls import path
from django.views.generic import RedirectView

from apps.identity.ui import doorway, forgotten, invitation, vaults
from bitvault.web.limits.routes import limited

urlpatterns = [
    path("", limited()(RedirectView.as_view(url="/vaults/"))),
    path("sign-in/", doorway.SignIn.as_view()),
    path("sign-out/", doorway.SignOut.as_view()),
    path("enter/", doorway.Enter.as_view()),
    path("sign-up/", vaults.SignUp.as_view()),
    path("forgot-password/", forgotten.ForgotPassword.as_view()),
    path("reset-password/", forgotten.ResetPassword.as_view()),
    path("invitation/", invitation.Invitation.as_view()),
    path("vaults/", vaults.Vaults.as_view()),
    path("vaults/<uuid:tenant_id>/open", vaults.OpenVault.as_view()),
]
