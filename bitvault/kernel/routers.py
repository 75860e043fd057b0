"""Which migration runs in which schema: each table in its own plane, public or tenant, and nowhere else."""

from typing import Any

from django.apps import apps
from django.db import connections

from bitvault.kernel.tenancy import PUBLIC_SCHEMA


class PlaneRouter:
    """Let one app own tables in both planes: a model's ``plane`` decides, for raw SQL the operation's hint ``plane``."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **hints: Any) -> bool:
        """Tell whether an operation belongs to the schema that is being migrated."""
        present = "public" if connections[db].schema_name == PUBLIC_SCHEMA else "tenant"  # type: ignore[attr-defined]
        return self._plane_of(app_label, model_name, hints) == present

    def _plane_of(self, app_label: str, model_name: str | None, hints: dict[str, Any]) -> str:
        if "plane" in hints:
            return str(hints["plane"])
        if model_name is None:
            return "public"
        try:
            model = apps.get_model(app_label, model_name)
        except LookupError:
            gone = getattr(apps.get_app_config(app_label), "former_tenant_models", ())
            return "tenant" if model_name.lower() in gone else "public"
        return str(getattr(model, "plane", "public"))
