"""The one place that reads the environment: every variable typed, with its meaning, checked when the process starts.

``.env.example`` lists them all; a test keeps the two alike.
"""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parents[2]

LOG_FORMATS = ("json", "console")
SWITCHED_ON = ("true", "1", "yes", "on")
SWITCHED_OFF = ("false", "0", "no", "off")
LIMITS = ("tenant", "user", "read", "write", "upload", "heavy", "address", "sign-in", "public", "failures")
PAYMENTS = ("", "stripe")
RETENTION_MODES = ("COMPLIANCE", "GOVERNANCE")
DAYS_LIMIT = 36_500
SEARCH_ENGINES = ("postgresql", "opensearch")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

_env = environ.Env()


# An empty variable is one that is not set: container files pass on what .env leaves out.
def _text(name: str, *, default: str) -> str:
    return _env.str(name, default="") or default


def _number(name: str, *, default: int) -> int:
    value = _text(name, default=str(default))
    if not (value.isascii() and value.isdecimal()):
        raise ImproperlyConfigured(f"{name} must be a number like {default}, and is {value!r}.")
    return int(value)


def _days(name: str, *, default: int) -> int:
    days = _number(name, default=default)
    if not 0 < days <= DAYS_LIMIT:
        raise ImproperlyConfigured(f"{name} must be between 1 and {DAYS_LIMIT}, and is {days}.")
    return days


def _anchor_bucket(name: str) -> str:
    """Read ``s3://bucket/prefix``; nobody puts anchors without keys of their own."""
    address = _text(name, default="").rstrip("/")
    if not address:
        return ""
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9._-]+)*", address):
        raise ImproperlyConfigured(f"{name} must be like s3://bucket or s3://bucket/prefix, and is {address!r}.")
    for needed in ("BITVAULT_ANCHOR_S3_ACCESS_KEY_ID", "BITVAULT_ANCHOR_S3_SECRET_ACCESS_KEY"):
        if not _text(needed, default=""):
            raise ImproperlyConfigured(
                f"{name} needs {needed}: keys of its own, which may put objects and not delete them."
            )
    return address


def _switch(name: str, *, default: bool) -> bool:
    value = _text(name, default=str(default)).lower()
    if value not in SWITCHED_ON + SWITCHED_OFF:
        raise ImproperlyConfigured(f"{name} must be true or false, and is {value!r}.")
    return value in SWITCHED_ON


def _choice(name: str, choices: tuple[str, ...], *, default: str) -> str:
    value = _text(name, default=default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, and is {value!r}.")
    return value


def _limits(name: str) -> dict[str, tuple[int, int]] | None:
    """Read ``read=2000/5,address=50/10`` as quotas and windows in seconds; None for ``off``."""
    text = _text(name, default="").replace(" ", "")
    if text.lower() in SWITCHED_OFF:
        return None
    found = {}
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"([a-z-]+)=([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", part)
        if match is None or match[1] not in LIMITS:
            raise ImproperlyConfigured(
                f"{name} must be off, or like read=2000/5 for {', '.join(LIMITS)}, and is {text!r}."
            )
        found[match[1]] = (int(match[2]), int(match[3]))
    return found


def _networks(name: str) -> tuple[str, ...]:
    """Read networks as ``10.1.0.0/16,fd00:1::/32``."""
    found = tuple(filter(None, _text(name, default="").replace(" ", "").split(",")))
    for part in found:
        try:
            ipaddress.ip_network(part)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be networks like 10.1.0.0/16, and names {part!r}.") from None
    return found


def _servers(name: str) -> tuple[str, ...]:
    """Read servers as ``192.0.2.53,192.0.2.54:5353``."""
    found = tuple(filter(None, _text(name, default="").replace(" ", "").split(",")))
    for part in found:
        address, _, port = part.rpartition(":") if part.count(":") == 1 else (part, "", "53")
        try:
            ipaddress.ip_address(address)
            fits = port.isdecimal() and 0 < int(port) < 65536  # noqa: PLR2004 - ports have 16 bits
        except ValueError:
            fits = False
        if not fits:
            raise ImproperlyConfigured(
                f"{name} must be addresses like 192.0.2.53 or 192.0.2.53:5353, and names {part!r}."
            )
    return found


def _opensearch_url() -> str:
    """Read where OpenSearch answers; it is needed where it is the engine of search."""
    url = _text("BITVAULT_OPENSEARCH_URL", default="").rstrip("/")
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ImproperlyConfigured(
            "BITVAULT_OPENSEARCH_URL must look like https://user:password@search.example.com:9200"
        )
    if not url and _text("BITVAULT_SEARCH_ENGINE", default="") == "opensearch":
        raise ImproperlyConfigured("Set BITVAULT_OPENSEARCH_URL: BITVAULT_SEARCH_ENGINE is opensearch.")
    return url


def _required(name: str) -> str:
    value = _text(name, default="")
    if not value:
        raise ImproperlyConfigured(
            f"Set {name}: .env.example tells what it is. `make up` sets it for the embedded stack, `make manage` for a command beside it."
        )
    return str(value)


@dataclass(frozen=True, slots=True)
class Environment:
    """What the surroundings decide about a process."""

    secret_key: str
    secret_key_fallbacks: tuple[str, ...]
    environment: str
    database_url: str
    database_owner_url: str
    database_lifetime_seconds: int
    database_prepared_statements: bool
    redis_url: str
    s3_endpoint_url: str
    s3_public_endpoint_url: str
    s3_download_endpoint_url: str
    s3_region: str
    s3_access_key_id: str
    s3_secret_access_key: str
    s3_bucket: str
    s3_assets_bucket: str
    s3_flush_directory: str
    s3_free_mib: int
    gc_grace_seconds: int
    gc_wait_seconds: int
    webhook_networks: tuple[str, ...]
    dns_servers: tuple[str, ...]
    search_engine: str
    opensearch_url: str
    opensearch_ca_file: str
    scanner_url: str
    payment: str
    stripe_key: str
    stripe_webhook_secret: str
    stripe_url: str
    scanner_largest_mib: int
    scrub_days: int
    lock_hours: int
    lock_longest_days: int
    backup_target: str
    backup_keys: str
    backup_keep: int
    backup_hour: int
    backup_warn_days: int
    backup_store: dict[str, str]
    anchors: dict[str, Any]
    base_url: str
    operator_host: str
    extra_hosts: tuple[str, ...]
    socket_url: str
    web_url: str
    sockets_per_user: int
    sockets_per_address: int
    static_directory: str
    email_url: str
    email_bounce_address: str
    mailbox_directory: str
    trusted_proxy_count: int
    sign_up_open: bool
    tenant_deletion_days: int
    limits: dict[str, tuple[int, int]] | None
    fair_share_percent: int
    requests_in_flight: int
    audit_key: str
    push_key: str
    metrics_key: str
    metrics_directory: str
    log_format: str
    log_level: str

    @property
    def base_host(self) -> str:
        """The bare host: sign-in across tenants and sign-up; each tenant lives one label below."""
        return urlsplit(self.base_url).hostname or "localhost"

    @property
    def socket_sources(self) -> tuple[str, ...]:
        """Where pages may open sockets: at their own host names, by the scheme and port of ``socket_url``, or else by their own.

        Not every browser understands ``'self'`` as the sockets of the page's own origin.
        """
        parts = urlsplit(self.socket_url or f"ws{self.base_url.removeprefix('http')}")
        return f"{parts.scheme}://{parts.netloc}", f"{parts.scheme}://*.{parts.netloc}"

    @property
    def secure(self) -> bool:
        """Whether people reach the installation by https."""
        return urlsplit(self.base_url).scheme == "https"


def read() -> Environment:
    """Read and check the environment.

    :raises ImproperlyConfigured: a variable is missing or wrong; the sentence names it.
    """
    domain = _text("BITVAULT_DOMAIN", default="").lower()
    base_url = _text("BITVAULT_BASE_URL", default=f"https://{domain}" if domain else "http://localhost:8000").rstrip(
        "/"
    )
    if urlsplit(base_url).scheme not in ("http", "https") or not urlsplit(base_url).hostname:
        raise ImproperlyConfigured("BITVAULT_BASE_URL must look like https://vault.example.com")
    s3_endpoint_url = _required("BITVAULT_S3_ENDPOINT_URL")
    s3_public_endpoint_url = _text("BITVAULT_S3_PUBLIC_ENDPOINT_URL", default=s3_endpoint_url)
    database_url = _required("BITVAULT_DATABASE_URL")
    return Environment(
        secret_key=_required("BITVAULT_SECRET_KEY"),
        secret_key_fallbacks=tuple(filter(None, _text("BITVAULT_SECRET_KEY_FALLBACKS", default="").split(","))),
        environment=_text("BITVAULT_ENVIRONMENT", default="production"),
        database_url=database_url,
        database_owner_url=_text("BITVAULT_DATABASE_OWNER_URL", default=database_url),
        database_lifetime_seconds=_number("BITVAULT_DATABASE_LIFETIME_SECONDS", default=300),
        database_prepared_statements=_switch("BITVAULT_DATABASE_PREPARED_STATEMENTS", default=True),
        redis_url=_required("BITVAULT_REDIS_URL").rstrip("/"),
        s3_endpoint_url=s3_endpoint_url,
        s3_public_endpoint_url=s3_public_endpoint_url,
        s3_download_endpoint_url=_text("BITVAULT_S3_DOWNLOAD_ENDPOINT_URL", default=s3_public_endpoint_url),
        s3_region=_text("BITVAULT_S3_REGION", default="us-east-1"),
        s3_access_key_id=_required("BITVAULT_S3_ACCESS_KEY_ID"),
        s3_secret_access_key=_required("BITVAULT_S3_SECRET_ACCESS_KEY"),
        s3_bucket=_text("BITVAULT_S3_BUCKET", default="bitvault"),
        s3_assets_bucket=_text("BITVAULT_S3_ASSETS_BUCKET", default="bitvault-assets"),
        s3_flush_directory=_text("BITVAULT_S3_FLUSH_DIRECTORY", default=""),
        s3_free_mib=_number("BITVAULT_S3_FREE_MIB", default=400),
        gc_grace_seconds=_number("BITVAULT_GC_GRACE_SECONDS", default=86400),
        gc_wait_seconds=_number("BITVAULT_GC_WAIT_SECONDS", default=3600),
        webhook_networks=_networks("BITVAULT_WEBHOOK_NETWORKS"),
        scanner_url=_text("BITVAULT_SCANNER_URL", default=""),
        payment=_choice("BITVAULT_PAYMENT", PAYMENTS, default=""),
        stripe_key=_text("BITVAULT_STRIPE_KEY", default=""),
        stripe_webhook_secret=_text("BITVAULT_STRIPE_WEBHOOK_SECRET", default=""),
        stripe_url=_text("BITVAULT_STRIPE_URL", default="https://api.stripe.com").rstrip("/"),
        scanner_largest_mib=_number("BITVAULT_SCANNER_LARGEST_MIB", default=2000),
        dns_servers=_servers("BITVAULT_DNS_SERVERS"),
        scrub_days=_number("BITVAULT_SCRUB_DAYS", default=90),
        lock_hours=_number("BITVAULT_LOCK_HOURS", default=8),
        lock_longest_days=_number("BITVAULT_LOCK_LONGEST_DAYS", default=30),
        backup_target=_text("BITVAULT_BACKUP_TARGET", default=""),
        backup_keys=_text("BITVAULT_BACKUP_KEYS", default=""),
        backup_keep=_number("BITVAULT_BACKUP_KEEP", default=14),
        backup_hour=_number("BITVAULT_BACKUP_HOUR", default=2),
        backup_warn_days=_number("BITVAULT_BACKUP_WARN_DAYS", default=2),
        backup_store={
            "endpoint_url": _text("BITVAULT_BACKUP_S3_ENDPOINT_URL", default=""),
            "region": _text("BITVAULT_BACKUP_S3_REGION", default="us-east-1"),
            "access_key_id": _text("BITVAULT_BACKUP_S3_ACCESS_KEY_ID", default=""),
            "secret_access_key": _text("BITVAULT_BACKUP_S3_SECRET_ACCESS_KEY", default=""),
        },
        anchors={
            "bucket": _anchor_bucket("BITVAULT_ANCHOR_BUCKET"),
            "mode": _choice("BITVAULT_ANCHOR_MODE", RETENTION_MODES, default="COMPLIANCE"),
            "days": _days("BITVAULT_ANCHOR_DAYS", default=2555),
            "endpoint_url": _text("BITVAULT_ANCHOR_S3_ENDPOINT_URL", default=""),
            "region": _text("BITVAULT_ANCHOR_S3_REGION", default="us-east-1"),
            "access_key_id": _text("BITVAULT_ANCHOR_S3_ACCESS_KEY_ID", default=""),
            "secret_access_key": _text("BITVAULT_ANCHOR_S3_SECRET_ACCESS_KEY", default=""),
        },
        search_engine=_choice("BITVAULT_SEARCH_ENGINE", SEARCH_ENGINES, default="postgresql"),
        opensearch_url=_opensearch_url(),
        opensearch_ca_file=_text("BITVAULT_OPENSEARCH_CA_FILE", default=""),
        base_url=base_url,
        operator_host=_text("BITVAULT_OPERATOR_HOST", default=f"admin.{urlsplit(base_url).hostname}"),
        extra_hosts=tuple(filter(None, _text("BITVAULT_EXTRA_HOSTS", default="").replace(" ", "").split(","))),
        socket_url=_text("BITVAULT_SOCKET_URL", default="").rstrip("/"),
        web_url=_text("BITVAULT_WEB_URL", default="").rstrip("/"),
        sockets_per_user=_number("BITVAULT_SOCKETS_PER_USER", default=50),
        sockets_per_address=_number("BITVAULT_SOCKETS_PER_ADDRESS", default=2000),
        static_directory=_text("BITVAULT_STATIC_DIRECTORY", default=str(ROOT / "var" / "static")),
        email_url=_text("BITVAULT_EMAIL_URL", default=""),
        email_bounce_address=_text("BITVAULT_EMAIL_BOUNCE_ADDRESS", default=""),
        mailbox_directory=_text("BITVAULT_MAILBOX_DIRECTORY", default=""),
        trusted_proxy_count=_number("BITVAULT_TRUSTED_PROXY_COUNT", default=0),
        sign_up_open=_switch("BITVAULT_SIGN_UP_OPEN", default=True),
        tenant_deletion_days=_number("BITVAULT_TENANT_DELETION_DAYS", default=14),
        limits=_limits("BITVAULT_LIMITS"),
        fair_share_percent=_number("BITVAULT_FAIR_SHARE_PERCENT", default=20),
        requests_in_flight=_number("BITVAULT_REQUESTS_IN_FLIGHT", default=3),
        audit_key=_text("BITVAULT_AUDIT_KEY", default=""),
        push_key=_text("BITVAULT_PUSH_KEY", default=""),
        metrics_key=_text("BITVAULT_METRICS_KEY", default=""),
        metrics_directory=_text("BITVAULT_METRICS_DIRECTORY", default=""),
        log_format=_choice("BITVAULT_LOG_FORMAT", LOG_FORMATS, default="json"),
        log_level=_choice("BITVAULT_LOG_LEVEL", LOG_LEVELS, default="INFO"),
    )


def share_figures(directory: str) -> None:
    """Let the library that counts keep its figures in a directory, where the processes that share it are counted together.

    It reads its own variable when it is imported first, so settings come before whatever counts.
    """
    if directory:
        Path(directory).mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = directory


def email_settings(url: str) -> dict[str, object]:
    """Turn ``smtp://user:password@host:587`` or ``consolemail://`` into Django's e-mail settings."""
    if not url:
        return {"EMAIL_BACKEND": "bitvault.mail.unset.EmailBackend"}
    return dict(_env.email_url_config(url))


def database_settings(url: str) -> dict[str, object]:
    """Turn ``postgres://user:password@host:5432/name`` into Django's database settings."""
    return dict(_env.db_url_config(url))
