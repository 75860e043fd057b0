"""Plain HTTP: pages and REST, served by threads (docs/decisions tells why not ASGI)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")

application = get_wsgi_application()
