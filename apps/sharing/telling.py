"""How events name who a share is given to."""

from typing import Any

from apps.sharing.models import Permission, PrincipalKind


def name_principal(row: Permission) -> dict[str, Any]:
    """Give the fields of an event that say whose a permission is; everyone in the tenant has no id there."""
    kind = PrincipalKind(row.principal_kind)
    return {
        "principal_kind": kind.value,
        "principal_id": None if kind is PrincipalKind.EVERYONE else row.principal_id,
    }
