"""What every table derives from: the plane it lives in, and a stamp that keeps a tenant's rows at home."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models.base import ModelBase

from bitvault.kernel import ids, tenancy

Row = TypeVar("Row", bound=models.Model)


class PublicModel(models.Model):
    """A table of the ``public`` schema, shared by the installation."""

    plane: ClassVar[str] = "public"

    class Meta:
        abstract = True


class TenantQuerySet(models.QuerySet[Row]):
    """A question that stays with the tenant for whom it was put, however late it is asked.

    Django asks when the rows are first needed. By then the code may work for somebody else, whose schema has a table of the same name.
    """

    _schema: str | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tenant = tenancy.find_current()
        self._schema = tenant.schema if tenant else None

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc] # the stubs leave it out
        clone._schema = self._schema or clone._schema
        return clone

    @property
    def db(self) -> str:
        """Name the connection to ask on: every question of a queryset comes past here.

        :raises TenantMismatch: it was put for another tenant.
        """
        if self._schema is not None and self._schema != tenancy.current().schema:
            raise tenancy.TenantMismatch(f"a question for another tenant's {self.model.__name__} rows came here")
        return super().db


class TenantModel(models.Model):
    """A table that stands once in each tenant's schema.

    An instance remembers which schema it was read from and refuses to be written into another one; so does a queryset.
    """

    objects = models.Manager.from_queryset(TenantQuerySet)()
    plane: ClassVar[str] = "tenant"
    append_only: ClassVar[bool] = False
    """The tenant's role may add rows and read them, and never change or delete one."""
    _schema: str | None = None

    class Meta:
        abstract = True

    @classmethod
    def from_db(  # type: ignore[override] # the stubs describe a later Django, which passes one thing more
        cls, db: str | None, field_names: Collection[str], values: Sequence[Any]
    ) -> Self:
        """Build an instance from a row and stamp it with the schema that it came from."""
        instance = super().from_db(db, field_names, values)
        instance._schema = tenancy.current().schema  # noqa: SLF001 - the stamp is this class's own
        return instance

    def save(
        self,
        *,
        force_insert: bool | tuple[ModelBase, ...] = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Write the row into the schema that it belongs to.

        :raises TenantMismatch: it was read from another tenant's.
        """
        self._require_home()
        super().save(force_insert=force_insert, force_update=force_update, using=using, update_fields=update_fields)

    def delete(self, using: str | None = None, keep_parents: bool = False) -> tuple[int, dict[str, int]]:  # noqa: FBT001, FBT002 - Django's signature
        """Delete the row from the schema that it belongs to.

        :raises TenantMismatch: it was read from another tenant's.
        """
        self._require_home()
        return super().delete(using=using, keep_parents=keep_parents)

    def refresh_from_db(self, *args: Any, **kwargs: Any) -> None:
        """Read the row again from the schema that it belongs to.

        :raises TenantMismatch: it was read from another tenant's.
        """
        self._require_home()
        super().refresh_from_db(*args, **kwargs)

    def _require_home(self) -> None:
        present = tenancy.current().schema
        if self._schema is not None and self._schema != present:
            raise tenancy.TenantMismatch(f"a row of another tenant's {self._meta.db_table} came here")
        self._schema = present


def id_field() -> "models.UUIDField[Any, Any]":
    """Declare the primary key that every table has unless its facts give a better one: a UUIDv7 made here."""
    return models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
