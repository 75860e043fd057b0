"""What is known of previews (in each tenant's schema); their bytes are Storage's."""

from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class PreviewState(models.TextChoices):
    """How it stands with a preview."""

    MAKING = "making"
    READY = "ready"
    FAILED = "failed"


class Preview(TenantModel):
    """A part of a content of which a preview was asked for: ``picture``, ``page-<n>`` or ``text``. Once for all files with that content."""

    id = id_field()
    content_hash = models.CharField(max_length=64)
    part = models.CharField(max_length=16)
    blob_id = models.UUIDField()
    """The blob that it was made of; when that is deleted, this row goes."""
    state = models.CharField(max_length=16, choices=PreviewState.choices, default=PreviewState.MAKING)
    reason = models.CharField(max_length=16, default="", blank=True)
    """Why there is none."""
    page_count = models.IntegerField(null=True)
    asked_at = models.DateTimeField()

    class Meta:
        db_table = "previews_preview"
        constraints = [
            # How does it stand with this part of this content?
            models.UniqueConstraint(fields=["content_hash", "part"], name="previews_preview_unique"),
            models.CheckConstraint(condition=models.Q(state__in=PreviewState.values), name="previews_preview_state"),
        ]
        indexes = [
            # What was made of these blobs?
            models.Index(fields=["blob_id"], name="previews_preview_of_blob"),
        ]
