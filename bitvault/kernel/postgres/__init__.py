"""The database backend: django-tenants', without its session-level ``SET search_path``."""
