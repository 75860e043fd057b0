"""What somebody may do in a tenant besides working with files: the catalogue of permissions that roles are made of."""

from collections.abc import Iterable
from enum import StrEnum


class Permission(StrEnum):
    """One thing that a role allows in a tenant. The values are stored: they never change their meaning."""

    INVITE_MEMBERS = "invite_members"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_ROLES = "manage_roles"
    MANAGE_GROUPS = "manage_groups"
    MANAGE_TEAM_FOLDERS = "manage_team_folders"
    MANAGE_TAGS = "manage_tags"
    MANAGE_RETENTION = "manage_retention"
    MANAGE_METADATA = "manage_metadata"
    SHARE_OUTSIDE = "share_outside"
    MAKE_LINKS = "make_links"
    SEE_AUDIT = "see_audit"
    MANAGE_BILLING = "manage_billing"
    MANAGE_WEBHOOKS = "manage_webhooks"
    MANAGE_SETTINGS = "manage_settings"
    DELETE_VAULT = "delete_vault"


OWNERS_ALONE = frozenset({Permission.DELETE_VAULT})
"""What no role of a tenant's own has, and administrators have not."""

CHOOSABLE = tuple(permission for permission in Permission if permission not in OWNERS_ALONE)
"""What a tenant puts into roles of its own, in the order in which pages show it."""

NO_PERMISSIONS: frozenset[Permission] = frozenset()
OF_OWNERS = frozenset(Permission)
OF_ADMINISTRATORS = OF_OWNERS - OWNERS_ALONE
OF_MEMBERS = frozenset({Permission.SHARE_OUTSIDE, Permission.MAKE_LINKS})

ADMINISTRATION = frozenset(CHOOSABLE) - OF_MEMBERS
"""What concerns others and the tenant: it makes somebody an administrator of a kind."""

SEEING_MEMBERS = (Permission.MANAGE_MEMBERS, Permission.INVITE_MEMBERS, Permission.MANAGE_GROUPS)
"""Any of these lets somebody see who is in the tenant."""

_known = {permission.value: permission for permission in Permission}


def read_permissions(stored: Iterable[str]) -> frozenset[Permission]:
    """Give stored permissions; one that only a newer release knows allows nothing here."""
    return frozenset(_known[value] for value in stored if value in _known)
