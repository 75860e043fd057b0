"""What an operator could have got wrong, asked of the installation itself: each check says what is so and, if need be, how to mend it.

Each check runs in a thread of its own with a deadline: one that hangs or raises says so, and keeps nobody from the others.
"""

import io
import shutil
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any, Literal
from urllib.parse import urlsplit

import django
import structlog
from django.conf import settings
from django.core.mail import get_connection
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpRequest

from apps.search import api as search
from apps.storage import api as storage
from bitvault.backup import runs as backups
from bitvault.events import heartbeats, operating
from bitvault.jobs import operating as jobs
from bitvault.kernel import clock
from bitvault.kernel.errors import Unavailable
from bitvault.web.valkey import client

Level = Literal["good", "warning", "bad"]

DEADLINE_SECONDS = 15.0
"""For all checks together: a probe of the store takes some seconds, and nobody waits longer for a page."""

CONNECT_SECONDS = 5.0
SKEW_BAD_SECONDS = 60.0
"""Signed addresses live minutes: clocks further apart make them too old or not valid yet."""
SKEW_WARN_SECONDS = 5.0
LAG_SECONDS = 120.0
DISK_WARN_SHARE = 0.1
POSTGRESQL = 150000
"""The oldest version that the migrations are tested with."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: str
    level: Level
    fact: str
    mend: str = ""
    """How to put it right; empty where nothing is wrong."""


Check = Callable[[], Sequence[Finding]]


def examine(*, probe_store: bool = False, request: HttpRequest | None = None) -> list[Finding]:
    """Run all checks side by side, the worst findings first.

    :param probe_store: whether the store is tried now, which writes and deletes objects; else the last probe is read.
    :param request: one that came through the front, by which it is seen what that says.
    """
    checks: dict[str, Check] = {
        "hosts": check_hosts,
        "proxy headers": partial(check_proxy, request),
        "clocks": check_clocks,
        "store": partial(check_store, probe=probe_store),
        "CORS": check_cors,
        "mail": check_mail,
        "disk": check_disk,
        "versions": check_versions,
        "migrations": check_migrations,
        "queues": check_queues,
        "search": check_search,
        "backup": check_backup,
    }
    answers: dict[str, Future[Sequence[Finding]]] = {name: Future() for name in checks}
    for name, check in checks.items():
        threading.Thread(target=_answer, args=(check, answers[name]), name=f"doctor-{name}", daemon=True).start()
    wait(answers.values(), timeout=DEADLINE_SECONDS)
    found = [one for name, answer in answers.items() for one in _read(name, answer)]
    return sorted(found, key=lambda one: ("bad", "warning", "good").index(one.level))


def _answer(check: Check, answer: "Future[Sequence[Finding]]") -> None:
    try:
        answer.set_result(check())
    except Exception as error:  # noqa: BLE001 - whatever a check meets is what it found
        logger.warning("doctor_check_failed", error=type(error).__name__)
        answer.set_exception(error)
    finally:
        connection.close()


def _read(name: str, answer: "Future[Sequence[Finding]]") -> Sequence[Finding]:
    if not answer.done():
        return [Finding(name, "bad", f"No answer within {DEADLINE_SECONDS:.0f} s.", "See whether the service answers.")]
    error = answer.exception()
    if error is not None:
        return [
            Finding(name, "bad", f"The check failed: {type(error).__name__}.", "The log of this process says more.")
        ]
    return answer.result()


# --- the checks ---------------------------------------------------------------------------------------------------------------


def check_hosts() -> Sequence[Finding]:
    """Whether the names that people use lead somewhere, and one name is not used twice."""
    base, operators = settings.BITVAULT_BASE_HOST, settings.BITVAULT_OPERATOR_HOST
    if base == operators:
        return [Finding("hosts", "bad", f"People and operators have one host, {base}.", "Set BITVAULT_OPERATOR_HOST.")]
    if _is_local():
        return [
            Finding("hosts", "warning", f"{base} leads to this machine alone.", "Set BITVAULT_DOMAIN to be reached.")
        ]
    missing = [name for name in (base, f"doctor.{base}", operators) if not _resolves(name)]
    if missing:
        mend = f"Make DNS records for {base}, *.{base} and {operators}: each vault lives one label below."
        return [Finding("hosts", "bad", f"No address is known for {', '.join(missing)}.", mend)]
    return [Finding("hosts", "good", f"{base}, the names below it and {operators} have addresses.")]


def _is_local() -> bool:
    """Tell whether the installation is for this machine alone: then what others need is no fault."""
    return f".{settings.BITVAULT_BASE_HOST}".endswith(".localhost")


def _resolves(name: str) -> bool:
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        return False
    return True


def check_proxy(request: HttpRequest | None) -> Sequence[Finding]:
    """Whether what stands in front is believed, and says what it has to."""
    count, secure = settings.BITVAULT_TRUSTED_PROXY_COUNT, settings.BITVAULT_BASE_URL.startswith("https:")
    if secure and count == 0:
        mend = "Set BITVAULT_TRUSTED_PROXY_COUNT to the proxies in front, and let them send X-Forwarded-For and X-Forwarded-Proto."
        return [Finding("proxy headers", "bad", "TLS ends in a proxy that is not trusted.", mend)]
    if request is None:
        return [
            Finding(
                "proxy headers", "good", f"{count} proxies are trusted; the page of this check sees what they send."
            )
        ]
    forwarded = request.headers.get("X-Forwarded-For", "")
    if secure and not request.is_secure():
        mend = "Let the proxy send X-Forwarded-Proto: https, and remove what clients send."
        return [Finding("proxy headers", "bad", "This page came by https and reads as http.", mend)]
    if forwarded and count == 0:
        mend = "Set BITVAULT_TRUSTED_PROXY_COUNT, else everybody has the address of the proxy and shares its limits."
        return [Finding("proxy headers", "bad", "A proxy names addresses, and none is trusted.", mend)]
    if count > len(forwarded.split(",")) or (count and not forwarded):
        mend = "Lower BITVAULT_TRUSTED_PROXY_COUNT, else clients can name any address as theirs."
        return [Finding("proxy headers", "bad", f"{count} proxies are trusted, and fewer have named an address.", mend)]
    return [Finding("proxy headers", "good", f"{count} trusted proxies have said what they should.")]


def check_clocks() -> Sequence[Finding]:
    """Whether PostgreSQL, Valkey and the store have the time of this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        clocks = {"PostgreSQL": float(cursor.fetchone()[0]) - time.time()}
    seconds, micros = client().time()
    clocks["Valkey"] = seconds + micros / 1e6 - time.time()
    date = _ask_store("GET", settings.BITVAULT_STORE["endpoint_url"], "/").getheader("Date")
    if date:
        clocks["the store"] = (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    return [_judge_clock(name, skew) for name, skew in clocks.items()]


def _judge_clock(name: str, skew: float) -> Finding:
    apart = abs(skew)
    fact = f"The clock of {name} is {apart:.1f} s {'ahead' if skew > 0 else 'behind'}."
    mend = "Run a time service (NTP) on every machine: signed addresses live minutes."
    if apart >= SKEW_BAD_SECONDS:
        return Finding("clocks", "bad", fact, mend)
    return Finding("clocks", "warning", fact, mend) if apart >= SKEW_WARN_SECONDS else Finding("clocks", "good", fact)


def check_store(*, probe: bool) -> Sequence[Finding]:
    """Whether the object store can do what BitVault needs."""
    if probe:
        try:
            call_command("check_store", stdout=io.StringIO())
        except CommandError as error:
            return [Finding("store", "bad", str(error), "Run manage.py check_store, and use a store that it accepts.")]
        return [Finding("store", "good", "The store can do everything that BitVault needs.")]
    storage.require_store()
    fit = storage.find_store_fitness()
    if fit is None:
        return [Finding("store", "warning", "The store answers and was not probed yet.", "Run manage.py check_store.")]
    if not fit:
        return [
            Finding(
                "store", "bad", "The last probe found that the store lacks something.", "Run manage.py check_store."
            )
        ]
    return [Finding("store", "good", "The store answers, and its last probe found everything that BitVault needs.")]


def check_cors() -> Sequence[Finding]:
    """Whether the store lets pages of this installation send parts."""
    origin = settings.BITVAULT_BASE_URL
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    endpoint = settings.BITVAULT_STORE["public_endpoint_url"]
    answer = _ask_store("OPTIONS", endpoint, f"/{settings.BITVAULT_STORE['bucket']}/doctor", headers)
    allowed = answer.getheader("Access-Control-Allow-Origin") or ""
    if allowed in ("*", origin):
        return [Finding("CORS", "good", f"Pages at {origin} may send files to {endpoint}.")]
    mend = f"Let the bucket's CORS rules allow PUT and GET from {origin} and the vaults' hosts below it; expose ETag."
    return [Finding("CORS", "bad", f"The store does not let pages at {origin} send files to {endpoint}.", mend)]


def _ask_store(method: str, endpoint: str, path: str, headers: dict[str, str] | None = None) -> HTTPResponse:
    url = urlsplit(endpoint)
    kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
    line = kind(url.hostname or "", url.port, timeout=CONNECT_SECONDS)
    try:
        line.request(method, path, headers=headers or {})
        answer = line.getresponse()
        answer.read()
    finally:
        line.close()
    return answer


def check_mail() -> Sequence[Finding]:
    """Whether mails can be handed to somebody."""
    backend: str = settings.EMAIL_BACKEND
    if backend.startswith("bitvault.mail.unset"):
        mend = "Set BITVAULT_EMAIL_URL: invitations, new passwords and notices go by mail."
        level: Level = "warning" if _is_local() else "bad"
        return [Finding("mail", level, "No mail server is named, so every mail fails.", mend)]
    if settings.BITVAULT_MAILBOX_DIRECTORY:
        mend = "Set BITVAULT_EMAIL_URL where people are to receive them."
        return [Finding("mail", "warning", "Mails are kept in a mailbox for development and sent to nobody.", mend)]
    try:
        mails = get_connection(timeout=CONNECT_SECONDS)
        mails.open()
        mails.close()
    except OSError as error:
        mend = "See whether host, port, user and password in BITVAULT_EMAIL_URL are right and the way is open."
        return [Finding("mail", "bad", f"The mail server does not take us: {type(error).__name__}.", mend)]
    return [Finding("mail", "good", "The mail server takes mails.")]


def check_search() -> Sequence[Finding]:
    """Ask the engine of search who it is."""
    try:
        engine = search.find_engine()
    except Unavailable:
        mend = "See whether it runs, and BITVAULT_OPENSEARCH_URL with its password and authority. Names are found meanwhile."
        return [Finding("search", "bad", "OpenSearch does not answer, or not to us.", mend)]
    return [Finding("search", "good", f"{engine} answers searches.")]


def check_backup() -> Sequence[Finding]:
    """Whether there is a backup, and it is no older than it should be."""
    last = backups.find_last()
    wanted: dict[str, Any] = settings.BITVAULT_BACKUP
    if last is None or last.finished_at is None:
        mend = "Set BITVAULT_BACKUP_TARGET, or run manage.py backup (docs/backup.md): what is lost without one is lost."
        level: Level = "bad" if wanted["target"] else "warning"
        return [Finding("backup", level, "No backup was ever taken.", mend)]
    days = (clock.now() - last.finished_at).total_seconds() / 86_400
    fact = f"The last backup was taken {days:.1f} days ago, to {last.target}."
    if days > wanted["warn_days"]:
        mend = "See Backups and the jobs of the kind backup.take in Django admin, or run manage.py backup."
        return [Finding("backup", "warning", fact, mend)]
    if last.lost_count:
        mend = "See Findings in Django admin, and keep the older backups that still have them."
        return [Finding("backup", "bad", f"{fact} The store had lost {last.lost_count} objects.", mend)]
    return [Finding("backup", "good", fact)]


def check_disk() -> Sequence[Finding]:
    """Whether there is room, here and on the disk of an embedded store."""
    usage = shutil.disk_usage(settings.ROOT)
    fact = f"This machine's disk has {usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} GiB free."
    low = usage.free < usage.total * DISK_WARN_SHARE
    mend = "Make room, or give the disk more: logs and temporary files need it."
    found = [Finding("disk", "warning", fact, mend) if low else Finding("disk", "good", fact)]
    room = storage.find_disk_room()
    if room is not None and room.is_low:
        mend = "Make room on the store's disk, or lower BITVAULT_S3_FREE_MIB: until then uploads are refused."
        found.append(Finding("disk", "bad", "The store's disk is so full that uploads are refused.", mend))
    return found


def check_versions() -> Sequence[Finding]:
    """What runs here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
        number, name = cursor.fetchone()
    python = ".".join(str(part) for part in sys.version_info[:3])
    fact = f"Python {python}, Django {django.get_version()}, PostgreSQL {name}."
    if number < POSTGRESQL:
        return [Finding("versions", "bad", fact, f"PostgreSQL {POSTGRESQL // 10000} or later is needed.")]
    return [Finding("versions", "good", fact)]


def check_migrations() -> Sequence[Finding]:
    """Whether the database follows the code, in ``public`` and in every tenant."""
    try:
        call_command("migrate_tenants", check=True, stdout=io.StringIO())
    except CommandError as error:
        return [Finding("migrations", "bad", str(error), "Run manage.py migrate_tenants.")]
    return [Finding("migrations", "good", "The database follows the code in every tenant.")]


def check_queues() -> Sequence[Finding]:
    """Whether schedulers run, and nothing waits or was given up."""
    found = []
    silent = heartbeats.list_silent()
    if silent:
        mend = "Start the process of Celery beat; make up and the deployment's files do."
        found.append(Finding("queues", "bad", f"Schedulers are silent: {', '.join(silent)}.", mend))
    for name, reason in operating.list_paused().items():
        mend = "Let it go on in Django admin when its reason is gone."
        found.append(
            Finding("queues", "warning", f"The consumer {name} is paused: {reason or 'no reason was given'}.", mend)
        )
    late = [lag for lag in operating.list_lags(limit=1) if lag.seconds > LAG_SECONDS and not lag.is_suspended]
    found += [
        Finding(
            "queues",
            "bad",
            f"The consumer {lag.consumer} has been behind for {lag.seconds:.0f} s in a tenant.",
            "See the page of the event stream: a worker may be missing, or an event may fail again and again.",
        )
        for lag in late
    ]
    letters = operating.count_dead_letters()
    if letters:
        found.append(
            Finding(
                "queues", "warning", f"{letters} dead letters wait.", "Replay or drop them on the page of the stream."
            )
        )
    backlogs = jobs.list_backlogs()
    failed = sum(one.failed_count for one in backlogs)
    if failed:
        found.append(
            Finding(
                "queues",
                "warning",
                f"{failed} jobs have failed.",
                "See their errors in Django admin, and run them again.",
            )
        )
    found += [
        Finding(
            "queues",
            "bad",
            f"Jobs of the kind {one.kind} have waited for {one.oldest_seconds:.0f} s.",
            "Start a worker for their lane, or more of them.",
        )
        for one in backlogs
        if one.oldest_seconds > LAG_SECONDS
    ]
    return found or [Finding("queues", "good", "Schedulers run, and nothing waits or was given up.")]
