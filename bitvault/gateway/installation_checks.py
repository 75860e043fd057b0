"""What an operator could have set wrong in the installation itself: names, proxies, mail, keys, disk, versions, migrations, backups."""

import io
import shutil
import socket
import ssl
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.mail import get_connection
from django.core.management import CommandError, call_command
from django.db import connection
from django.http import HttpRequest
from django.utils.translation import gettext as _

from apps.admin_platform import api as administration
from apps.storage import api as storage
from bitvault.backup import runs as backups
from bitvault.gateway.findings import Finding, Level, is_local
from bitvault.kernel import clock

CONNECT_SECONDS = 5.0
DISK_WARN_SHARE = 0.1
POSTGRESQL = 150000
"""The oldest version that the migrations are tested with."""

KEY_LENGTH = 32
"""Characters of a key that nobody guesses: 128 bits even where it is hexadecimal."""

KEY_VARIETY = 8
"""Different characters that a random key of this length has at least."""

CERTIFICATE_WARN_DAYS = 14
"""The front renews a month before: what is left with less has not worked for a while."""


def check_hosts() -> Sequence[Finding]:
    """Whether the names that people use lead somewhere, and one name is not used twice."""
    base, operators = settings.BITVAULT_BASE_HOST, settings.BITVAULT_OPERATOR_HOST
    if base == operators:
        return [
            Finding(
                "hosts",
                "bad",
                _("People and operators have one host, %(base)s.") % {"base": base},
                _("Set BITVAULT_OPERATOR_HOST."),
            )
        ]
    if is_local():
        return [
            Finding(
                "hosts",
                "warning",
                _("%(base)s leads to this machine alone.") % {"base": base},
                _("Set BITVAULT_DOMAIN to be reached."),
            )
        ]
    missing = [name for name in (base, f"doctor.{base}", operators) if not _resolves(name)]
    if missing:
        mend = _("Make DNS records for %(base)s, *.%(base)s and %(operators)s: each vault lives one label below.") % {
            "base": base,
            "operators": operators,
        }
        return [Finding("hosts", "bad", _("No address is known for %(names)s.") % {"names": ", ".join(missing)}, mend)]
    return [
        Finding(
            "hosts",
            "good",
            _("%(base)s, the names below it and %(operators)s have addresses.")
            % {"base": base, "operators": operators},
        )
    ]


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
        mend = _(
            "Set BITVAULT_TRUSTED_PROXY_COUNT to the proxies in front, and let them send X-Forwarded-For and X-Forwarded-Proto."
        )
        return [Finding("proxy headers", "bad", _("TLS ends in a proxy that is not trusted."), mend)]
    if request is None:
        return [
            Finding(
                "proxy headers",
                "good",
                _("%(count)s proxies are trusted; the page of this check sees what they send.") % {"count": count},
            )
        ]
    forwarded = request.headers.get("X-Forwarded-For", "")
    if secure and not request.is_secure():
        mend = _("Let the proxy send X-Forwarded-Proto: https, and remove what clients send.")
        return [Finding("proxy headers", "bad", _("This page came by https and reads as http."), mend)]
    if forwarded and count == 0:
        mend = _("Set BITVAULT_TRUSTED_PROXY_COUNT, else everybody has the address of the proxy and shares its limits.")
        return [Finding("proxy headers", "bad", _("A proxy names addresses, and none is trusted."), mend)]
    if count > len(forwarded.split(",")) or (count and not forwarded):
        mend = _("Lower BITVAULT_TRUSTED_PROXY_COUNT, else clients can name any address as theirs.")
        return [
            Finding(
                "proxy headers",
                "bad",
                _("%(count)s proxies are trusted, and fewer have named an address.") % {"count": count},
                mend,
            )
        ]
    return [
        Finding("proxy headers", "good", _("%(count)s trusted proxies have said what they should.") % {"count": count})
    ]


def check_mail() -> Sequence[Finding]:
    """Whether mails can be handed to somebody."""
    backend: str = settings.EMAIL_BACKEND
    if backend.startswith("bitvault.mail.unset"):
        mend = _("Set BITVAULT_EMAIL_URL: invitations, new passwords and notices go by mail.")
        level: Level = "warning" if is_local() else "bad"
        return [Finding("mail", level, _("No mail server is named, so every mail fails."), mend)]
    if settings.BITVAULT_MAILBOX_DIRECTORY:
        mend = _("Set BITVAULT_EMAIL_URL where people are to receive them.")
        return [Finding("mail", "warning", _("Mails are kept in a mailbox for development and sent to nobody."), mend)]
    try:
        mails = get_connection(timeout=CONNECT_SECONDS)
        mails.open()
        mails.close()
    except OSError as error:
        mend = _("See whether host, port, user and password in BITVAULT_EMAIL_URL are right and the way is open.")
        return [
            Finding(
                "mail", "bad", _("The mail server does not take us: %(error)s.") % {"error": type(error).__name__}, mend
            )
        ]
    return [Finding("mail", "good", _("The mail server takes mails."))]


def check_backup() -> Sequence[Finding]:
    """Whether there is a backup, and it is no older than it should be."""
    last = backups.find_last()
    wanted: dict[str, Any] = settings.BITVAULT_BACKUP
    if last is None or last.finished_at is None:
        mend = _(
            "Set BITVAULT_BACKUP_TARGET, or run manage.py backup (docs/backup.md): what is lost without one is lost."
        )
        level: Level = "bad" if wanted["target"] else "warning"
        return [Finding("backup", level, _("No backup was ever taken."), mend)]
    days = (clock.now() - last.finished_at).total_seconds() / 86_400
    fact = _("The last backup was taken %(days)s days ago, to %(target)s.") % {
        "days": f"{days:.1f}",
        "target": last.target,
    }
    if days > wanted["warn_days"]:
        mend = _("See Backups and the jobs of the kind backup.take in Django admin, or run manage.py backup.")
        return [Finding("backup", "warning", fact, mend)]
    if last.lost_count:
        mend = _("See Findings in Django admin, and keep the older backups that still have them.")
        return [
            Finding(
                "backup",
                "bad",
                fact + " " + _("The store had lost %(count)s objects.") % {"count": last.lost_count},
                mend,
            )
        ]
    return [Finding("backup", "good", fact)]


def check_disk() -> Sequence[Finding]:
    """Whether there is room, here and on the disk of an embedded store."""
    usage = shutil.disk_usage(settings.ROOT)
    fact = _("This machine's disk has %(value1)s GiB of %(value2)s GiB free.") % {
        "value1": f"{usage.free / 2**30:.1f}",
        "value2": f"{usage.total / 2**30:.1f}",
    }
    low = usage.free < usage.total * DISK_WARN_SHARE
    mend = _("Make room, or give the disk more: logs and temporary files need it.")
    found = [Finding("disk", "warning", fact, mend) if low else Finding("disk", "good", fact)]
    room = storage.find_disk_room()
    if room is not None and room.is_low:
        mend = _("Make room on the store's disk, or lower BITVAULT_S3_FREE_MIB: until then uploads are refused.")
        found.append(Finding("disk", "bad", _("The store's disk is so full that uploads are refused."), mend))
    return found


def check_versions() -> Sequence[Finding]:
    """What runs here."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('server_version')")
        number, name = cursor.fetchone()
    python = ".".join(str(part) for part in sys.version_info[:3])
    fact = _("Python %(python)s, Django %(value2)s, PostgreSQL %(name)s.") % {
        "python": python,
        "value2": django.get_version(),
        "name": name,
    }
    if number < POSTGRESQL:
        return [
            Finding(
                "versions",
                "bad",
                fact,
                _("PostgreSQL %(value1)s or later is needed.") % {"value1": POSTGRESQL // 10000},
            )
        ]
    return [Finding("versions", "good", fact)]


def check_migrations() -> Sequence[Finding]:
    """Whether the database follows the code, in ``public`` and in every tenant."""
    try:
        call_command("migrate_tenants", check=True, stdout=io.StringIO())
    except CommandError as error:
        return [Finding("migrations", "bad", str(error), _("Run manage.py migrate_tenants."))]
    return [Finding("migrations", "good", _("The database follows the code in every tenant."))]


def check_keys() -> Sequence[Finding]:
    """Whether the keys are ones that nobody guesses, and none serves two purposes where that matters."""
    secret: str = settings.SECRET_KEY
    found = []
    if len(secret) < KEY_LENGTH or len(set(secret)) < KEY_VARIETY or secret.startswith("django-insecure"):
        mend = _(
            "Set BITVAULT_SECRET_KEY to 50 random characters (docs/operating.md, Changing secrets): it signs sessions and seals secrets."
        )
        found.append(Finding("keys", "bad", _("BITVAULT_SECRET_KEY is short or no random text."), mend))
    if secret == settings.BITVAULT_AUDIT_KEY and not is_local():
        mend = _(
            "Set BITVAULT_AUDIT_KEY before BITVAULT_SECRET_KEY is changed for the first time: it signs anchors of audit logs."
        )
        found.append(
            Finding("keys", "warning", _("Audit logs are signed with the key that everything else uses."), mend)
        )
    metrics: str = settings.BITVAULT_METRICS_KEY
    if metrics and len(metrics) < KEY_LENGTH // 2:
        mend = _("Set BITVAULT_METRICS_KEY to %(key_length)s random characters, and tell the scraper.") % {
            "key_length": KEY_LENGTH
        }
        found.append(Finding("keys", "warning", _("BITVAULT_METRICS_KEY is short."), mend))
    if settings.DEBUG and not is_local():
        mend = _("Use BITVAULT_ENVIRONMENT=production and its settings: pages of errors show secrets.")
        found.append(Finding("keys", "bad", _("Debugging is on."), mend))
    return found or [Finding("keys", "good", _("The keys are long and random."))]


def check_certificate() -> Sequence[Finding]:
    """Whether the certificate at the address that people use is valid for it, and for how much longer."""
    base = urlsplit(settings.BITVAULT_BASE_URL)
    if base.scheme != "https":
        level: Level = "good" if is_local() else "bad"
        mend = (
            ""
            if is_local()
            else _("Set BITVAULT_DOMAIN, or put a proxy with TLS in front and name https in BITVAULT_BASE_URL.")
        )
        return [
            Finding("certificate", level, _("%(url)s is used without TLS.") % {"url": settings.BITVAULT_BASE_URL}, mend)
        ]
    host, port = base.hostname or "", base.port or 443
    try:
        with (
            socket.create_connection((host, port), timeout=CONNECT_SECONDS) as line,
            ssl.create_default_context().wrap_socket(line, server_hostname=host) as secure,
        ):
            certificate: Any = secure.getpeercert()
    except ssl.SSLCertVerificationError as error:
        mend = _(
            "See the front's log: the name has to lead here, and ports 80 and 443 have to be open to the authority."
        )
        return [
            Finding(
                "certificate",
                "bad",
                _("The certificate of %(host)s is not valid: %(verify_message)s.")
                % {"host": host, "verify_message": error.verify_message},
                mend,
            )
        ]
    except OSError as error:
        mend = _("See whether this machine may reach its own address; else look from outside.")
        return [
            Finding(
                "certificate",
                "warning",
                _("%(host)s:%(port)s cannot be reached from here: %(error)s.")
                % {"host": host, "port": port, "error": type(error).__name__},
                mend,
            )
        ]
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(certificate["notAfter"]), tz=UTC)
    days = (ends - clock.now()).days
    fact = _("The certificate of %(host)s is valid for %(days)s days.") % {"host": host, "days": days}
    if days < CERTIFICATE_WARN_DAYS:
        return [Finding("certificate", "warning", fact, _("See the front's log: it should have renewed it."))]
    return [Finding("certificate", "good", fact)]


def check_settings() -> Sequence[Finding]:
    """Whether everything that was decided while running is in force."""
    mends = {
        "unreadable": _("Enter the secret again: it was sealed with another BITVAULT_SECRET_KEY."),
        "unfit": _(
            "Set a value that this version takes: manage.py config show says which. Until then the default holds."
        ),
        "unknown": _("Delete it under Settings in Django admin, unless another version of BitVault runs as well."),
    }
    found = [
        Finding(
            "settings",
            "warning" if trouble == "unknown" else "bad",
            _("%(key)s: what was decided does not hold.") % {"key": key},
            mends[trouble],
        )
        for key, trouble in administration.list_config_troubles()
    ]
    return found or [Finding("settings", "good", _("Settings that were changed while running are in force."))]


def check_static_files() -> Sequence[Finding]:
    """Whether the files of pages are there as this version names them."""
    name = "css/tokens.css"
    try:
        staticfiles_storage.url(name)
        is_there = settings.DEBUG or staticfiles_storage.exists(name)
    except ValueError:
        is_there = False
    if not is_there:
        mend = _("Run manage.py collectstatic with this version, into BITVAULT_STATIC_DIRECTORY of every web process.")
        return [Finding("static files", "bad", _("Styles and scripts of this version are not collected."), mend)]
    return [Finding("static files", "good", _("Styles and scripts are those of this version."))]
