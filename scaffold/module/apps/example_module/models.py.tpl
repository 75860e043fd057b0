"""Tables of the module (in each tenant's schema)."""

from django.db import models

from bitvault.kernel.models import TenantModel


class Version(TenantModel):
    """A version that a person has committed."""

    version_id = models.UUIDField(primary_key=True)
    node_id = models.UUIDField()
    committed_by = models.UUIDField()
    committed_at = models.DateTimeField()

    class Meta:
        db_table = "example_module_version"
        indexes = [
            # What has this person committed, newest first?
            models.Index(fields=["committed_by", "-version_id"], name="example_module_person"),
        ]
