"""Where a tenant's new bytes go, and what it has in which store."""

from uuid import UUID

from django.db.models import Count, Q, Sum

from apps.storage import dtos, keys, places, provider
from apps.storage.errors import MoveUnderWay, StoreNotFound, StoreUnfit
from apps.storage.models import (
    Archive,
    Blob,
    BlobState,
    DerivedObject,
    Move,
    Placement,
    Provider,
    Store,
    StoreCopy,
    Upload,
    UploadState,
)
from bitvault.events.api import publish
from bitvault.events.catalog.storage import TenantPlaced
from bitvault.kernel import clock, db, tenancy

_OPEN = (UploadState.STARTED, UploadState.COMPLETING)


def place(store_id: UUID | None, *, by: UUID | None) -> None:
    """Have new bytes of the entered tenant kept in a store; ``None`` is the installation's own. What it has stays where it is.

    :raises StoreNotFound: there is none of this id.
    :raises StoreUnfit: it was not tested, or lacks something.
    :raises MoveUnderWay: the tenant is being moved.
    """
    with db.public_transaction():
        if store_id is not None:
            require_fit(store_id)
        if Move.objects.filter(tenant_id=tenancy.current().id, finished_at__isnull=True).exists():
            raise MoveUnderWay
        place_within(store_id, by=by)
    places.forget()


def place_within(store_id: UUID | None, *, by: UUID | None) -> None:
    """Place the entered tenant, in the open transaction."""
    tenant_id = tenancy.current().id
    name = "" if store_id is None else Store.objects.values_list("name", flat=True).get(id=store_id)
    rows = Placement.objects.select_for_update().filter(tenant_id=tenant_id)
    before = next((row.store_id for row in rows if row.is_current), None)
    if before == store_id:
        return
    rows.filter(is_current=True).update(is_current=False)
    if store_id is not None:
        Placement.objects.update_or_create(
            tenant_id=tenant_id,
            store_id=store_id,
            defaults={"is_current": True},
            create_defaults={"is_current": True, "placed_at": clock.now()},
        )
    publish(TenantPlaced(actor_id=by, store_id=store_id, store=name))


def require_fit(store_id: UUID) -> str:
    """Require that a store can be used, and hold its row; returns its name.

    :raises StoreNotFound: there is none of this id.
    :raises StoreUnfit: it was not tested, or lacks something.
    """
    # Held: it is not deleted, and leads to no other place, while somebody comes to live there.
    row = Store.objects.select_for_update(no_key=True).filter(id=store_id).first()
    if row is None:
        raise StoreNotFound
    if not Provider.objects.filter(store_id=store_id, is_fit=True).exists():
        raise StoreUnfit
    return row.name


def end_if_empty(store_id: UUID) -> bool:
    """End the placement of the entered tenant in a store that takes nothing new, once nothing is there; tells whether."""
    tenant_id = tenancy.current().id
    if places.current() == store_id or provider.store_of(store_id).list_page(keys.tenant_prefix(), limit=1):
        return False
    with db.read_transaction():
        named = (Blob.objects.exclude(state=BlobState.GONE), DerivedObject.objects, Archive.objects, StoreCopy.objects)
        open_ones = Upload.objects.filter(swept_at__isnull=True)
        if any(rows.filter(store_id=store_id).exists() for rows in (*named, open_ones)):
            return False
    with db.public_transaction():
        if Move.objects.filter(tenant_id=tenant_id, store_id=store_id, finished_at__isnull=True).exists():
            return False
        ended = Placement.objects.filter(tenant_id=tenant_id, store_id=store_id, is_current=False).delete()[0]
    places.forget()
    return bool(ended)


def forget_all() -> None:
    """Place all tenants in the installation's own store."""
    with db.public_transaction():
        Move.objects.all().delete()
        Placement.objects.all().delete()
    places.forget()


def list_stores() -> list[dtos.StoreFacts]:
    """Describe the installation's own store, and the others by name."""
    fit = dict(Provider.objects.values_list("name", "is_fit"))
    fit_of_placed = dict(Provider.objects.filter(store__isnull=False).values_list("store_id", "is_fit"))
    own = provider.store()
    found = [dtos.StoreFacts(None, "", f"{own.public_endpoint_url}/{own.bucket}", fit.get(own.name), own.name)]
    for place in places.list_all():
        there = f"{place.endpoint_url}/{place.bucket}/{place.prefix}".rstrip("/")
        public = f"{place.origins[0]}/{'' if place.addressing == 'virtual' else place.bucket}".rstrip("/")
        found.append(dtos.StoreFacts(place.id, place.name, public, fit_of_placed.get(place.id), there))
    return found


def list_holdings(stores: list[dtos.StoreFacts]) -> list[dtos.Holding]:
    """Tell what the entered tenant has in which of these stores: the current one first, and those that have nothing are left out."""
    current = places.current()
    with db.read_transaction():
        blobs = Blob.objects.exclude(state=BlobState.GONE).values("store_id")
        counted = blobs.annotate(count=Count("id"), size=Sum("size_bytes"))
        held = {row["store_id"]: (row["count"], int(row["size"] or 0)) for row in counted}
        uploads = Upload.objects.filter(Q(state__in=_OPEN), swept_at__isnull=True).values("store_id")
        in_flight = dict(uploads.annotate(count=Count("id")).values_list("store_id", "count"))
    found = [
        dtos.Holding(
            store=store,
            is_current=store.id == current,
            object_count=held.get(store.id, (0, 0))[0],
            size_bytes=held.get(store.id, (0, 0))[1],
            in_flight_count=in_flight.get(store.id, 0),
        )
        for store in stores
    ]
    found = [one for one in found if one.is_current or one.object_count or one.in_flight_count]
    return sorted(found, key=lambda one: not one.is_current)
