"""What every way of running BitVault shares. Whatever differs by place comes from the environment (``env.py``)."""

from typing import Any
from urllib.parse import urlsplit

from bitvault.settings import env, logs

ENV = env.read()
ROOT = env.ROOT

SECRET_KEY = ENV.secret_key
# Keys before it, while it is being changed: what they have signed and sealed is read, and nothing new is made with them.
SECRET_KEY_FALLBACKS = list(ENV.secret_key_fallbacks)
DEBUG = False
BITVAULT_STRICT_BOUNDARIES = False
BITVAULT_ENVIRONMENT = ENV.environment

# --- hosts -----------------------------------------------------------------------------------------------------------------
BITVAULT_BASE_URL = ENV.base_url
BITVAULT_BASE_HOST = ENV.base_host
BITVAULT_OPERATOR_HOST = ENV.operator_host
# Addresses that are nobody's name: the REST surface by token, and the bare host's pages, answer there too.
BITVAULT_PLAIN_HOSTS = ["127.0.0.1", "::1", *ENV.extra_hosts]
BITVAULT_AUDIT_KEY = ENV.audit_key or SECRET_KEY
BITVAULT_PUSH_KEY = ENV.push_key or SECRET_KEY
BITVAULT_METRICS_KEY = ENV.metrics_key
BITVAULT_METRICS_DIRECTORY = ENV.metrics_directory
env.share_figures(ENV.metrics_directory)
BITVAULT_SOCKET_URL = ENV.socket_url
BITVAULT_SOCKET_PATH = "/ws/v1/sync"
BITVAULT_WEB_URL = ENV.web_url
BITVAULT_SOCKETS_PER_USER = ENV.sockets_per_user
BITVAULT_SOCKETS_PER_ADDRESS = ENV.sockets_per_address
BITVAULT_SIGN_UP_OPEN = ENV.sign_up_open
BITVAULT_TENANT_DELETION_DAYS = ENV.tenant_deletion_days
BITVAULT_LIMITS = ENV.limits
BITVAULT_FAIR_SHARE_PERCENT = ENV.fair_share_percent
BITVAULT_REQUESTS_IN_FLIGHT = ENV.requests_in_flight
# What the installation asks itself: a busy process would be restarted, and the front, whose address is everybody's, get no certificate.
BITVAULT_UNLIMITED_PATHS = frozenset({"/healthz", "/certificates/ask"})
BITVAULT_TRUSTED_PROXY_COUNT = ENV.trusted_proxy_count
# Tenants bring names of their own, so the list stands in the database: HostChoice asks it before anything else may believe the header.
ALLOWED_HOSTS = ["*"]
USE_X_FORWARDED_HOST = False
if ENV.secure:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# --- applications ----------------------------------------------------------------------------------------------------------
SHARED_APPS = [
    "apps.identity",  # before django_tenants, which brings a command create_tenant of its own
    "bitvault.gateway",  # before Django admin, whose frame it adds to
    "apps.identity.apps.OperatorsAdminConfig",  # before django_tenants, whose pages of admin have styles that the content policy forbids
    "django_tenants",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.staticfiles",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "bitvault.events",
    "bitvault.jobs",
    "bitvault.mail",
    "bitvault.web",
    "bitvault.backup",
    "apps.storage",
    "apps.billing",
    "apps.admin_platform",
]
TENANT_APPS = [
    "bitvault.web",
    "apps.files",
    "apps.storage",
    "apps.billing",
    "apps.admin_platform",
    "apps.sync",
    "apps.sharing",
    "apps.links",
    "apps.search",
    "apps.previews",
    "apps.notifications",
    "apps.webhooks",
    "apps.annotations",
    "apps.scanning",
]
INSTALLED_APPS = list(dict.fromkeys([*SHARED_APPS, *TENANT_APPS]))

TENANT_MODEL = "identity.Tenant"
TENANT_DOMAIN_MODEL = "identity.Domain"
TENANT_SYNC_ROUTER = "bitvault.kernel.routers.PlaneRouter"
DATABASE_ROUTERS = ["bitvault.kernel.routers.PlaneRouter"]
# Where extensions live, so that neither the public schema nor a tenant's template holds any; the last place of every tenant's path.
PG_EXTRA_SEARCH_PATHS = ["extensions"]
# django-tenants would ask the database, at the start of each process, whether a tenant has that name; a tenant's schema begins with "t_".
SKIP_PG_EXTRA_VALIDATION = True

# --- database --------------------------------------------------------------------------------------------------------------
DATABASES = {
    "default": {
        **env.database_settings(ENV.database_url),
        "ENGINE": "bitvault.kernel.postgres",
        "CONN_MAX_AGE": ENV.database_lifetime_seconds,
        "CONN_HEALTH_CHECKS": True,
        # A transaction-mode pooler gives each transaction another server session: no cursors across them.
        "DISABLE_SERVER_SIDE_CURSORS": True,
    }
}
BITVAULT_DATABASE_PREPARED_STATEMENTS = ENV.database_prepared_statements
BITVAULT_DATABASE_OWNER = env.database_settings(ENV.database_owner_url)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Valkey / Redis --------------------------------------------------------------------------------------------------------
BITVAULT_REDIS_URL = ENV.redis_url
CACHES = {
    "default": {
        "BACKEND": "bitvault.kernel.valkey.SharedRedisCache",
        "LOCATION": f"{ENV.redis_url}/1",
        "KEY_PREFIX": "bitvault",
    }
}
CELERY_BROKER_URL = f"{ENV.redis_url}/0"
# Queues are those of what is registered (bitvault/gateway/queues.py). A worker takes all of them unless told.
CELERY_TASK_ROUTES = {
    "events.relay": {"queue": "relay"},
    "events.consume_patiently": {"queue": "patient"},
    "events.close_gap": {"queue": "patient"},
    "jobs.dispatch": {"queue": "relay"},
    "storage.complete_upload": {"queue": "patient"},
}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 600
CELERY_TASK_SOFT_TIME_LIMIT = 540
# Longer than twice the longest task: a shorter one would run a long task twice.
# The others: a broker that takes a connection and says nothing holds up neither request nor relay. A worker's waiting ends each second.
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 1500, "socket_connect_timeout": 1, "socket_timeout": 5}
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_DB_REUSE_MAX = 200

# --- object store ----------------------------------------------------------------------------------------------------------
BITVAULT_STORE = {
    "endpoint_url": ENV.s3_endpoint_url,
    "public_endpoint_url": ENV.s3_public_endpoint_url,
    "download_endpoint_url": ENV.s3_download_endpoint_url,
    "region": ENV.s3_region,
    "access_key_id": ENV.s3_access_key_id,
    "secret_access_key": ENV.s3_secret_access_key,
    "bucket": ENV.s3_bucket,
    "assets_bucket": ENV.s3_assets_bucket,
}
# Of a store on this machine that flushes nothing by itself: its folder, and how much of its disk uploads leave free.
BITVAULT_STORE_DISK = {"directory": ENV.s3_flush_directory, "floor_bytes": ENV.s3_free_mib * 1024 * 1024}
# How long bytes stay that no version holds any more, and how long after that their URLs may live.
BITVAULT_COLLECTION = {"grace_seconds": ENV.gc_grace_seconds, "wait_seconds": ENV.gc_wait_seconds}
# Networks inside that webhooks may reach.
BITVAULT_WEBHOOK_NETWORKS = ENV.webhook_networks
# Names of the installation itself, wherever they lie: no tenant brings one.
BITVAULT_OWN_HOSTS = frozenset(
    {
        ENV.base_host,
        ENV.operator_host,
        *(
            urlsplit(url).hostname or ""
            for url in (ENV.base_url, ENV.s3_public_endpoint_url, ENV.s3_download_endpoint_url)
        ),
    }
)
# Which servers are asked for records of tenants' own domains; none: the machine's.
BITVAULT_DNS_SERVERS = ENV.dns_servers
# Which engine answers searches, and where OpenSearch is.
BITVAULT_SEARCH_ENGINE = ENV.search_engine
BITVAULT_OPENSEARCH = {"url": ENV.opensearch_url, "ca_file": ENV.opensearch_ca_file}
# Within how many days every object is read and hashed again; 0: never.
BITVAULT_SCRUB_DAYS = ENV.scrub_days
BITVAULT_SCANNER_URL = ENV.scanner_url
BITVAULT_SCANNER_LARGEST_MIB = ENV.scanner_largest_mib
# Who collects payment for plans, and the account there.
BITVAULT_PAYMENT = ENV.payment
BITVAULT_STRIPE = {"key": ENV.stripe_key, "webhook_secret": ENV.stripe_webhook_secret, "url": ENV.stripe_url}
# How long a file stays locked whose locker names no end, and how long at most.
BITVAULT_LOCKS = {"default_hours": ENV.lock_hours, "longest_days": ENV.lock_longest_days}
# Where backups go by themselves, and how the store of those that go to a bucket is reached.
BITVAULT_BACKUP = {
    "target": ENV.backup_target,
    "keys": ENV.backup_keys,
    "keep": ENV.backup_keep,
    "hour": ENV.backup_hour,
    "warn_days": ENV.backup_warn_days,
}
BITVAULT_BACKUP_STORE = ENV.backup_store
# Where anchors of audit logs are copied to, for how long nobody may change them there, and how that store is reached.
BITVAULT_ANCHORS = ENV.anchors
_ASSETS = {
    "bucket_name": ENV.s3_assets_bucket,
    "endpoint_url": ENV.s3_endpoint_url,
    "region_name": ENV.s3_region,
    "access_key": ENV.s3_access_key_id,
    "secret_key": ENV.s3_secret_access_key,
    "addressing_style": "path",
    "signature_version": "s3v4",
    "file_overwrite": False,
    "default_acl": None,
}
STORAGES = {
    # What the server itself makes (exports, later thumbnails). The bytes of users never pass it: apps/storage signs URLs for them.
    "default": {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": _ASSETS},
    "staticfiles": {"BACKEND": "bitvault.web.static_files.StaticFiles"},
}

# --- requests --------------------------------------------------------------------------------------------------------------
ROOT_URLCONF = "bitvault.gateway.urls"
WSGI_APPLICATION = "bitvault.gateway.wsgi.application"
MIDDLEWARE = [
    "bitvault.web.limits.middleware.RequestLimits",
    "bitvault.gateway.middleware.RequestContext",
    "django.middleware.security.SecurityMiddleware",
    "bitvault.gateway.middleware.Body",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "bitvault.gateway.middleware.HostChoice",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "bitvault.web.languages.Languages",
    "django.middleware.common.CommonMiddleware",
    "bitvault.gateway.middleware.FormProof",
    "bitvault.gateway.middleware.Operators",
    "bitvault.gateway.middleware.Messages",
    "django_htmx.middleware.HtmxMiddleware",
    "bitvault.gateway.middleware.ContentPolicy",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "bitvault.gateway.denials.Denials",
    "bitvault.gateway.impersonation.Impersonations",
    "bitvault.gateway.refusals.Refusals",
]
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []
APPEND_SLASH = False

# The pages of a module stand beside its views, below ``ui/``.
_PAGES = sorted((ROOT / "apps").glob("*/ui"))
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [pages / "templates" for pages in _PAGES if (pages / "templates").is_dir()],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "bitvault.web.context.surroundings",
            ],
            "builtins": ["bitvault.web.sizes"],
        },
    }
]
STATIC_URL = "/static/"
STATICFILES_DIRS = [pages / "static" for pages in _PAGES if (pages / "static").is_dir()]
STATIC_ROOT = ENV.static_directory

# --- identity --------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "identity.User"
AUTHENTICATION_BACKENDS = ["apps.identity.backends.OperatorBackend"]
PASSWORD_HASHERS = ["apps.identity.hashing.BoundedArgon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
SESSION_ENGINE = "apps.identity.session_store"
SESSION_COOKIE_AGE = 14 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = ENV.secure
SESSION_COOKIE_NAME = "__Host-session" if ENV.secure else "session"
# A browser stays known for half a year after its last sign-in; by https the cookie is bound to its host alone.
BITVAULT_KNOWN_BROWSER_COOKIE: dict[str, Any] = {
    "key": "__Host-known-browser" if ENV.secure else "known-browser",
    "max_age": 180 * 24 * 3600,
    "secure": ENV.secure,
    "httponly": True,
    "samesite": "Lax",
}
# Holds the code of an invitation between its link and its form.
BITVAULT_INVITATION_COOKIE: dict[str, Any] = {
    "key": "__Host-invitation" if ENV.secure else "invitation",
    "max_age": 3600,
    "secure": ENV.secure,
    "httponly": True,
    "samesite": "Lax",
}
# Tells visitors of a public page apart, where something of it is counted for each.
BITVAULT_VISITOR_COOKIE: dict[str, Any] = {
    "key": "__Host-visitor" if ENV.secure else "visitor",
    "max_age": 180 * 24 * 3600,
    "secure": ENV.secure,
    "httponly": True,
    "samesite": "Lax",
}
# Proves that a link's password was given; set for the link's own path, and so for one link each.
BITVAULT_LINK_UNLOCK_COOKIE: dict[str, Any] = {
    "key": "__Secure-link-unlock" if ENV.secure else "link-unlock",
    "secure": ENV.secure,
    "httponly": True,
    "samesite": "Lax",
}
CSRF_COOKIE_SECURE = ENV.secure
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrftoken" if ENV.secure else "csrftoken"
CSRF_FAILURE_VIEW = "bitvault.gateway.pages.csrf_failure"
# Who looks at a page: pages stand on bitvault.web, which knows no module.
BITVAULT_VIEWER_FINDER = "bitvault.gateway.authentication.find_viewer"
BITVAULT_POLICY_FINDER = "apps.billing.queries.find_policy"
BITVAULT_FILE_RULES_FINDER = "apps.identity.policies.find_file_rules"
BITVAULT_SCAN_RULE_FINDER = "apps.scanning.queries.find_rule"
BITVAULT_NAME_FINDER = "bitvault.gateway.naming.NameFinder"
BITVAULT_BRAND_FINDER = "bitvault.gateway.brand.find_brand"
BITVAULT_MAIL_BRAND_FINDER = "bitvault.gateway.brand.find_mail_brand"
BITVAULT_MARKS_FINDER = "bitvault.gateway.marks.find_marks"
BITVAULT_SEAT_COUNTER = "bitvault.gateway.seats.count_seats"
LOGIN_URL = "/sign-in/"
LOGIN_REDIRECT_URL = "/files/"
BITVAULT_GUEST_HOME = "/shared/"

# --- headers ---------------------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
# Not "no-referrer": then a browser sends the forms of its own pages with `Origin: null`, and Django refuses them. Redirects to the store,
# where an address is a secret, ask for that by themselves.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31_536_000 if ENV.secure else 0
X_FRAME_OPTIONS = "DENY"
_STORE = list(dict.fromkeys((ENV.s3_public_endpoint_url, ENV.s3_download_endpoint_url)))
_CONNECT = ["'self'", *_STORE, *ENV.socket_sources]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "worker-src": ["'self'"],
        "style-src": ["'self'"],
        # Pictures, sound and film are looked at and played from the store, which runs nothing.
        "img-src": ["'self'", "data:", *_STORE],
        "media-src": ["'self'", *_STORE],
        "font-src": ["'self'"],
        "connect-src": _CONNECT,
        "manifest-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}

# --- REST ------------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["bitvault.gateway.authentication.Credentials"],
    # Each view says whom it lets in; what is no view of the toolkit's lets in whoever is known.
    "DEFAULT_PERMISSION_CLASSES": ["bitvault.web.permissions.HasActor"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "bitvault.web.negotiation.OneRepresentation",
    "DEFAULT_PARSER_CLASSES": ["bitvault.web.parsers.StructParser"],
    "DEFAULT_RENDERER_CLASSES": ["bitvault.web.renderers.StructRenderer"],
    # What a route takes stands in the OpenAPI document; OPTIONS would tell it a second time, in words of the framework's.
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "bitvault.web.openapi.Schema",
    "EXCEPTION_HANDLER": "bitvault.web.problems.handle",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "BitVault",
    "DESCRIPTION": "Files of teams: stored, synchronised, shared and found.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "POSTPROCESSING_HOOKS": ["bitvault.web.openapi.add_shared_parts", "bitvault.gateway.examples.add_examples"],
    "COMPONENT_SPLIT_REQUEST": False,
    "SORT_OPERATIONS": True,
}

# --- time, language, mail, logs ----------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
USE_I18N = True
for _name, _value in env.email_settings(ENV.email_url).items():
    globals()[_name] = _value
EMAIL_TIMEOUT = 20
BITVAULT_EMAIL_BOUNCE_ADDRESS = ENV.email_bounce_address
# Where the embedded stack keeps mails that leave for nowhere; only its own settings name one.
BITVAULT_MAILBOX_DIRECTORY = ""
DEFAULT_FROM_EMAIL = f"BitVault <no-reply@{ENV.base_host}>"
LOGGING_CONFIG = None
logs.configure(output=ENV.log_format, level=ENV.log_level)
