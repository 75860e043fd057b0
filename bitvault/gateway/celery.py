"""The Celery application: settings, and the schedule of every module."""

import os

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready
from django.core.exceptions import ImproperlyConfigured

from bitvault.gateway.queues import RegisteredQueues

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")

app = Celery("bitvault", task_cls="bitvault.kernel.tasks:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = RegisteredQueues()
app.autodiscover_tasks()


PROMISED = {
    "task_acks_late": True,
    "task_reject_on_worker_lost": True,
    "worker_prefetch_multiplier": 1,
    "timezone": "UTC",
    "task_ignore_result": True,
}
"""What the promises of the stream stand on. A setting that did not reach Celery changes nothing visibly until a worker dies."""


@worker_init.connect  # type: ignore[untyped-decorator] # celery has no types
def require_promised_settings(**_: object) -> None:
    """Refuse to start a worker whose effective settings are not the promised ones.

    :raises ImproperlyConfigured: one differs; the sentence names it.
    """
    for name, wanted in PROMISED.items():
        if app.conf[name] != wanted:
            raise ImproperlyConfigured(f"Celery runs with {name}={app.conf[name]!r}; it must be {wanted!r}.")
    lifetime = app.conf.broker_transport_options.get("visibility_timeout", 0)
    if lifetime <= 2 * app.conf.task_time_limit:
        raise ImproperlyConfigured("Celery's visibility_timeout must be more than twice its task_time_limit.")


@worker_ready.connect  # type: ignore[untyped-decorator] # celery has no types
def probe_store(**_: object) -> None:
    """Find out what the object store can do, now that somebody can be told: an installation starts, or starts anew."""
    app.send_task("storage.probe_store", ignore_result=True)


@setup_logging.connect  # type: ignore[untyped-decorator] # celery has no types
def use_our_logging(**_: object) -> None:
    """Keep Celery from replacing the logging that settings have set up."""


def _for_each_tenant(task: str, *, seconds: int) -> dict[str, object]:
    # `expires`: a worker that was away wakes to one sweep, not to a pile of them.
    return {
        "task": "gateway.for_each_tenant",
        "args": [task],
        "schedule": seconds,
        "options": {"expires": seconds * 4 // 5},
    }


app.conf.beat_scheduler = "bitvault.gateway.beat:OneAtATime"
app.conf.beat_schedule = {
    # `expires`: the next turn is a second away.
    "remove-tenants": {"task": "gateway.remove_tenants", "schedule": 600, "options": {"expires": 500}},
    "relay": {"task": "events.relay", "schedule": 1.0, "options": {"expires": 2}},
    "dispatch-jobs": {"task": "jobs.dispatch", "schedule": 1.0, "options": {"expires": 2}},
    "sweep-jobs": {"task": "jobs.sweep", "schedule": 3600, "options": {"expires": 3000}},
    "keep-partitions": {"task": "events.keep_partitions", "schedule": 3600, "options": {"expires": 3000}},
    # The start of a new version finds what an earlier one has filled; each rebuild asks for the next.
    "rebuild-outdated": {"task": "gateway.rebuild_outdated", "schedule": 60, "options": {"expires": 50}},
    "watch-siem": {"task": "gateway.watch_siem", "schedule": 300, "options": {"expires": 240}},
    "copy-anchors": {"task": "gateway.request_anchor_copies", "schedule": 120, "options": {"expires": 100}},
    "watch-anchors": {"task": "gateway.watch_anchors", "schedule": 300, "options": {"expires": 240}},
    "end-impersonations": {"task": "identity.end_impersonations", "schedule": 60, "options": {"expires": 50}},
    "sweep-sessions": {"task": "identity.sweep_sessions", "schedule": 3600, "options": {"expires": 3000}},
    "check-domains": {"task": "identity.check_domains", "schedule": 1800, "options": {"expires": 1500}},
    # Each hour it is seen whether tonight's is due.
    "take-backup": {"task": "backup.request", "schedule": 3600, "options": {"expires": 3000}},
    # An upgrade of the store, or another one behind the same address, shows within the hour.
    "probe-store": {"task": "storage.probe_store", "schedule": 3600, "options": {"expires": 3000}},
    "sweep-uploads": _for_each_tenant("storage.sweep_uploads", seconds=300),
    "collect-blobs": _for_each_tenant("storage.request_collection", seconds=300),
    "check-objects": _for_each_tenant("storage.request_checks", seconds=86_400),
    "lapse-reservations": _for_each_tenant("billing.lapse_reservations", seconds=300),
    "note-room": _for_each_tenant("billing.note_room", seconds=300),
    "write-omitted-denials": _for_each_tenant("admin_platform.write_omitted_denials", seconds=300),
    "write-repeats": _for_each_tenant("admin_platform.write_repeats", seconds=300),
    "anchor-audit": _for_each_tenant("admin_platform.anchor_audit", seconds=300),
    # Entries wake their exports themselves, but for denials, and but for an address that operators have just named.
    "wake-siem-exports": _for_each_tenant("admin_platform.wake_siem_exports", seconds=60),
    "forget-refunds": _for_each_tenant("billing.forget_refunds", seconds=86_400),
    "note-usage": _for_each_tenant("gateway.note_usage", seconds=3600),
    "make-statements": _for_each_tenant("billing.make_statements", seconds=3600),
    # A notice of the provider's may be lost, and a time of grace ends by itself.
    "look-after-payments": {"task": "billing.look_after_payments", "schedule": 1800, "options": {"expires": 1500}},
    "report-usage": _for_each_tenant("billing.request_usage_report", seconds=21_600),
    "recount-usage": _for_each_tenant("gateway.request_recount", seconds=86_400),
    "purge-expired-trash": _for_each_tenant("files.purge_expired_trash", seconds=3600),
    # They hold nothing from the second on at which they end; this tells of it.
    "apply-retention": _for_each_tenant("files.request_retention", seconds=3600),
    # Each looks at all files that have older versions; what is due waits a few hours.
    "expire-versions": _for_each_tenant("files.request_version_expiry", seconds=21_600),
    "scan-backlog": _for_each_tenant("scanning.request_backlog", seconds=60),
    "sweep-locks": _for_each_tenant("files.sweep_locks", seconds=60),
    "forget-past": _for_each_tenant("files.forget_past", seconds=3600),
    "rekey-names": _for_each_tenant("files.rekey_names", seconds=3600),
    # A digest comes within a quarter of an hour of its time, wherever its reader lives.
    "send-digests": _for_each_tenant("notifications.send_digests", seconds=900),
    "forget-notifications": _for_each_tenant("notifications.forget", seconds=86_400),
    "sweep-shares": _for_each_tenant("sharing.sweep", seconds=3600),
    "sweep-sync": _for_each_tenant("sync.sweep", seconds=3600),
    "sweep-idempotency-keys": _for_each_tenant("web.sweep_idempotency_keys", seconds=3600),
}
