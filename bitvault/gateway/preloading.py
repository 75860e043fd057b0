"""Everything that web, sockets, workers and beat load, so that one process can do so and fork all of them (``stack.preloaded``).

Nothing here may start a thread or open a connection: forks have neither. ``gateway.wsgi`` and ``gateway.asgi`` set the deadlines of their
process and are left to those who serve.
"""

import os
from importlib import import_module

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")
django.setup()

from django.urls import get_resolver  # noqa: E402 - Django must stand first

from apps.storage import api as storage  # noqa: E402
from bitvault.gateway.celery import app  # noqa: E402

# What the programs of others import once they run: looked up among the modules of running processes. One that is missing costs each process
# a little memory of its own, and nothing else.
LATE = (
    "bitvault.gateway.beat",
    "bitvault.gateway.bodies",
    "billiard.heap",
    "billiard.popen_fork",
    "billiard.sharedctypes",
    "billiard.synchronize",
    "celery.app.amqp",
    "celery.app.control",
    "celery.app.events",
    "celery.app.log",
    "celery.app.routes",
    "celery.apps.beat",
    "celery.apps.worker",
    "celery.bin.celery",
    "celery.concurrency.prefork",
    "celery.concurrency.solo",
    "celery.events",
    "celery.worker.autoscale",
    "celery.worker.components",
    "celery.worker.consumer",
    "celery.worker.consumer.delayed_delivery",
    "celery.worker.strategy",
    "cffi.cparser",
    "channels.routing",
    "django.contrib.messages.storage.fallback",
    "django.contrib.sessions.serializers",
    "django.core.handlers.wsgi",
    "granian.cli",
    "granian.server.mp",
    "kombu.transport.redis",
    "multiprocessing.popen_fork",
    "uvicorn.lifespan.on",
    "uvicorn.loops.auto",
    "uvicorn.protocols.http.auto",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "whitenoise.storage",
)

for _name in LATE:
    import_module(_name)
app.finalize()
app.loader.import_default_modules()
for _surface in ("bitvault.gateway.urls", "bitvault.gateway.urls_bare"):
    get_resolver(_surface).url_patterns  # noqa: B018 - reading it imports the views
storage.load_store()
