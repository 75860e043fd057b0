"""The table of pictures of people and of logos (schema ``public``)."""

from django.db import models

from bitvault.kernel.models import PublicModel, id_field


class Picture(PublicModel):
    """A picture of somebody in a tenant, or the tenant's logo (no membership): what was drawn of an upload, in two sizes of some KB.

    It is never changed: another one has another id, so that browsers may keep what they have.
    """

    id = id_field()
    tenant = models.ForeignKey("identity.Tenant", on_delete=models.CASCADE)
    membership = models.ForeignKey("identity.Membership", null=True, on_delete=models.CASCADE)
    small = models.BinaryField()
    """WebP."""
    large = models.BinaryField()
    """WebP."""
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True)
    """Since when it is shown nowhere: whoever removed it can have it back for a day."""

    class Meta:
        db_table = "identity_picture"
        constraints = [
            # Which picture has this person here?
            models.UniqueConstraint(
                fields=["membership"],
                condition=models.Q(removed_at__isnull=True),
                name="identity_picture_of_person",
            ),
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(membership__isnull=True, removed_at__isnull=True),
                name="identity_picture_logo",
            ),
        ]
        indexes = [
            # What is to be swept?
            models.Index(
                fields=["removed_at"], condition=models.Q(removed_at__isnull=False), name="identity_picture_removed"
            ),
        ]
