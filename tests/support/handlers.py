"""One chain of middleware for all test clients, as a web process has one: building it reads every static file, 35 ms each time."""

from django.core.handlers.base import BaseHandler
from django.core.signals import setting_changed
from django.test.client import ClientHandler

_CHAIN = ("_middleware_chain", "_view_middleware", "_template_response_middleware", "_exception_middleware")
_built: dict[str, object] = {}


def share_middleware() -> None:
    """Let each new client take the chain that the first one built, until a setting changes."""
    setting_changed.connect(lambda **_: _built.clear(), weak=False)
    ClientHandler.load_middleware = _take


def _take(handler: ClientHandler) -> None:
    if not _built:
        BaseHandler.load_middleware(handler)
        _built.update({name: getattr(handler, name) for name in _CHAIN})
    for name, part in _built.items():
        setattr(handler, name, part)
