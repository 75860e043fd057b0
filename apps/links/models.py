"""Tables of links (in each tenant's schema)."""

from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class LinkKind(models.TextChoices):
    """What whoever holds a link may do."""

    VIEW = "view"
    DOWNLOAD = "download"


class Link(TenantModel):
    """An address by which strangers reach one node and all below it. A link that was ended stays, so that its end can be taken back."""

    id = id_field()
    node_id = models.UUIDField()
    kind = models.CharField(max_length=8, choices=LinkKind.choices)
    name = models.CharField(max_length=120, blank=True)
    """What the people who share the node call it; visitors are not told."""
    slug = models.CharField(max_length=60, blank=True)
    """The chosen end of the address; empty where it is a token."""
    token_hash = models.BinaryField(max_length=32, unique=True)
    """SHA-256 of the end of the address, token or slug."""
    password_hash = models.CharField(max_length=255, blank=True)
    starts_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    download_limit = models.PositiveIntegerField(null=True)
    download_count = models.PositiveIntegerField(default=0)
    """Pairs of a visitor and a version that were let through."""
    created_by = models.UUIDField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "links_link"
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=LinkKind.values), name="links_link_kind"),
        ]
        indexes = [
            # Which links lead to this node?
            models.Index(fields=["node_id", "created_at"], name="links_link_node"),
            # Which links has this person made, newest first?
            models.Index(fields=["created_by", "-id"], name="links_link_maker"),
        ]


class Action(models.TextChoices):
    """What a visitor did."""

    OPENED = "opened"
    REFUSED = "refused"
    DOWNLOADED = "downloaded"


class Access(TenantModel):
    """Something that a visitor did through a link. Rows go with the link."""

    id = id_field()
    link = models.ForeignKey(Link, on_delete=models.CASCADE, related_name="+", db_index=False)
    action = models.CharField(max_length=10, choices=Action.choices)
    accessed_at = models.DateTimeField()
    node_id = models.UUIDField()
    version_id = models.UUIDField(null=True)
    visitor = models.BinaryField(max_length=16)
    """Tells two visitors of this link apart, and nothing else: a keyed hash of what their browser was given."""
    origin = models.BinaryField(max_length=16)
    """The same of address and program, by which a download is resumed without a cookie."""
    counted = models.BooleanField(default=False)
    """Whether it is one of the link's downloads."""

    class Meta:
        db_table = "links_access"
        constraints = [
            # Has this visitor had this version?
            models.UniqueConstraint(
                fields=["link", "visitor", "version_id"],
                condition=models.Q(counted=True),
                name="links_access_counted_once",
            ),
        ]
        indexes = [
            # What has happened through this link, newest first?
            models.Index(fields=["link", "-id"], name="links_access_newest"),
        ]
