"""Sockets: who listens to a tenant, and telling them that its head has moved."""
