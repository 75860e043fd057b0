"""Paths of billing's pages at a tenant's host."""

from django.urls import path

from apps.billing.ui import statements, views

urlpatterns = [
    path("usage/", views.UsagePage.as_view()),
    path("usage/statements/", statements.StatementsPage.as_view()),
    path("usage/statements/<str:month>/", statements.StatementPage.as_view()),
    path("usage/statements/<str:month>/pdf", statements.StatementPdf.as_view()),
]
