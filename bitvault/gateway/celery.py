"""The Celery application: settings, and the clockwork of every module."""

import os

from celery import Celery
from celery.signals import setup_logging

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bitvault.settings.production")

app = Celery("bitvault", task_cls="bitvault.kernel.tasks:TenantTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
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


app.conf.beat_schedule = {
    "sweep-uploads": _for_each_tenant("storage.sweep_uploads", seconds=300),
    "lapse-reservations": _for_each_tenant("billing.lapse_reservations", seconds=300),
    "purge-expired-trash": _for_each_tenant("files.purge_expired_trash", seconds=3600),
    "sweep-idempotency-keys": _for_each_tenant("web.sweep_idempotency_keys", seconds=3600),
}
