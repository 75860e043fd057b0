"""Sockets: a small process of their own. It has no routes yet but answers whether it lives; plain HTTP is served by ``wsgi``."""

import os
from typing import Any

import django
from channels.routing import ProtocolTypeRouter

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")
django.setup()


async def answer_health(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer ``/healthz`` and nothing else: this process holds sockets only."""
    alive = scope["path"] == "/healthz"
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": 200 if alive else 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok\n" if alive else b"not found\n"})


async def refuse(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse a socket on a path that has none: closing before accepting is an HTTP 403."""
    await receive()
    await send({"type": "websocket.close", "code": 4404})


application = ProtocolTypeRouter({"http": answer_health, "websocket": refuse})
