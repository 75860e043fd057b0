"""Plain HTTP: pages and REST, served by threads (docs/decisions tells why not ASGI)."""

import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from bitvault.gateway.bodies import bounded
from bitvault.kernel import deadlines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")

deadlines.use(deadlines.REQUESTS)
application = bounded(get_wsgi_application())

# Django imports the views with the first request of each surface; here a process does so before it takes any, and nobody waits for it.
for _surface in ("bitvault.gateway.urls", "bitvault.gateway.urls_bare"):
    get_resolver(_surface).url_patterns  # noqa: B018 - reading it imports them
