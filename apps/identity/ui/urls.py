"""Paths of identity's pages at a tenant's host."""

from django.urls import path

from apps.identity.ui import domains, doorway, forgotten, groups, impersonation, people, proof, roles, settings, team

urlpatterns = [
    path("sign-in/", doorway.SignIn.as_view()),
    path("sign-out/", doorway.SignOut.as_view()),
    path("enter/", doorway.Enter.as_view()),
    path("support/enter/", impersonation.Enter.as_view()),
    path("support/end/", impersonation.End.as_view()),
    path("vaults/", doorway.LeaveForStart.as_view()),
    path("forgot-password/", forgotten.ForgotPassword.as_view()),
    path("reset-password/", forgotten.ResetPassword.as_view()),
    path("verify-email/", proof.VerifyEmail.as_view()),
    path("groups/", groups.Groups.as_view()),
    path("groups/<uuid:group_id>/", groups.GroupPage.as_view()),
    path("members/", people.Members.as_view()),
    path("roles/", roles.Roles.as_view()),
    path("settings/", settings.Profile.as_view()),
    path("settings/security/", settings.Security.as_view()),
    path("settings/team/", team.Team.as_view()),
    path("settings/domains/", domains.Domains.as_view()),
    path("settings/tokens/", settings.Tokens.as_view()),
]
