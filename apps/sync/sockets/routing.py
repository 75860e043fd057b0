"""Channels routes of sync, with the middleware that each passes."""

from django.conf import settings
from django.urls import path

from apps.sync.sockets.consumers import SyncConsumer
from apps.sync.sockets.middleware import CredentialMiddleware, HandshakeMiddleware, OriginMiddleware

websocket_urlpatterns = [
    path(
        settings.BITVAULT_SOCKET_PATH.removeprefix("/"),
        HandshakeMiddleware(OriginMiddleware(CredentialMiddleware(SyncConsumer.as_asgi()))),
    ),
]
