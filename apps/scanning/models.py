"""Tables of scanning (in each tenant's schema)."""

from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class ContentState(models.TextChoices):
    """How it stands with a content; the same words as everywhere (``kernel.scanning``)."""

    SCANNING = "scanning"
    CLEAN = "clean"
    INFECTED = "infected"
    UNSCANNED = "unscanned"
    RELEASED = "released"


class Content(TenantModel):
    """A content of the tenant that was scanned, or is to be; once, however many files have it."""

    id = id_field()
    content_hash = models.CharField(max_length=64, unique=True)
    blob_id = models.UUIDField()
    """A blob with this content; when its bytes are deleted, this row goes."""
    size_bytes = models.BigIntegerField()
    state = models.CharField(max_length=12, choices=ContentState.choices, default=ContentState.SCANNING)
    reason = models.CharField(max_length=16, default="", blank=True)
    """Why it has no verdict: ``outage``, ``too_large``, ``failed``, ``damaged``."""
    try_count = models.IntegerField(default=0)
    """How often the scanner has answered without a verdict."""
    due_at = models.DateTimeField(null=True)
    """When the backlog comes to it; ``NULL``: never."""
    created_at = models.DateTimeField()
    scanned_at = models.DateTimeField(null=True)
    signature = models.CharField(max_length=200, default="", blank=True)
    """What was found; stays when it is released."""
    node_id = models.UUIDField(null=True)
    name = models.TextField(default="", blank=True)
    sender_id = models.UUIDField(null=True)
    """A file that has the content, as it was called, and who brought it: written when something is found."""
    released_at = models.DateTimeField(null=True)
    released_by = models.UUIDField(null=True)
    release_reason = models.CharField(max_length=500, default="", blank=True)

    class Meta:
        db_table = "scanning_content"
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ContentState.values), name="scanning_content_state"),
        ]
        indexes = [
            # What is to be scanned next?
            models.Index(fields=["due_at"], name="scanning_content_due", condition=models.Q(due_at__isnull=False)),
            # What is in quarantine, the latest first?
            models.Index(
                fields=["-scanned_at", "-id"],
                name="scanning_content_quarantine",
                condition=models.Q(state__in=[ContentState.INFECTED, ContentState.RELEASED]),
            ),
            # What is known of this blob?
            models.Index(fields=["blob_id"], name="scanning_content_blob"),
        ]


class Rule(TenantModel):
    """How the tenant has its content scanned: one row, or none for the default."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    mode = models.CharField(max_length=8, choices=[("off", "off"), ("scan", "scan"), ("require", "require")])
    unscanned = models.CharField(max_length=8, choices=[("allow", "allow"), ("block", "block")])

    class Meta:
        db_table = "scanning_rule"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="scanning_rule_is_one"),
        ]
