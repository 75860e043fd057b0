"""The end of a tenant's bytes: everything under its prefix goes, from each store that it was placed in, whatever any table says of it."""

from apps.storage import keys, models, places
from apps.storage.calls import UploadUnknown
from apps.storage.operations import holding
from apps.storage.provider import DELETE_BATCH, ObjectStore, store_of
from bitvault.kernel import db, tenancy


def remove_tenant(limit: int) -> bool:
    """Delete up to ``limit`` objects of the entered tenant; tells whether nothing is left."""
    for store_id in (None, *places.used()):
        deleted = _empty(store_of(store_id), limit)
        if deleted is None:
            return False
        limit -= deleted
    tenant_id = tenancy.current().id
    with db.public_transaction():
        models.StoreFinding.objects.filter(run__tenant_id=tenant_id).delete()
        models.StoreRun.objects.filter(tenant_id=tenant_id).delete()
        models.Sweep.objects.filter(tenant_id=tenant_id).delete()
        models.Move.objects.filter(tenant_id=tenant_id).delete()
        models.Placement.objects.filter(tenant_id=tenant_id).delete()
    places.forget()
    return True


def _empty(objects: ObjectStore, limit: int) -> int | None:
    """Delete what a store has of the entered tenant; returns how many objects that were, ``None`` when something may be left."""
    prefix = keys.tenant_prefix()
    for key, store_upload_id in objects.list_multipart_uploads(prefix):
        try:
            objects.abort_multipart_upload(key=key, store_upload_id=store_upload_id)
        except UploadUnknown:
            continue
    deleted = 0
    while deleted < limit:
        page = objects.list_page(prefix, limit=DELETE_BATCH)
        if not page:
            return None if objects.list_multipart_uploads(prefix) else deleted
        if holding.is_held():  # a backup is being taken, whose snapshot may name these
            return None
        objects.delete_objects([each.key for each in page])
        deleted += len(page)
    return None
