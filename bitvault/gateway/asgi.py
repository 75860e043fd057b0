"""Sockets: a small process of their own, without Django's requests; plain HTTP is served by ``wsgi``."""

import os
from typing import Any

import django
from channels.routing import ProtocolTypeRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")
django.setup()

from django.conf import settings  # noqa: E402 - Django must stand first
from django.utils.crypto import constant_time_compare  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: E402

# By name, as routes include the pages of modules: nobody imports what stands above a module's door.
sync_sockets = import_string("apps.sync.sockets.application.SyncSockets")()
SOCKETS = {"/ws/v1/sync": sync_sockets}


async def answer_http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer ``/healthz``, and ``/metrics`` to a scraper that knows BITVAULT_METRICS_KEY; there is nothing else here."""
    status, kind, body = 404, "text/plain", b"not found\n"
    if scope["path"] == "/healthz":
        status, body = 200, b"ok\n"
    elif scope["path"] == "/metrics" and _may_see_figures(scope):
        status, kind, body = 200, CONTENT_TYPE_LATEST, generate_latest()
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _may_see_figures(scope: dict[str, Any]) -> bool:
    given = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
    key = settings.BITVAULT_METRICS_KEY
    return bool(key) and constant_time_compare(given, f"Bearer {key}")


async def answer_socket(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Lead a socket to its application; where there is none, closing before accepting is an HTTP 403."""
    application = SOCKETS.get(scope["path"])
    if application is None:
        await receive()
        await send({"type": "websocket.close", "code": 4404})
        return
    await application(scope, receive, send)


async def live(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Start and stop with the server (ASGI's lifespan)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await sync_sockets.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await sync_sockets.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter({"http": answer_http, "websocket": answer_socket, "lifespan": live})
