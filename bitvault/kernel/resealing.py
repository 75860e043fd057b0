"""Which columns hold what is sealed, and sealing them anew with the present key: each module names its own in ``sealed.py``.

Nothing can be sealed for a purpose of which no column is named (``sealing.seal`` refuses it), so that a new one cannot be forgotten here.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from django.db import models

from bitvault.kernel import db, sealing

BATCH = 100
"""Rows of one transaction."""


@dataclass(slots=True)
class Counts:
    """What was done to the rows of a column."""

    resealed: int = 0
    current: int = 0
    """Sealed with the present key already: by an earlier run, or since the key was changed."""
    unreadable: int = 0
    """No key that is named opens them; they stay as they are."""

    def add(self, other: "Counts") -> None:
        """Count others as well."""
        self.resealed += other.resealed
        self.current += other.current
        self.unreadable += other.unreadable


@dataclass(frozen=True, slots=True)
class Column:
    """A column of sealed texts; an empty one is none."""

    model: type[models.Model]
    name: str
    purpose: str
    """What its texts are sealed for; one that ends with a point is followed by what differs from row to row."""
    reseal: Callable[["Column"], Iterator[Counts]]
    """The module's own function, which walks its rows; the entered tenant's, where they stand in tenants' schemas."""
    is_history: bool = False
    """Whether what nobody can read any more is a loss of the past alone."""

    @property
    def is_public(self) -> bool:
        """Whether it stands once for the installation."""
        return bool(self.model.plane == "public")  # type: ignore[attr-defined] # every table of ours has one

    def __str__(self) -> str:
        return f"{self.model._meta.db_table}.{self.name}"  # noqa: SLF001 - Django's way to the table of any model


_columns: list[Column] = []


def sealed_column(
    model: type[models.Model], name: str, *, purpose: str, is_history: bool = False
) -> Callable[[Callable[[Column], Iterator[Counts]]], Callable[[Column], Iterator[Counts]]]:
    """Name a column of sealed texts, and the function that seals it anew: mostly ``return walk(column, …)``."""

    def register(reseal: Callable[[Column], Iterator[Counts]]) -> Callable[[Column], Iterator[Counts]]:
        _columns.append(Column(model, name, purpose, reseal, is_history=is_history))
        sealing.allow(purpose)
        return reseal

    return register


def list_columns() -> list[Column]:
    """List the columns of all modules."""
    return sorted(_columns, key=str)


def walk(column: Column, *, differs_by: str = "") -> Iterator[Counts]:
    """Seal the rows of a column anew, batch by batch; gives what was done to each batch. Begun again it passes over what is done.

    :param differs_by: the field whose value is the rest of the purpose.
    """
    last = None
    while True:
        with _transaction(column):
            rows = column.model._default_manager.exclude(**{column.name: ""}).order_by("pk")  # noqa: SLF001 - any model's
            fields = ("pk", column.name, *([differs_by] if differs_by else ()))
            found = list((rows if last is None else rows.filter(pk__gt=last)).values_list(*fields)[:BATCH])
            counts = Counts()
            for key, sealed, *rest in found:
                _reseal(column, key, sealed, column.purpose + "".join(rest), counts)
        if found:
            last = found[-1][0]
            yield counts
        if len(found) < BATCH:
            return


def _reseal(column: Column, key: Any, sealed: str, purpose: str, counts: Counts) -> None:
    if sealing.is_current(sealed, purpose=purpose):
        counts.current += 1
        return
    try:
        fresh = sealing.reseal(sealed, purpose=purpose)
    except sealing.Unreadable:
        counts.unreadable += 1
        return
    # Only if nobody has entered another secret meanwhile: that is sealed with the present key.
    row = column.model._default_manager.filter(pk=key, **{column.name: sealed})  # noqa: SLF001 - any model's
    counts.resealed += row.update(**{column.name: fresh})


def _transaction(column: Column) -> AbstractContextManager[Any]:
    return db.public_transaction() if column.is_public else db.write_transaction()
