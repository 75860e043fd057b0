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
    EMAIL = "email"
    """An address that is invited, named by its invitation; who accepts that has the permission as a user from then on."""


class RequestState(models.TextChoices):
    """What has become of a request for access: who asked is not told more than that they have asked until somebody answers."""

    ASKED = "asked"
    OPEN = "open"
    GRANTED = "granted"
    DECLINED = "declined"


class AccessRequest(TenantModel):
    """Somebody asks for access to what they have the address of: the last time that they did.

    It stays ``asked`` where there is no such node, so that asking tells nobody whether there is one.
    """

    id = id_field()
    node_id = models.UUIDField()
    user_id = models.UUIDField()
    role = models.CharField(max_length=40)
    message = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=8, choices=RequestState.choices)
    asked_at = models.DateTimeField()
    answered_by = models.UUIDField(null=True)
    answered_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sharing_access_request"
        constraints = [
            # Has this person asked for this node?
            models.UniqueConstraint(fields=["node_id", "user_id"], name="sharing_access_request_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=RequestState.values), name="sharing_access_request_state"
            ),
        ]
        indexes = [
            # What waits for an answer, newest first?
            models.Index(
                fields=["-asked_at", "-id"], name="sharing_access_request_open", condition=models.Q(state="open")
            ),
            # What is to be swept?
            models.Index(fields=["asked_at"], name="sharing_access_request_age"),
        ]


class Permission(TenantModel):
    """What one principal may do with one node, and by inheritance with all below it, until ``expires_at``.

    A row stays while its node lies in the trash, so that a node that comes back is as it was, and goes with its node.
    """

    id = id_field()
    node_id = models.UUIDField()
    principal_kind = models.CharField(max_length=8, choices=PrincipalKind.choices)
    principal_id = models.UUIDField()
    """A user, a group, a link or an invitation; ``EVERYONE_ID`` for everyone in the tenant."""
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


class LeftShare(TenantModel):
    """Somebody does not want what a share gives them: it gives them nothing until they take it back, or it ends."""

    id = id_field()
    user_id = models.UUIDField()
    share = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="lefts")
    left_at = models.DateTimeField()

    class Meta:
        db_table = "sharing_left_share"
        constraints = [
            # Which shares has this person left? Asked by each request.
            models.UniqueConstraint(fields=["user_id", "share"], name="sharing_left_share_once"),
        ]


class Shortcut(TenantModel):
    """What somebody has put into a folder of their own tree to find something of others there. It gives no right, and nobody else sees it.

    It stays when what it leads to is out of reach: then it is broken, until its keeper removes it or has access again.
    """

    id = id_field()
    user_id = models.UUIDField()
    folder_id = models.UUIDField()
    node_id = models.UUIDField()
    """What it leads to."""
    name = models.CharField(max_length=255)
    name_key = models.CharField(max_length=1024)
    created_at = models.DateTimeField()

    class Meta:
        db_table = "sharing_shortcut"
        constraints = [
            # Which shortcuts has this person in this folder, and is the name taken among them?
            models.UniqueConstraint(fields=["user_id", "folder_id", "name_key"], name="sharing_shortcut_name"),
        ]
        indexes = [
            # What goes with a folder that is gone?
            models.Index(fields=["folder_id"], name="sharing_shortcut_folder"),
        ]
