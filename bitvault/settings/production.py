"""Many machines against external services, everything by environment."""

from bitvault.settings.base import *

SECURE_SSL_REDIRECT = False  # the proxy in front redirects; health checks come by plain http
