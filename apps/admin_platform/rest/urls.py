"""Paths of the audit log."""

from django.urls import path

from apps.admin_platform.rest import views

urlpatterns = [
    path("audit", views.Audit.as_view()),
    path("audit/verify", views.AuditVerification.as_view()),
    path("audit/export", views.AuditExport.as_view()),
    path("audit/export.csv", views.AuditExportCsv.as_view()),
]
