"""Webhooks: a tenant's events, sent to programs elsewhere."""
