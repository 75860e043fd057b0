"""Plain HTTP: pages and REST, served by threads (docs/decisions tells why not ASGI)."""

import os
import sys

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

from bitvault.gateway.bodies import bounded
from bitvault.kernel import deadlines

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")

# Seconds that a thread which computes may keep others of its process waiting: at Python's 5 ms, a request of ten short steps beside busy
# ones takes ten times as long.
SWITCH_SECONDS = 0.0005
sys.setswitchinterval(SWITCH_SECONDS)

deadlines.use(deadlines.REQUESTS)
application = bounded(get_wsgi_application())

# Django imports the views with the first request of each surface; here a process does so before it takes any, and nobody waits for it.
for _surface in ("bitvault.gateway.urls", "bitvault.gateway.urls_bare"):
    get_resolver(_surface).url_patterns  # noqa: B018 - reading it imports them
