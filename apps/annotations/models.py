"""Tables of annotations (in each tenant's schema). A row stays while its node lies in the trash, and goes with its node."""

from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class Favourite(TenantModel):
    """A node that somebody wants at hand."""

    id = id_field()
    user_id = models.UUIDField()
    node_id = models.UUIDField()
    marked_at = models.DateTimeField()

    class Meta:
        db_table = "annotations_favourite"
        constraints = [
            # Which of these nodes are this person's favourites?
            models.UniqueConstraint(fields=["user_id", "node_id"], name="annotations_favourite_unique"),
        ]
        indexes = [
            # What are this person's favourites, newest first?
            models.Index(fields=["user_id", "-id"], name="annotations_favourite_newest"),
            # What is to be forgotten with a node?
            models.Index(fields=["node_id"], name="annotations_favourite_node"),
        ]


class Recent(TenantModel):
    """A file that somebody had to do with, as of the last time."""

    id = id_field()
    user_id = models.UUIDField()
    node_id = models.UUIDField()
    what = models.CharField(max_length=8)
    """``added``, ``changed``, ``renamed`` or ``opened``."""
    last_seq = models.BigIntegerField()
    last_at = models.DateTimeField()

    class Meta:
        db_table = "annotations_recent"
        constraints = [
            models.UniqueConstraint(fields=["user_id", "node_id"], name="annotations_recent_unique"),
        ]
        indexes = [
            # What had this person to do with last?
            models.Index(fields=["user_id", "-last_seq", "-id"], name="annotations_recent_latest"),
            # What is to be forgotten with a node?
            models.Index(fields=["node_id"], name="annotations_recent_node"),
        ]
