"""Deferred work: what a transaction wants done after it, kept in one table and done by Celery's workers."""
