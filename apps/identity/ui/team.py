"""The page where administrators set their vault: its name, language and zone, the rules for sharing, files and earlier versions.

Changes go over REST.
"""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from apps.identity import api
from apps.identity.api import impersonation, tenants
from apps.identity.dtos.tenants import SupportVisit
from apps.identity.ui.settings import SettingsPage
from bitvault.kernel import policies
from bitvault.kernel.actor import Actor
from bitvault.kernel.permissions import Permission

OUTSIDE = (
    ("members", _("All members")),
    ("administrators", _("Owners and administrators")),
    ("nobody", _("Nobody")),
)
SHARE_ON = (
    ("managers", _("Owners, and people who can manage it")),
    ("owners", _("Owners alone; in team folders administrators")),
)
FILE_TYPES = (
    ("all", _("All files")),
    ("except", _("All files except some types")),
    ("only", _("Only some types")),
)
SUPPORT_ACCESS = (
    ("nobody", _("Nobody of support gets in")),
    ("look", _("Support may look, without contents of files")),
    ("open", _("Support may look, and open files")),
)
VISITS_SHOWN = 10
MEGABYTE = 1024**2


class Team(SettingsPage):
    """The vault, for those who administer it."""

    tab = "team"
    permissions = (Permission.MANAGE_SETTINGS,)
    template = "identity/settings_team.html"

    def facts(self, actor: Actor) -> dict[str, Any]:
        """Give what is set."""
        vault = api.get_tenant_settings(actor=actor)
        return {
            "vault": vault,
            "picture_id": vault.logo_id,
            "rules": vault.policies,
            "domains": "\n".join(vault.policies.allowed_domains),
            "languages": settings.LANGUAGES,
            "guest_domains": "\n".join(vault.policies.guest_domains),
            "outside": OUTSIDE,
            "share_on": SHARE_ON,
            "file_types": FILE_TYPES,
            "support_access": SUPPORT_ACCESS,
            "visits": _list_visits(actor),
            "file_extensions": "\n".join(vault.policies.file_extensions),
            "largest_megabytes": _to_megabytes(vault.policies.largest_file_bytes),
            "plan_limit_bytes": policies.current().file_limit_bytes,
            "may_delete": actor.may(Permission.DELETE_VAULT),
            "deletion": api.find_deletion(tenant=actor.tenant),
            "waiting_days": tenants.get_deletion_days(),
        }


def _list_visits(actor: Actor) -> list[SupportVisit] | None:
    """List the last visits of support; ``None``: it is support that looks now."""
    if actor.impersonation is not None:
        return None
    return list(impersonation.list_support_visits(actor=actor, limit=VISITS_SHOWN).items)


def _to_megabytes(size_bytes: int | None) -> str:
    """Write a size for a number field, which takes a dot in every language; empty: no limit."""
    return "" if size_bytes is None else str(size_bytes / MEGABYTE).removesuffix(".0")
