"""Payment by a provider: a port (``port``), its adapters, what is asked of it, what it tells us, and what follows for the tenant."""
