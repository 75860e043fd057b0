"""Sockets: a small process of their own, without Django's requests; plain HTTP is served by ``wsgi``.

Here nothing blocks, so health is asked here: ``/healthz`` and ``/readyz`` answer while every thread of the web waits.
"""

import asyncio
import json
import os
from typing import Any

import django
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import WebsocketDenier

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")
django.setup()

from channels.db import database_sync_to_async  # noqa: E402 - Django must stand first
from django.conf import settings  # noqa: E402
from django.urls import re_path  # noqa: E402
from django.utils.crypto import constant_time_compare  # noqa: E402
from django.utils.module_loading import import_string  # noqa: E402
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: E402

from bitvault.gateway import health  # noqa: E402
from bitvault.gateway.config import METRICS_KEY  # noqa: E402
from bitvault.gateway.readiness import Readiness  # noqa: E402
from bitvault.kernel import deadlines  # noqa: E402

deadlines.use(deadlines.REQUESTS)
readiness = Readiness([*health.CHECKS, *([health.WEB] if settings.BITVAULT_WEB_URL else [])])

# By name, as routes include the pages of modules: nobody imports what stands above a module's door.
sockets = import_string("apps.sync.sockets.process.PROCESS")
SOCKETS = URLRouter(
    [
        *import_string("apps.sync.sockets.routing.websocket_urlpatterns"),
        re_path("", WebsocketDenier.as_asgi()),
    ]
)

LATE_SECONDS = 0.5
"""Less than any Retry-After that goes with it, so that whoever keeps to that does not lose time."""

LATE_LIMIT = 2000
"""Refusals that wait at once, some 20 KiB each with their connections; others are given back at once."""


async def answer_http(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer ``/healthz``, ``/readyz`` at the installation's own hosts, and ``/metrics`` to a scraper that knows BITVAULT_METRICS_KEY."""
    status, kind, body = 404, "text/plain", b"not found\n"
    match scope["path"]:
        case _ if scope["method"] not in ("GET", "HEAD"):
            status, body = 405, b"GET or HEAD\n"
        case "/healthz":
            status, body = 200, b"ok\n"
        case "/readyz" if health.is_own_host(_header(scope, b"host")):
            findings = await asyncio.wrap_future(readiness.start())
            kind, (status, body) = "application/json", health.write_findings(findings)
        case "/refused":
            status, kind, body = await refuse_late(_header(scope, b"bitvault-refusal"))
        case "/metrics" if await _may_see_figures(scope):
            status, kind, body = 200, CONTENT_TYPE_LATEST, generate_latest()
    headers = [(b"content-type", kind.encode()), (b"cache-control", b"no-store")]
    if status == 405:  # noqa: PLR2004 - the HTTP status itself
        headers.append((b"allow", b"GET, HEAD"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class Late:
    """Refusals that wait here, where nothing waits for them."""

    count = 0


async def refuse_late(problem: str) -> tuple[int, str, bytes]:
    """Give back a refusal of the web's (``web.problems.LATE``) after a while. The front alone asks for this, and has no such route.

    Whoever asks again as soon as they are refused, on however many connections, is refused twice a second on each.
    """
    try:
        status = int(json.loads(problem)["status"])
    except (ValueError, KeyError, TypeError):
        return 404, "text/plain", b"not found\n"
    if Late.count < LATE_LIMIT:
        Late.count += 1
        try:
            await asyncio.sleep(LATE_SECONDS)
        finally:
            Late.count -= 1
    return status, "application/problem+json", problem.encode()


def _header(scope: dict[str, Any], name: bytes) -> str:
    headers: dict[bytes, bytes] = dict(scope["headers"])
    return headers.get(name, b"").decode("latin-1")


async def _may_see_figures(scope: dict[str, Any]) -> bool:
    # The key may have to be asked for; whatever hangs there holds no other answer up.
    key = await database_sync_to_async(METRICS_KEY.get)()
    return bool(key) and constant_time_compare(_header(scope, b"authorization"), f"Bearer {key}")


async def live(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Start and stop with the server (ASGI's lifespan)."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            await sockets.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await sockets.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


application = ProtocolTypeRouter({"http": answer_http, "websocket": SOCKETS, "lifespan": live})
