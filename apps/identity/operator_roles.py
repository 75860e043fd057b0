"""Roles of operators: groups of Django's with the permissions that their pages name. Full operators are Django's superusers."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group, Permission
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

_FIGURES = (
    "identity.view_installation",
    "identity.view_tenant",
    "identity.view_domain",
    "storage.view_placement",
    "storage.view_provider",
    "storage.view_store",
    "storage.view_storefinding",
    "storage.view_storerun",
    "storage.view_sweep",
    "events.view_deadletter",
    "events.view_pausedconsumer",
    "jobs.view_job",
    "jobs.view_pausedkind",
    "backup.view_backuprun",
)
_PEOPLE = ("identity.view_user", "identity.view_membership", "identity.view_session", "identity.view_apitoken")
_PLANS = ("billing.view_plan", "billing.view_planversion")


@dataclass(frozen=True, slots=True)
class OperatorRole:
    """What operators of a kind may do."""

    name: str
    """The group's name in the database."""
    label: "StrPromise"
    description: "StrPromise"
    permissions: tuple[str, ...]


ROLES = (
    OperatorRole(
        "support",
        _("Support"),
        _(
            "Looks at tenants, also as one of their members, at people, jobs and the stream; suspends tenants and lets them in again."
        ),
        (*_FIGURES, *_PEOPLE, "identity.suspend_tenant", "identity.impersonate"),
    ),
    OperatorRole(
        "billing",
        _("Billing"),
        _("Edits plans, gives them to tenants, and reads statements."),
        ("identity.view_tenant", *_PLANS, "billing.add_plan", "billing.change_plan"),
    ),
    OperatorRole(
        "read_only",
        _("Read only"),
        _("Sees figures, plans, flags, settings and the journal, no people, and changes nothing."),
        (
            *_FIGURES,
            *_PLANS,
            "admin_platform.view_flag",
            "admin_platform.view_flagversion",
            "admin_platform.view_config",
            "admin_platform.view_configversion",
            "admin.view_logentry",
        ),
    ),
)


def find_role(name: str) -> OperatorRole | None:
    """Find a role by its group's name."""
    return next((role for role in ROLES if role.name == name), None)


def ensure_groups() -> None:
    """Make the groups as the catalogue has them, as the database's owner after migrating; groups that others made stay."""
    known = {
        f"{label}.{codename}": pk
        for pk, label, codename in Permission.objects.values_list("pk", "content_type__app_label", "codename")
    }
    for role in ROLES:
        group, _made = Group.objects.get_or_create(name=role.name)
        group.permissions.set([known[name] for name in role.permissions])
