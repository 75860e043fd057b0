"""Where tenants' bytes are: the one answer to which store a tenant's new bytes go to, and how a store is reached that a row names.

Both are read in one query and remembered for 0.8 s, as flags and settings are. Nothing that is right depends on that being fresh: each
attempt, blob and archive names its store itself, so what begins in the old place in the last moment ends there, and is found there.

The query runs outside of transactions: secrets are in a table that no tenant's role reads. Within one, what was last read counts.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

import structlog
from django.db import DatabaseError

from apps.storage.errors import StoreUnavailable
from apps.storage.models_of_stores import Placement, Store
from bitvault.kernel import db, sealing, tenancy
from bitvault.kernel.remembered import Remembered

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

PURPOSE = "storage.store"
"""What secrets of stores are sealed for."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """How a store is reached: a row of ``Store``, its secret still sealed."""

    id: UUID
    name: str
    endpoint_url: str
    public_endpoint_url: str
    download_endpoint_url: str
    region: str
    bucket: str
    prefix: str
    addressing: str
    encryption: str
    kms_key: str
    storage_class: str
    access_key_id: str
    sealed_secret: str

    @classmethod
    def of(cls, row: Store) -> "Place":
        """Take it from a row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})

    @property
    def origins(self) -> tuple[str, ...]:
        """The addresses at which pages ask it."""
        public = self.public_endpoint_url or self.endpoint_url
        found = dict.fromkeys(_origin_of(url, self) for url in (public, self.download_endpoint_url or public))
        return tuple(found)


class _Known(Generic[K, V]):
    """What was read from the tables, remembered; where it cannot be read now, what was read last."""

    def __init__(self, read: Callable[[K], V]) -> None:
        self._read = read
        self._remembered: Remembered[K, V] = Remembered()
        self._last: dict[K, V] = {}

    def get(self, key: K) -> V:
        """Give it at most 0.8 s old, or, within a transaction and while the database does not answer, as it was read last."""
        if db.find_open() is not None and key in self._last:
            return self._last[key]
        db.forbid_transaction("a first look at the object stores")
        try:
            found = self._remembered.get(key, lambda: self._read(key))
        except DatabaseError as error:
            logger.warning("stores_not_read", error=type(error).__name__)
            if key not in self._last:
                raise
            return self._last[key]
        if found is not None:
            self._last[key] = found
        return self._last[key]

    def forget(self) -> None:
        """Read anew."""
        self._remembered.forget()


def _read_stores(_: None) -> dict[UUID, Place]:
    return {row.id: Place.of(row) for row in Store.objects.order_by("name")}


def _read_placements(tenant_id: UUID) -> tuple[tuple[UUID, bool], ...]:
    found = Placement.objects.filter(tenant_id=tenant_id).order_by("placed_at", "id")
    return tuple(found.values_list("store_id", "is_current"))


_stores = _Known(_read_stores)
_placements = _Known(_read_placements)


def _placed(tenant_id: UUID) -> tuple[tuple[UUID, bool], ...]:
    """Tell the stores of a tenant and whether each takes new bytes; where there is no store, nobody is asked for."""
    return _placements.get(tenant_id) if _stores.get(None) else ()


def current() -> UUID | None:
    """Tell which store the entered tenant's new bytes go to; ``None`` is the installation's own."""
    return next((store_id for store_id, is_current in _placed(tenancy.current().id) if is_current), None)


def used() -> tuple[UUID, ...]:
    """Tell in which stores beside the installation's own the entered tenant has bytes, or may have."""
    return tuple(store_id for store_id, _ in _placed(tenancy.current().id))


def list_of_tenant(tenant_id: UUID) -> list[Place]:
    """Describe the stores in which a tenant has bytes, or may have, beside the installation's own."""
    known = _stores.get(None)
    return [known[store_id] for store_id, _ in _placed(tenant_id) if store_id in known]


def find_origins(tenant_id: UUID) -> tuple[str, ...]:
    """Tell the addresses at which a tenant's pages ask other stores than the installation's own; none while nobody can tell."""
    try:
        return tuple(dict.fromkeys(origin for place in list_of_tenant(tenant_id) for origin in place.origins))
    except DatabaseError:
        return ()


def list_all() -> list[Place]:
    """Describe all stores beside the installation's own, by name."""
    return list(_stores.get(None).values())


def get(store_id: UUID) -> Place:
    """Describe a store.

    :raises StoreUnavailable: there is none with this id.
    """
    found = _stores.get(None).get(store_id)
    if found is None and db.find_open() is None:
        forget()  # it may have been made by another process a moment ago
        found = _stores.get(None).get(store_id)
    if found is None:
        logger.error("store_unknown", store_id=str(store_id))
        raise StoreUnavailable("The object store that holds these bytes is not configured here.")
    return found


def unseal(place: Place) -> str:
    """Read a store's secret.

    :raises StoreUnavailable: it was sealed with a key that is not here.
    """
    try:
        return sealing.unseal(place.sealed_secret, purpose=PURPOSE)
    except sealing.Unreadable as error:
        logger.error("store_secret_unreadable", store=place.name)  # noqa: TRY400 - where it was read says nothing
        raise StoreUnavailable("The secret of this object store cannot be read.") from error


def forget() -> None:
    """Read anew: something has changed in this process."""
    _stores.forget()
    _placements.forget()


def _origin_of(url: str, place: Place) -> str:
    scheme, _, rest = url.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{place.bucket}.{host}" if place.addressing == "virtual" else f"{scheme}://{host}"
