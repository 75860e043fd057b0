"""Paths of the audit log and of features."""

from django.urls import path

from apps.admin_platform.rest import siem, views

urlpatterns = [
    path("audit", views.Audit.as_view()),
    path("audit/verify", views.AuditVerification.as_view()),
    path("audit/export", views.AuditExport.as_view()),
    path("audit/export.csv", views.AuditExportCsv.as_view()),
    path("audit/anchors", views.AuditAnchors.as_view()),
    path("audit/keys", views.AuditKeys.as_view()),
    path("audit/siem-exports", siem.SiemExports.as_view()),
    path("audit/siem-exports/<uuid:export_id>", siem.SiemExportDetail.as_view()),
    path("audit/siem-exports/<uuid:export_id>/test", siem.SiemExportTest.as_view()),
    path("audit/siem-exports/<uuid:export_id>/restart", siem.SiemExportRestart.as_view()),
    path("features", views.Features.as_view()),
    path("features/<str:key>", views.FeatureDetail.as_view()),
]
