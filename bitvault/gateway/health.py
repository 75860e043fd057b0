"""Whether a process lives (``/healthz``), whether it can serve (``/readyz``), whether the clockwork runs (``/beatz``), and all figures
(``/metrics``).
"""

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST
from redis.exceptions import RedisError

from apps.storage import api as storage
from bitvault.events import heartbeats
from bitvault.gateway import figures
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.web import problems


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Tell that the process answers; asks nothing else, so a slow database does not get it killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Tell whether database, Valkey and object store answer, and whether the store is one to be used: 200, or 503 with what is not so.

    Nothing is probed here. What no probe has found out yet, or what cannot be read while the database is away, is null and nobody's fault.
    """
    database = _database_answers()
    checks = {
        "database": database,
        "valkey": _valkey_answers(),
        "store": _store_answers(),
        "store_fit": _find_store_fitness() if database else None,
    }
    status = 503 if False in checks.values() else 200
    return HttpResponse(msgspec.json.encode(checks), status=status, content_type="application/json")


@require_safe
def beating(request: HttpRequest) -> HttpResponse:
    """Tell how long each clockwork has been silent: 200, or 503 when one is dead or nobody can tell.

    It is not a part of ``ready``: a web process serves without the clockwork, and would be taken away for what it cannot help.
    """
    try:
        ages, silent = heartbeats.list_ages(), heartbeats.list_silent()
    except DatabaseError:
        ages, silent = {}, ["database"]
    body = msgspec.json.encode({"silent": silent, "silent_for_seconds": ages})
    return HttpResponse(body, status=503 if silent else 200, content_type="application/json")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the figures to a scraper that knows BITVAULT_METRICS_KEY; to anybody else there is nothing here."""
    key = settings.BITVAULT_METRICS_KEY
    given = request.headers.get("Authorization", "")
    if not key or not constant_time_compare(given, f"Bearer {key}"):
        return problems.render(NotFound())
    return HttpResponse(figures.show(), content_type=CONTENT_TYPE_LATEST)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _valkey_answers() -> bool:
    try:
        cache.get("readyz")
    except (RedisError, OSError):
        return False
    return True


def _store_answers() -> bool:
    try:
        storage.require_store()
    except BitVaultError:
        return False
    return True


def _find_store_fitness() -> bool | None:
    try:
        return storage.find_store_fitness()
    except DatabaseError:
        return None
