"""Whether a process lives (``/healthz``), whether everything that it needs answers (``/readyz``), whether the schedulers run (``/beatz``),
and all figures (``/metrics``).

The sockets' process answers the first two as well (``asgi``), and there nobody waits for a thread of the web.
"""

from http.client import HTTPConnection, HTTPSConnection
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.crypto import constant_time_compare
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from apps.storage import api as storage
from bitvault.events import heartbeats
from bitvault.gateway import figures
from bitvault.gateway.config import METRICS_KEY
from bitvault.gateway.readiness import DEADLINE_SECONDS, Check, Findings, Readiness
from bitvault.kernel.dependencies import Dependency
from bitvault.kernel.errors import NotFound, Overloaded
from bitvault.web import problems
from bitvault.web.limits.policies import RouteClass
from bitvault.web.limits.routes import limited

_waiting = Dependency("readiness", share=1)
"""One web thread waits for readiness at a time. Whoever asks meanwhile is told what was found last."""


@limited(RouteClass.HEALTH)
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Tell that the process answers; asks nothing else, so a slow database does not get it killed."""
    return HttpResponse("ok\n", content_type="text/plain")


@limited()
@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    """Tell whether database, Valkey and object store answer, and whether the store is one to be used: 200, or 503 with what is not so.

    Nothing is probed here. What no probe has found out yet, or what cannot be read while the database is away, is null and nobody's fault.

    :raises Overloaded: another request waits for the first round of questions.
    """
    current = readiness.start()
    try:
        with _waiting.held():
            findings = current.result(timeout=2 * DEADLINE_SECONDS)
    except Overloaded:
        if readiness.latest is None:
            raise
        findings = readiness.latest
    status, body = write_findings(findings)
    return HttpResponse(body, status=status, content_type="application/json")


def write_findings(findings: Findings) -> tuple[int, bytes]:
    """Write what was found as status and JSON."""
    return 503 if False in findings.values() else 200, msgspec.json.encode(findings)


def is_own_host(header: str) -> bool:
    """Tell whether a ``Host`` is the installation's own: the bare host, the operators' or a plain address, and no tenant's."""
    host, _port = split_domain_port(header.lower())
    return host.strip("[]") in {
        settings.BITVAULT_BASE_HOST,
        settings.BITVAULT_OPERATOR_HOST,
        *settings.BITVAULT_PLAIN_HOSTS,
    }


@limited()
@require_safe
def beating(request: HttpRequest) -> HttpResponse:
    """Tell how long each scheduler has been silent: 200, or 503 when one is dead or nobody can tell.

    It is not a part of ``ready``: a web process serves without them, and would be taken away for what it cannot help.
    """
    try:
        ages, silent = heartbeats.list_ages(), heartbeats.list_silent()
    except DatabaseError:
        ages, silent = {}, ["database"]
    body = msgspec.json.encode({"silent": silent, "silent_for_seconds": ages})
    return HttpResponse(body, status=503 if silent else 200, content_type="application/json")


@limited()
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Give the figures to a scraper that knows BITVAULT_METRICS_KEY; to anybody else there is nothing here."""
    key = METRICS_KEY.get()
    given = request.headers.get("Authorization", "")
    if not key or not constant_time_compare(given, f"Bearer {key}"):
        return problems.render(NotFound())
    return HttpResponse(figures.show(), content_type=CONTENT_TYPE_LATEST)


def _ask_database() -> Findings:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return {"database": True, "store_fit": _find_store_fitness()}
    finally:
        connection.close()


def _find_store_fitness() -> bool | None:
    try:
        return storage.find_store_fitness()
    except DatabaseError:
        return None


def _ask_valkey() -> Findings:
    cache.get("readyz")
    return {"valkey": True}


def _ask_store() -> Findings:
    storage.require_store()
    return {"store": True}


def _ask_disk() -> Findings:
    """Tell whether the disk of an embedded store is too full for uploads; null where the store is elsewhere.

    It makes nobody unready: what is there can still be read, by every process alike.
    """
    room = storage.find_disk_room()
    return {"disk_low": None if room is None else room.is_low}


def _ask_web() -> Findings:
    """Ask the web processes at their own address, past every proxy, whether one answers."""
    url = urlsplit(settings.BITVAULT_WEB_URL)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    web = kind(url.hostname or "", url.port, timeout=DEADLINE_SECONDS)
    try:
        web.request("GET", "/healthz", headers={"Host": settings.BITVAULT_BASE_HOST})
        return {"web": web.getresponse().status == 200}  # noqa: PLR2004 - the HTTP status itself
    finally:
        web.close()


CHECKS: tuple[Check[bool | None], ...] = (
    Check(_ask_database, failed={"database": False, "store_fit": None}),
    Check(_ask_valkey, failed={"valkey": False}),
    Check(_ask_store, failed={"store": False}),
    Check(_ask_disk, failed={"disk_low": None}),
)
"""What every process asks."""

WEB: Check[bool | None] = Check(_ask_web, failed={"web": False})
"""What another process than the web's own asks besides, where BITVAULT_WEB_URL says where."""

readiness = Readiness(CHECKS)
