"""What the histories of flags and settings share on the operators' screens: who decided, by name."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from bitvault.web import naming


class History(admin.TabularInline):  # type: ignore[type-arg] # generic in the stubs only
    """What was decided before, by whom. Django makes one of these for each request, so names are asked for once."""

    template = "admin/edit_inline/read_only.html"
    verbose_name_plural = _("History")
    ordering = ("-version",)
    extra = 0
    can_delete = False
    of = ""
    """The column that says what it is the history of."""
    _names: Mapping[UUID, str] | None = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description=_("Changed by"))
    def decided_by(self, row: Any) -> str:
        if row.changed_by is None:
            return "manage.py"
        if self._names is None:
            rows = self.model._default_manager.filter(**{self.of: getattr(row, self.of)})  # noqa: SLF001 - Django's way to the manager of any model
            self._names = naming.finder().name_operators(set(rows.values_list("changed_by", flat=True)) - {None})
        return self._names.get(row.changed_by) or _now("somebody who is gone (%(id)s)") % {"id": row.changed_by}
