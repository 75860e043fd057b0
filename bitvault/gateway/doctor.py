"""What an operator could have got wrong, asked of the installation itself: each check says what is so and, if need be, how to mend it.

Each check runs in a thread of its own with a deadline: one that hangs or raises says so, and keeps nobody from the others.
"""

import threading
from collections.abc import Collection, Sequence
from concurrent.futures import Future, wait
from functools import partial

import structlog
from django.db import connection
from django.http import HttpRequest
from django.utils import translation
from django.utils.translation import gettext as _

from bitvault.gateway import installation_checks, payment_checks, service_checks, store_checks
from bitvault.gateway.findings import Check, Finding

DEADLINE_SECONDS = 15.0
"""For all checks together: a probe of the store takes some seconds, and nobody waits longer for a page."""

LEVELS = ("bad", "warning", "good")

logger = structlog.get_logger(__name__)


def list_checks(*, probe_store: bool = False, request: HttpRequest | None = None) -> dict[str, Check]:
    """Give all checks by their names.

    :param probe_store: whether the store is tried now, which writes and deletes objects; else the last probe is read.
    :param request: one that came through the front, by which it is seen what that says.
    """
    return {
        "hosts": installation_checks.check_hosts,
        "proxy headers": partial(installation_checks.check_proxy, request),
        "certificate": installation_checks.check_certificate,
        "keys": installation_checks.check_keys,
        "settings": installation_checks.check_settings,
        "static files": installation_checks.check_static_files,
        "clocks": service_checks.check_clocks,
        "database": service_checks.check_database,
        "Valkey": service_checks.check_valkey,
        "store": partial(store_checks.check_store, probe=probe_store),
        "stores": store_checks.check_placed_stores,
        "encryption": store_checks.check_encryption_at_rest,
        "CORS": store_checks.check_cors,
        "mail": installation_checks.check_mail,
        "disk": installation_checks.check_disk,
        "versions": installation_checks.check_versions,
        "migrations": installation_checks.check_migrations,
        "workers": service_checks.check_workers,
        "queues": service_checks.check_queues,
        "search": service_checks.check_search,
        "SIEM export": service_checks.check_siem,
        "anchors": partial(store_checks.check_anchors, probe=probe_store),
        "scanner": service_checks.check_scanner,
        "payment": payment_checks.check_payment,
        "backup": installation_checks.check_backup,
    }


def examine(
    *, only: Collection[str] = (), probe_store: bool = False, request: HttpRequest | None = None
) -> list[Finding]:
    """Run all checks side by side, or those that are named, the worst findings first."""
    checks = {
        name: check
        for name, check in list_checks(probe_store=probe_store, request=request).items()
        if not only or name in only
    }
    answers: dict[str, Future[Sequence[Finding]]] = {name: Future() for name in checks}
    for name, check in checks.items():
        asked = (check, answers[name], translation.get_language())
        threading.Thread(target=_answer, args=asked, name=f"doctor-{name}", daemon=True).start()
    wait(answers.values(), timeout=DEADLINE_SECONDS)
    found = [one for name, answer in answers.items() for one in _read(name, answer)]
    return sorted(found, key=lambda one: LEVELS.index(one.level))


def _answer(check: Check, answer: "Future[Sequence[Finding]]", language: str | None) -> None:
    try:
        with translation.override(language):
            answer.set_result(check())
    except Exception as error:  # noqa: BLE001 - whatever a check meets is what it found
        logger.warning("doctor_check_failed", error=type(error).__name__)
        answer.set_exception(error)
    finally:
        connection.close()


def _read(name: str, answer: "Future[Sequence[Finding]]") -> Sequence[Finding]:
    if not answer.done():
        return [
            Finding(
                name,
                "bad",
                _("No answer within %(deadline_seconds)s s.") % {"deadline_seconds": f"{DEADLINE_SECONDS:.0f}"},
                _("See whether the service answers."),
            )
        ]
    error = answer.exception()
    if error is not None:
        return [
            Finding(
                name,
                "bad",
                _("The check failed: %(error)s.") % {"error": type(error).__name__},
                _("The log of this process says more."),
            )
        ]
    return answer.result()


def say_bad(count: int, all_count: int) -> str:
    """Say how many findings are bad."""
    return _("%(count)s of %(all)s findings are bad.") % {"count": count, "all": all_count}


def say_worth(count: int, all_count: int) -> str:
    """Say how many findings are worth a look."""
    return _("%(count)s of %(all)s findings are worth a look.") % {"count": count, "all": all_count}


def say_good() -> str:
    """Say that no finding is bad."""
    return _("Nothing is bad.")
