"""Whether the object stores are as the installation needs them: what they can do, who may send to them, what encrypts them."""

import io
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils.translation import gettext as _

from apps.admin_platform.api import locked
from apps.storage import api as storage
from bitvault.gateway.findings import Finding

CONNECT_SECONDS = 5.0


def check_store(*, probe: bool) -> Sequence[Finding]:
    """Whether the object store can do what BitVault needs."""
    if probe:
        try:
            call_command("check_store", stdout=io.StringIO())
        except CommandError as error:
            return [
                Finding("store", "bad", str(error), _("Run manage.py check_store, and use a store that it accepts."))
            ]
        return [Finding("store", "good", _("The store can do everything that BitVault needs."))]
    storage.require_store()
    fit = storage.find_store_fitness()
    if fit is None:
        return [
            Finding("store", "warning", _("The store answers and was not probed yet."), _("Run manage.py check_store."))
        ]
    if not fit:
        return [
            Finding(
                "store",
                "bad",
                _("The last probe found that the store lacks something."),
                _("Run manage.py check_store."),
            )
        ]
    return [Finding("store", "good", _("The store answers, and its last probe found everything that BitVault needs."))]


def check_placed_stores() -> Sequence[Finding]:
    """Whether the object stores beside the installation's own can be used, as their last tests found."""
    placed = [store for store in storage.list_stores() if store.id is not None]
    unfit = [store.name for store in placed if store.is_fit is False]
    untested = [store.name for store in placed if store.is_fit is None]
    found = []
    if unfit:
        fact = _("The last test of %(names)s found that something lacks, or is not as it should be.") % {
            "names": ", ".join(unfit)
        }
        found.append(Finding("stores", "bad", fact, _("See Object stores in Django admin, and test them there.")))
    if untested:
        fact = _("%(names)s were not tested yet.") % {"names": ", ".join(untested)}
        found.append(Finding("stores", "warning", fact, _("See Object stores in Django admin, and test them there.")))
    if found or not placed:
        return found or [Finding("stores", "good", _("All tenants are in the installation's own store."))]
    return [Finding("stores", "good", _("%(count)s more stores can be used.") % {"count": len(placed)})]


def check_anchors(*, probe: bool) -> Sequence[Finding]:
    """Whether anchors of audit logs come into a bucket that truly locks them.

    :param probe: whether that is proved now: an object is put there, and may not be deleted.
    """
    bucket = locked.find_locked_bucket()
    if bucket is None:
        fact = _(
            "Anchors of audit logs are kept in the database alone: BITVAULT_ANCHOR_BUCKET can name a bucket that locks them."
        )
        return [Finding("anchors", "good", fact)]
    try:
        bucket.prove() if probe else bucket.require_lock()
    except locked.Trouble as trouble:
        fact = _("%(place)s cannot be used for anchors: %(detail)s.") % {"place": bucket.place, "detail": trouble}
        mends = {
            "away": _(
                "See whether the store answers, and BITVAULT_ANCHOR_S3_ENDPOINT_URL. Anchors wait here meanwhile."
            ),
            "refused": _("See the keys and rights that .env.example names for BITVAULT_ANCHOR_BUCKET."),
        }
        mend = mends.get(trouble.code, _("Make a bucket that has Object Lock, and try it by manage.py check_anchors."))
        return [Finding("anchors", "bad", fact, mend)]
    return [_judge_copies(bucket)]


def _judge_copies(bucket: locked.LockedBucket) -> Finding:
    turn = locked.find_anchor_turn()
    if turn is None or turn.finished_at is None:
        fact = _("%(place)s locks, and no anchor was copied there yet.") % {"place": bucket.place}
        return Finding("anchors", "warning", fact, _("A worker of the lane outbound does so within minutes."))
    if turn.is_late:
        fact = _("%(count)s anchors wait to be copied to %(place)s, longer than they should. %(failure)s") % {
            "count": turn.waiting_count,
            "place": bucket.place,
            "failure": turn.failure,
        }
        mend = _("See Jobs of the kind audit.copy_anchors, and anchors_not_copied in the workers' log.")
        return Finding("anchors", "bad", fact.strip(), mend)
    fact = _("Anchors are locked in %(place)s for %(days)s days (%(mode)s); %(count)s wait.") % {
        "place": bucket.place,
        "days": bucket.days,
        "mode": bucket.mode,
        "count": turn.waiting_count,
    }
    return Finding("anchors", "good", fact)


def check_encryption_at_rest() -> Sequence[Finding]:
    """Say what encrypts the bytes of the installation's own store."""
    if settings.BITVAULT_STORE_DISK["directory"]:
        fact = _("The embedded store encrypts nothing itself: it relies on the encryption of the disk it lies on.")
        return [Finding("encryption", "good", fact)]
    return [Finding("encryption", "good", _("The store encrypts as its bucket is set up; BitVault asks for nothing."))]


def check_cors() -> Sequence[Finding]:
    """Whether the store lets pages of this installation send parts."""
    origin = settings.BITVAULT_BASE_URL
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    endpoint = settings.BITVAULT_STORE["public_endpoint_url"]
    answer = ask_store("OPTIONS", endpoint, f"/{settings.BITVAULT_STORE['bucket']}/doctor", headers)
    allowed = answer.getheader("Access-Control-Allow-Origin") or ""
    if allowed in ("*", origin):
        return [
            Finding(
                "CORS",
                "good",
                _("Pages at %(origin)s may send files to %(endpoint)s.") % {"origin": origin, "endpoint": endpoint},
            )
        ]
    mend = _(
        "Let the bucket's CORS rules allow PUT and GET from %(origin)s and the vaults' hosts below it; expose ETag."
    ) % {"origin": origin}
    return [
        Finding(
            "CORS",
            "bad",
            _("The store does not let pages at %(origin)s send files to %(endpoint)s.")
            % {"origin": origin, "endpoint": endpoint},
            mend,
        )
    ]


def ask_store(method: str, endpoint: str, path: str, headers: dict[str, str] | None = None) -> HTTPResponse:
    """Ask a store something that needs no signature, within seconds."""
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
