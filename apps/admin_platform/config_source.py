"""Where settings are read from: tables, remembered by this process for 0.8 s as flags are, so that a change holds everywhere at once."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import DatabaseError

from apps.admin_platform import models
from bitvault.kernel import sealing
from bitvault.kernel.config import Setting
from bitvault.kernel.remembered import Remembered

logger = structlog.get_logger(__name__)


def purpose_of(key: str) -> str:
    """Name what a secret is sealed for: one setting's cannot be put under another's."""
    return f"config.{key}"


class TableSource:
    """Reads what operators have decided."""

    def __init__(self) -> None:
        self._remembered: Remembered[bool, Mapping[str, Any]] = Remembered()
        self._last: dict[bool, Mapping[str, Any]] = {}

    def forget(self) -> None:
        """Ask anew: a setting has changed in this process."""
        self._remembered.forget()

    def find(self, setting: Setting[Any]) -> Any | None:
        """Give what was decided; while the database does not answer, what this process knew last.

        Secrets are kept in a column that tenants' roles cannot read: they are asked for outside of tenants' transactions alone.
        """
        found = self._find_all(is_secret=setting.is_secret).get(setting.key)
        if found is None or not setting.is_secret:
            return found
        try:
            return sealing.unseal(found, purpose=purpose_of(setting.key))
        except sealing.Unreadable:
            logger.error("config_secret_unreadable", key=setting.key)  # noqa: TRY400 - where it was read says nothing
            return None

    def _find_all(self, *, is_secret: bool) -> Mapping[str, Any]:
        try:
            found = self._remembered.get(is_secret, lambda: _read(is_secret=is_secret))
        except DatabaseError as error:
            logger.warning("config_not_read", error=type(error).__name__)
            found = self._last.get(is_secret)
        self._last[is_secret] = found or {}
        return self._last[is_secret]


def _read(*, is_secret: bool) -> Mapping[str, Any]:
    column = "sealed" if is_secret else "value"
    rows = models.Config.objects.exclude(sealed="") if is_secret else models.Config.objects.filter(value__isnull=False)
    return dict(rows.values_list("key", column))


SOURCE = TableSource()
