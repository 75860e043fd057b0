"""The end of a tenant's bytes: everything under its prefix goes, whatever any table says of it."""

from apps.storage import keys, models
from apps.storage.calls import UploadUnknown
from apps.storage.operations import holding
from apps.storage.provider import DELETE_BATCH, store
from bitvault.kernel import db, tenancy


def remove_tenant(limit: int) -> bool:
    """Delete up to ``limit`` objects of the entered tenant; tells whether nothing is left."""
    prefix = keys.tenant_prefix()
    objects = store()
    for key, store_upload_id in objects.list_multipart_uploads(prefix):
        try:
            objects.abort_multipart_upload(key=key, store_upload_id=store_upload_id)
        except UploadUnknown:
            continue
    deleted = 0
    while deleted < limit:
        page = objects.list_page(prefix, limit=DELETE_BATCH)
        if not page:
            break
        if holding.is_held():  # a backup is being taken, whose snapshot may name these
            return False
        objects.delete_objects([each.key for each in page])
        deleted += len(page)
    else:
        return False
    if objects.list_multipart_uploads(prefix):
        return False
    tenant_id = tenancy.current().id
    with db.public_transaction():
        models.StoreFinding.objects.filter(run__tenant_id=tenant_id).delete()
        models.StoreRun.objects.filter(tenant_id=tenant_id).delete()
        models.Sweep.objects.filter(tenant_id=tenant_id).delete()
    return True
