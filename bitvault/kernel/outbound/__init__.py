"""The way to machines elsewhere that people of a tenant name: webhooks, push services. ``egress`` sends, ``addresses`` judges."""
