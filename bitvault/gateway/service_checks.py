"""Whether the services that the installation stands on are as it needs them: clocks, store, search, database, Valkey, workers, queues."""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from django.conf import settings
from django.db import connection
from django.utils.translation import gettext as _

from apps.admin_platform import api as administration
from apps.identity import api as identity
from apps.scanning import api as scanning
from apps.search import api as search
from bitvault.events import heartbeats, operating
from bitvault.gateway.celery import app
from bitvault.gateway.findings import Finding, Level, is_local
from bitvault.gateway.queues import RegisteredQueues
from bitvault.gateway.store_checks import ask_store
from bitvault.jobs import operating as jobs
from bitvault.kernel import clock, tenancy
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
SIEM_SECONDS = 600.0
"""A receiver that is restarted is away for less."""

SIEM_NAMED = 5
"""Tenants that a finding names."""


def check_clocks() -> Sequence[Finding]:
    """Whether PostgreSQL, Valkey and the store have the time of this machine."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        clocks = {"PostgreSQL": float(cursor.fetchone()[0]) - time.time()}
    seconds, micros = client().time()
    clocks["Valkey"] = seconds + micros / 1e6 - time.time()
    date = ask_store("GET", settings.BITVAULT_STORE["endpoint_url"], "/").getheader("Date")
    if date:
        clocks[_("the store")] = (parsedate_to_datetime(date) - datetime.now(UTC)).total_seconds()
    return [_judge_clock(name, skew) for name, skew in clocks.items()]


def _judge_clock(name: str, skew: float) -> Finding:
    apart = abs(skew)
    if skew > 0:
        fact = _("The clock of %(name)s is %(apart)s s ahead.") % {"name": name, "apart": f"{apart:.1f}"}
    else:
        fact = _("The clock of %(name)s is %(apart)s s behind.") % {"name": name, "apart": f"{apart:.1f}"}
    mend = _("Run a time service (NTP) on every machine: signed addresses live minutes.")
    if apart >= SKEW_BAD_SECONDS:
        return Finding("clocks", "bad", fact, mend)
    return Finding("clocks", "warning", fact, mend) if apart >= SKEW_WARN_SECONDS else Finding("clocks", "good", fact)


def check_search() -> Sequence[Finding]:
    """Ask the engine of search who it is."""
    try:
        engine = search.find_engine()
    except Unavailable:
        mend = _(
            "See whether it runs, and BITVAULT_OPENSEARCH_URL with its password and authority. Names are found meanwhile."
        )
        return [Finding("search", "bad", _("OpenSearch does not answer, or not to us."), mend)]
    return [Finding("search", "good", _("%(engine)s answers searches.") % {"engine": engine})]


def check_scanner() -> Sequence[Finding]:
    """Ask the scanner for malware who it is, where there is one."""
    version = scanning.find_scanner()
    if version is None:
        return [Finding("scanner", "good", _("There is no scanner for malware: nothing is scanned."))]
    if not version:
        mend = _(
            "See whether it runs, and scanning.scanner_url. Until it is back files wait, as each vault's rule says."
        )
        return [Finding("scanner", "bad", _("The scanner for malware does not answer, or not as one does."), mend)]
    return [Finding("scanner", "good", _("%(version)s scans for malware.") % {"version": version})]


def check_siem() -> Sequence[Finding]:
    """Whether the audit logs arrive where operators have them sent."""
    url = administration.find_siem_url()
    if not url:
        return [Finding("SIEM export", "good", _("Audit logs are not sent anywhere."))]
    failing, paused, waiting = [], [], 0
    for tenant in identity.list_active_tenants():  # each tenant's export is in a schema of its own
        with tenancy.entered(tenant):
            export = administration.find_siem_export_of_installation()
        if export is None:
            continue
        waiting += export.backlog_count
        if not export.enabled:
            paused.append(tenant.slug)
        elif export.failing_since is not None and (clock.now() - export.failing_since).total_seconds() > SIEM_SECONDS:
            failing.append(f"{tenant.slug} ({export.last_failure})")
    found = []
    if failing:
        count, names = len(failing), ", ".join(failing[:SIEM_NAMED])
        fact = _(
            "The audit logs of %(count)s tenants have not arrived for a while: %(names)s. Waiting: %(waiting)s."
        ) % {"count": count, "names": names, "waiting": waiting}
        mend = _("See SIEM export in Django admin, send a test, and look at the receiver. Nothing is lost meanwhile.")
        found.append(Finding("SIEM export", "bad", fact, mend))
    if paused:
        fact = _("The export of %(names)s is paused.") % {"names": ", ".join(paused[:SIEM_NAMED])}
        found.append(Finding("SIEM export", "warning", fact, _("Let it go on under SIEM export in Django admin.")))
    return found or [
        Finding("SIEM export", "good", _("Audit logs are sent on; %(waiting)s entries wait.") % {"waiting": waiting})
    ]


def _judge_outdated() -> list[Finding]:
    """Tell of what an earlier version has filled and is rebuilt."""
    outdated = Counter(name for name, _tenant_id in operating.list_outdated())
    mend = _(
        "They are rebuilt by themselves, one tenant after another; the stream's page in Django admin tells how far it is."
    )
    return [
        Finding(
            "queues",
            "warning",
            _("What %(name)s keeps was filled by an earlier version in %(count)s tenants.")
            % {"name": name, "count": count},
            mend,
        )
        for name, count in sorted(outdated.items())
    ]


def check_queues() -> Sequence[Finding]:
    """Whether schedulers run, and nothing waits or was given up."""
    found = []
    silent = heartbeats.list_silent()
    if silent:
        mend = _("Start the process of Celery beat; make up and the deployment's files do.")
        found.append(
            Finding("queues", "bad", _("Schedulers are silent: %(names)s.") % {"names": ", ".join(silent)}, mend)
        )
    found += _judge_outdated()
    for name, reason in operating.list_paused().items():
        mend = _("Let it go on in Django admin when its reason is gone.")
        why = reason or _("no reason was given")
        found.append(
            Finding(
                "queues", "warning", _("The consumer %(name)s is paused: %(why)s.") % {"name": name, "why": why}, mend
            )
        )
    late = [lag for lag in operating.list_lags(limit=1) if lag.seconds > LAG_SECONDS and not lag.is_suspended]
    found += [
        Finding(
            "queues",
            "bad",
            _("The consumer %(consumer)s has been behind for %(seconds)s s in a tenant.")
            % {"consumer": lag.consumer, "seconds": f"{lag.seconds:.0f}"},
            _("See the page of the event stream: a worker may be missing, or an event may fail again and again."),
        )
        for lag in late
    ]
    letters = operating.count_dead_letters()
    if letters:
        found.append(
            Finding(
                "queues",
                "warning",
                _("%(letters)s dead letters wait.") % {"letters": letters},
                _("Replay or drop them on the page of the stream."),
            )
        )
    backlogs = jobs.list_backlogs()
    failed = sum(one.failed_count for one in backlogs)
    if failed:
        found.append(
            Finding(
                "queues",
                "warning",
                _("%(failed)s jobs have failed.") % {"failed": failed},
                _("See their errors in Django admin, and run them again."),
            )
        )
    found += [
        Finding(
            "queues",
            "bad",
            _("Jobs of the kind %(kind)s have waited for %(oldest_seconds)s s.")
            % {"kind": one.kind, "oldest_seconds": f"{one.oldest_seconds:.0f}"},
            _("Start a worker for their lane, or more of them."),
        )
        for one in backlogs
        if one.oldest_seconds > LAG_SECONDS
    ]
    return found or [Finding("queues", "good", _("Schedulers run, and nothing waits or was given up."))]


def check_workers() -> Sequence[Finding]:
    """Whether some worker takes each queue: what nobody takes waits for ever, and says nothing."""
    answers = app.control.inspect(timeout=WORKER_SECONDS).active_queues() or {}
    taken = {queue["name"] for queues in answers.values() for queue in queues}
    missing = [queue.name for queue in RegisteredQueues() if queue.name not in taken]
    if not answers:
        mend = _(
            "Start workers (docs/operating.md, Processes), and see whether they reach BITVAULT_BROKER_URL's Valkey."
        )
        return [Finding("workers", "bad", _("No worker answers."), mend)]
    if missing:
        mend = _("Add them to --queues of a worker. One that is busy for long may not have answered: check again.")
        return [Finding("workers", "bad", _("No worker takes %(names)s.") % {"names": ", ".join(missing)}, mend)]
    return [
        Finding(
            "workers",
            "good",
            _("%(count)s workers take all %(count2)s queues.") % {"count": len(answers), "count2": len(taken)},
        )
    ]


def check_valkey() -> Sequence[Finding]:
    """Whether Valkey throws nothing away by itself: tasks and counts of limits are in there."""
    memory = client().info("memory")
    policy, limit, used = memory["maxmemory_policy"], memory["maxmemory"], memory["used_memory"]
    used_mib, limit_mib = f"{used / 2**20:.0f}", f"{limit / 2**20:.0f}"
    if limit:
        fact = _("Valkey uses %(used_mib)s MiB of %(limit_mib)s; policy %(policy)s.") % {
            "used_mib": used_mib,
            "limit_mib": limit_mib,
            "policy": policy,
        }
    else:
        fact = _("Valkey uses %(used_mib)s MiB; policy %(policy)s.") % {"used_mib": used_mib, "policy": policy}
    if policy != "noeviction":
        return [
            Finding("Valkey", "bad", fact, _("Set maxmemory-policy noeviction: else tasks are thrown away unseen."))
        ]
    if limit and used > CONNECTIONS_WARN_SHARE * limit:
        return [Finding("Valkey", "warning", fact, _("Give it more memory (maxmemory): full, it takes no task."))]
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
        mend = _(
            "Raise max_connections, or put PgBouncer in transaction mode in between (docs/operating.md, Processes)."
        )
        found.append(
            Finding(
                "database",
                "warning",
                _("%(used)s of %(most)s connections are in use.") % {"used": used, "most": most},
                mend,
            )
        )
    if fsync != "on" or commit == "off":
        mend = _("Set fsync and synchronous_commit to on: else an acknowledged file can be lost with the power.")
        level: Level = "warning" if is_local() else "bad"
        found.append(
            Finding(
                "database",
                level,
                _("fsync is %(fsync)s and synchronous_commit %(commit)s.") % {"fsync": fsync, "commit": commit},
                mend,
            )
        )
    if encoding != "UTF8":
        found.append(
            Finding(
                "database",
                "bad",
                _("The database writes %(encoding)s.") % {"encoding": encoding},
                _("Make it with ENCODING 'UTF8'."),
            )
        )
    return found or [
        Finding("database", "good", _("%(used)s of %(most)s connections are in use.") % {"used": used, "most": most})
    ]
