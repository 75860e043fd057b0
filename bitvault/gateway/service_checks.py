"""Whether the services that the installation stands on are as it needs them: clocks, store, search, database, Valkey, workers, queues."""

import io
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection

from apps.scanning import api as scanning
from apps.search import api as search
from apps.storage import api as storage
from bitvault.events import heartbeats, operating
from bitvault.gateway.celery import app
from bitvault.gateway.findings import Finding, is_local
from bitvault.gateway.queues import RegisteredQueues
from bitvault.jobs import operating as jobs
from bitvault.kernel.errors import Unavailable
from bitvault.web.valkey import client

CONNECT_SECONDS = 5.0
SKEW_BAD_SECONDS = 60.0
"""Signed addresses live minutes: clocks further apart make them too old or not valid yet."""
SKEW_WARN_SECONDS = 5.0
LAG_SECONDS = 120.0
WORKER_SECONDS = 3.0
"""How long workers have to say which queues they take."""

CONNECTIONS_WARN_SHARE = 0.85


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


def check_search() -> Sequence[Finding]:
    """Ask the engine of search who it is."""
    try:
        engine = search.find_engine()
    except Unavailable:
        mend = "See whether it runs, and BITVAULT_OPENSEARCH_URL with its password and authority. Names are found meanwhile."
        return [Finding("search", "bad", "OpenSearch does not answer, or not to us.", mend)]
    return [Finding("search", "good", f"{engine} answers searches.")]


def check_scanner() -> Sequence[Finding]:
    """Ask the scanner for malware who it is, where there is one."""
    version = scanning.find_scanner()
    if version is None:
        return [Finding("scanner", "good", "There is no scanner for malware: nothing is scanned.")]
    if not version:
        mend = "See whether it runs, and scanning.scanner_url. Until it is back files wait, as each vault's rule says."
        return [Finding("scanner", "bad", "The scanner for malware does not answer, or not as one does.", mend)]
    return [Finding("scanner", "good", f"{version} scans for malware.")]


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


def check_workers() -> Sequence[Finding]:
    """Whether some worker takes each queue: what nobody takes waits for ever, and says nothing."""
    answers = app.control.inspect(timeout=WORKER_SECONDS).active_queues() or {}
    taken = {queue["name"] for queues in answers.values() for queue in queues}
    missing = [queue.name for queue in RegisteredQueues() if queue.name not in taken]
    if not answers:
        mend = "Start workers (docs/operating.md, Processes), and see whether they reach BITVAULT_BROKER_URL's Valkey."
        return [Finding("workers", "bad", "No worker answers.", mend)]
    if missing:
        mend = "Add them to --queues of a worker. One that is busy for long may not have answered: check again."
        return [Finding("workers", "bad", f"No worker takes {', '.join(missing)}.", mend)]
    return [Finding("workers", "good", f"{len(answers)} workers take all {len(taken)} queues.")]


def check_valkey() -> Sequence[Finding]:
    """Whether Valkey throws nothing away by itself: tasks and counts of limits are in there."""
    memory = client().info("memory")
    policy, limit, used = memory["maxmemory_policy"], memory["maxmemory"], memory["used_memory"]
    fact = f"Valkey uses {used / 2**20:.0f} MiB{f' of {limit / 2**20:.0f}' if limit else ''}; policy {policy}."
    if policy != "noeviction":
        return [Finding("Valkey", "bad", fact, "Set maxmemory-policy noeviction: else tasks are thrown away unseen.")]
    if limit and used > CONNECTIONS_WARN_SHARE * limit:
        return [Finding("Valkey", "warning", fact, "Give it more memory (maxmemory): full, it takes no task.")]
    return [Finding("Valkey", "good", fact)]


def check_database() -> Sequence[Finding]:
    """Whether PostgreSQL has connections left, keeps what it says it has kept, and writes UTF-8."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),"
            " current_setting('max_connections')::int, current_setting('synchronous_commit'), current_setting('fsync'),"
            " current_setting('server_encoding')"
        )
        used, most, commit, fsync, encoding = cursor.fetchone()
    found = []
    if used > CONNECTIONS_WARN_SHARE * most:
        mend = "Raise max_connections, or put PgBouncer in transaction mode in between (docs/operating.md, Processes)."
        found.append(Finding("database", "warning", f"{used} of {most} connections are in use.", mend))
    if fsync != "on" or commit == "off":
        mend = "Set fsync and synchronous_commit to on: else an acknowledged file can be lost with the power."
        level = "warning" if is_local() else "bad"
        found.append(Finding("database", level, f"fsync is {fsync} and synchronous_commit {commit}.", mend))  # type: ignore[arg-type] # one of two levels
    if encoding != "UTF8":
        found.append(Finding("database", "bad", f"The database writes {encoding}.", "Make it with ENCODING 'UTF8'."))
    return found or [Finding("database", "good", f"{used} of {most} connections are in use.")]
