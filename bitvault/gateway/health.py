"""Whether a process lives (``/healthz``), whether it can serve (``/readyz``), and its figures (``/metrics``)."""

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from redis.exceptions import RedisError

from apps.storage import api as storage
from bitvault.kernel.errors import BitVaultError, NotFound
from bitvault.web import problems


@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Tell that the process answers; asks nothing else, so a slow database does not get it killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Tell whether database, Valkey and object store answer: 200, or 503 with what does not."""
    checks = {"database": _database_answers(), "valkey": _valkey_answers(), "store": _store_answers()}
    status = 200 if all(checks.values()) else 503
    return HttpResponse(msgspec.json.encode(checks), status=status, content_type="application/json")


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give this process's figures to a scraper that knows BITVAULT_METRICS_KEY; to anybody else there is nothing here."""
    key = settings.BITVAULT_METRICS_KEY
    given = request.headers.get("Authorization", "")
    if not key or not constant_time_compare(given, f"Bearer {key}"):
        return problems.render(NotFound())
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_LATEST)


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
