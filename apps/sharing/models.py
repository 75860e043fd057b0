"""Tables of sharing (in each tenant's schema)."""

from django.db import models

from bitvault.kernel.capabilities import EVERYTHING
from bitvault.kernel.models import TenantModel, id_field


class PrincipalKind(models.TextChoices):
    """Who can be given a permission."""

    USER = "user"
    GROUP = "group"
    EVERYONE = "everyone"
    LINK = "link"


class Permission(TenantModel):
    """What one principal may do with one node, and by inheritance with all below it, until ``expires_at``.

    A row stays while its node lies in the trash, so that a node that comes back is as it was, and goes with its node.
    """

    id = id_field()
    node_id = models.UUIDField()
    principal_kind = models.CharField(max_length=8, choices=PrincipalKind.choices)
    principal_id = models.UUIDField()
    """A user, a group or a link; ``EVERYONE_ID`` for everyone in the tenant."""
    capabilities = models.SmallIntegerField()
    """Mask of ``kernel.capabilities``."""
    role = models.CharField(max_length=40)
    """The name under which the capabilities were given."""
    expires_at = models.DateTimeField(null=True)
    granted_by = models.UUIDField()
    granted_at = models.DateTimeField()
    message = models.CharField(max_length=500, blank=True, default="", db_default="")
    """What the giver said to the receiver."""

    class Meta:
        db_table = "sharing_permission"
        constraints = [
            # What has this principal on this node? Which permissions has this node?
            models.UniqueConstraint(
                fields=["node_id", "principal_kind", "principal_id"], name="sharing_permission_unique"
            ),
            models.CheckConstraint(
                condition=models.Q(capabilities__gte=1, capabilities__lte=EVERYTHING),
                name="sharing_permission_capabilities",
            ),
            models.CheckConstraint(
                condition=models.Q(principal_kind__in=PrincipalKind.values), name="sharing_permission_kind"
            ),
        ]
        indexes = [
            # What may this principal reach? What was shared with it, newest first?
            models.Index(fields=["principal_id", "-granted_at", "-id"], name="sharing_permission_principal"),
            # What has this person shared, newest first?
            models.Index(fields=["granted_by", "-granted_at", "-id"], name="sharing_permission_giver"),
            # What ends next?
            models.Index(
                fields=["expires_at", "id"],
                name="sharing_permission_ending",
                condition=models.Q(expires_at__isnull=False),
            ),
        ]
