"""What operators' screens call tables and columns, in the operator's language.

Django takes the names of its screens from the models, and would write each into a migration. Words for people belong to the screens: they
are given here, once for every model that has a screen, when the process starts. Django admin, its forms and its filters then show them.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

MODELS: "Mapping[str, tuple[StrPromise, StrPromise]]" = {
    "admin_platform.Config": (_("setting"), _("settings")),
    "admin_platform.ConfigVersion": (_("version"), _("versions")),
    "admin_platform.Flag": (_("flag"), _("flags")),
    "admin_platform.FlagVersion": (_("version"), _("versions")),
    "backup.BackupRun": (_("backup"), _("backups")),
    "billing.Plan": (_("plan"), _("plans")),
    "billing.PlanPrice": (_("price"), _("prices")),
    "billing.PlanVersion": (_("version"), _("versions")),
    "events.PausedConsumer": (_("paused consumer"), _("paused consumers")),
    "identity.ApiToken": (_("API token"), _("API tokens")),
    "identity.Domain": (_("domain"), _("domains")),
    "identity.Invitation": (_("invitation"), _("invitations")),
    "identity.Membership": (_("membership"), _("memberships")),
    "identity.Session": (_("session"), _("sessions")),
    "identity.Tenant": (_("tenant"), _("tenants")),
    "identity.User": (_("person"), _("people")),
    "jobs.Job": (_("job"), _("jobs")),
    "jobs.PausedKind": (_("paused kind"), _("paused kinds")),
    "storage.Provider": (_("test of the store"), _("tests of the store")),
    "storage.StoreFinding": (_("finding"), _("findings")),
    "storage.StoreRun": (_("run over the store"), _("runs over the store")),
    "storage.Sweep": (_("sweep"), _("sweeps")),
}

FIELDS: "Mapping[str, StrPromise]" = {
    "address": _("address"),
    "agent": _("browser"),
    "begun_at": _("begun at"),
    "blob_id": _("blob"),
    "cancel_requested_at": _("cancel asked for at"),
    "changed_at": _("changed at"),
    "checkpoint": _("checkpoint"),
    "claimed_email": _("claimed e-mail"),
    "consumer": _("consumer"),
    "copied_bytes": _("bytes copied"),
    "counts": _("counts"),
    "created_at": _("created at"),
    "created_by_id": _("asked for by"),
    "created_by_kind": _("asked for by (kind)"),
    "currency": _("currency"),
    "custom_role": _("own role"),
    "database_bytes": _("bytes of the database"),
    "detail": _("detail"),
    "domain": _("host name"),
    "done_count": _("done"),
    "email": _("e-mail"),
    "error": _("error"),
    "event_name": _("event of the meter"),
    "expire_date": _("ends at"),
    "expires_at": _("ends at"),
    "file_limit_bytes": _("largest file (bytes)"),
    "finished_at": _("finished at"),
    "found_at": _("found at"),
    "grace_days": _("days of grace"),
    "guest_limit": _("guests at most"),
    "is_active": _("let in"),
    "is_dry": _("only looked"),
    "is_fit": _("fit"),
    "is_forced": _("also for vaults that have chosen otherwise"),
    "is_primary": _("named in mails"),
    "is_staff": _("operator"),
    "is_superuser": _("full operator"),
    "key": _("key"),
    "kind": _("kind"),
    "lane": _("lane"),
    "last_seen_at": _("last seen at"),
    "last_used_at": _("last used at"),
    "lease_until": _("leased until"),
    "leased_by": _("leased by"),
    "limit_bytes": _("room (bytes)"),
    "link_limit": _("links at most"),
    "lost_count": _("lost"),
    "member_limit": _("members at most"),
    "metric": _("metric"),
    "month_price": _("price of a month"),
    "name": _("name"),
    "note": _("note"),
    "object_bytes": _("bytes of objects"),
    "object_count": _("objects"),
    "outcome": _("outcome"),
    "overdue_count": _("overdue"),
    "password_changed_at": _("password changed at"),
    "paused_at": _("paused at"),
    "payload": _("payload"),
    "price_id": _("price at the payment service"),
    "prices": _("prices"),
    "probed_at": _("tested at"),
    "problem": _("problem"),
    "reason": _("reason"),
    "result": _("result"),
    "revoked_at": _("revoked at"),
    "role": _("role"),
    "rules": _("rules"),
    "run": _("run"),
    "run_at": _("not before"),
    "schema_name": _("schema"),
    "schema_version": _("version of the schema"),
    "scopes": _("scopes"),
    "sent_at": _("sent at"),
    "size_bytes": _("size (bytes)"),
    "slug": _("slug"),
    "started_at": _("started at"),
    "state": _("state"),
    "store": _("object store"),
    "swept_at": _("swept at"),
    "target": _("target"),
    "tenant": _("tenant"),
    "tenant_count": _("tenants"),
    "tenant_id": _("tenant"),
    "total_count": _("in all"),
    "trash_days": _("days in the trash"),
    "tries": _("tries"),
    "uncollected_count": _("not collected"),
    "user": _("person"),
    "value": _("value"),
    "version": _("version"),
}

CHOICES = (
    *(gettext_noop("Active"), gettext_noop("Suspended"), gettext_noop("Being deleted"), gettext_noop("Deactivated")),
    *(
        gettext_noop("Owner"),
        gettext_noop("Admin"),
        gettext_noop("Member"),
        gettext_noop("Viewer"),
        gettext_noop("Guest"),
    ),
    *(
        gettext_noop("Queued"),
        gettext_noop("Running"),
        gettext_noop("Done"),
        gettext_noop("Failed"),
        gettext_noop("Canceled"),
    ),
    gettext_noop("Reconcile"),
    gettext_noop("Scrub"),
    gettext_noop("Stopped"),
    gettext_noop("collection"),
    gettext_noop("stopped by a brake"),
    gettext_noop("object that nothing in the database names"),
    gettext_noop("object of a blob that was deleted"),
    gettext_noop("blob whose object is not there"),
    gettext_noop("object of another size than its blob"),
    gettext_noop("unfinished multipart upload of no open attempt"),
    gettext_noop("count of references that differed from the tables"),
    gettext_noop("object whose bytes are not those of its blob"),
    gettext_noop("condemned blob that a file holds"),
    gettext_noop("damaged preview, made anew when it is asked for"),
    gettext_noop("object that was damaged and is whole again"),
)
"""Words of choices, declared in models as plain text, that are translated where they are shown."""


def give_labels() -> None:
    """Name models, columns and choices of all screens."""
    for label, (one, many) in MODELS.items():
        model = apps.get_model(label)
        model._meta.verbose_name, model._meta.verbose_name_plural = one, many  # noqa: SLF001 - Django's public name for it
        for field in model._meta.fields:  # noqa: SLF001 - as above
            if field.name in FIELDS:
                field.verbose_name = FIELDS[field.name]
            if field.choices:
                field.choices = [(value, _(text) if isinstance(text, str) else text) for value, text in field.choices]
