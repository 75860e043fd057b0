"""The table of objects that lie in another store than their rows say: copied there for a move, or left there by one."""

from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class StoreCopy(TenantModel):
    """The same object in another store than that of the blob, or derived object, of this key. Written before its bytes are."""

    id = id_field()
    key = models.TextField(db_collation="C")
    store_id = models.UUIDField(null=True)
    """``NULL``: the installation's own."""
    size_bytes = models.BigIntegerField()
    verified_at = models.DateTimeField(null=True)
    """When its bytes were there and compared; ``NULL``: they are on their way, or it is being deleted."""
    kept_until = models.DateTimeField(null=True)
    """When it is deleted; ``NULL`` while a move is to make use of it."""

    class Meta:
        db_table = "storage_copy"
        constraints = [
            # Is this object in that store, too?
            models.UniqueConstraint(fields=["store_id", "key"], name="storage_copy_once", nulls_distinct=False),
            models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="storage_copy_figures"),
        ]
        indexes = [
            # Which are to be deleted?
            models.Index(fields=["kept_until"], name="storage_copy_due"),
        ]
