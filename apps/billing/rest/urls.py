"""Billing's REST routes."""

from django.urls import path

from apps.billing.rest import payment, views

urlpatterns = [
    path("quotas/tenant", views.OwnLimit.as_view()),
    path("payment", payment.Payment.as_view()),
    path("payment/plan", payment.PaidPlan.as_view()),
    path("payment/portal", payment.Portal.as_view()),
    path("plans", views.Plans.as_view()),
    path("plan-changes", views.PlanChanges.as_view()),
    path("statements", views.Statements.as_view()),
    path("statements/<str:month>.csv", views.StatementCsv.as_view()),
    path("statements/<str:month>.pdf", views.StatementPdf.as_view()),
    path("statements/<str:month>", views.StatementDetail.as_view()),
    path("usage", views.UsageNow.as_view()),
    path("usage/seats", views.SeatsOfTenant.as_view()),
    path("usage/history", views.UsageByDay.as_view()),
]
