"""The readable form of the OpenAPI document."""

from django.urls import path

from bitvault.gateway.openapi import docs

urlpatterns = [path("", docs)]
