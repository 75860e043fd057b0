"""Paths of identity below ``/api/v1/``."""

from django.urls import path

from apps.identity.rest import deletion, domains, groups, people, roles, support, tenant, views

urlpatterns = [
    path("auth/login", views.LogIn.as_view()),
    path("auth/logout", views.LogOut.as_view()),
    path("auth/password", views.Password.as_view()),
    path("auth/password/forgot", views.ForgottenPassword.as_view()),
    path("auth/password/reset", views.PasswordReset.as_view()),
    path("auth/email/verify", views.EmailProof.as_view()),
    path("auth/email/send", views.EmailCode.as_view()),
    path("members", people.Members.as_view()),
    path("members/<uuid:member_id>", people.MemberDetail.as_view()),
    path("members/<uuid:member_id>/picture", people.MemberPicture.as_view()),
    path("groups", groups.Groups.as_view()),
    path("groups/<uuid:group_id>", groups.GroupDetail.as_view()),
    path("groups/<uuid:group_id>/members", groups.GroupMembers.as_view()),
    path("groups/<uuid:group_id>/members/<uuid:user_id>", groups.GroupMemberDetail.as_view()),
    path("invitations", people.Invitations.as_view()),
    path("invitations/<uuid:invitation_id>", people.InvitationDetail.as_view()),
    path("invitations/<uuid:invitation_id>/resend", people.InvitationResend.as_view()),
    path("public/invitations/<str:code>", people.PublicInvitation.as_view()),
    path("roles", roles.Roles.as_view()),
    path("roles/<uuid:role_id>", roles.RoleDetail.as_view()),
    path("tenant", tenant.TenantDetail.as_view()),
    path("tenant/domains", domains.Domains.as_view()),
    path("tenant/domains/<uuid:domain_id>", domains.DomainDetail.as_view()),
    path("tenant/domains/<uuid:domain_id>/check", domains.DomainCheck.as_view()),
    path("tenant/deletion", deletion.TenantDeletion.as_view()),
    path("support-visits", support.SupportVisits.as_view()),
    path("support-visits/<uuid:visit_id>", support.SupportVisitDetail.as_view()),
    path("tokens", views.Tokens.as_view()),
    path("tokens/<uuid:token_id>", views.TokenDetail.as_view()),
    path("sessions", views.Sessions.as_view()),
    path("sessions/<uuid:session_id>", views.SessionDetail.as_view()),
]
