"""Tables of what was: where each node lay and what it contained, from one event up to another; and rewinds, which bring that back."""

from django.db import models

from bitvault.kernel.models import TenantModel


class PlacementState(models.IntegerChoices):
    """What a node was. One that lay in something that was trashed is as it was there."""

    LIVE = 0, "live"
    TRASHED = 1, "trashed"
    PURGED = 2, "purged"


class Placement(TenantModel):
    """What a node was from the event ``from_seq`` up to ``until_seq``: its place, its name, its version; and who made it so.

    The row that has no end is what the node is now, as far as the consumer ``history`` has read.
    """

    pk = models.CompositePrimaryKey("node_id", "from_seq")
    node_id = models.UUIDField()
    from_seq = models.BigIntegerField()
    until_seq = models.BigIntegerField(null=True)
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)
    state = models.SmallIntegerField(choices=PlacementState.choices)
    kind = models.SmallIntegerField()
    parent_id = models.UUIDField(null=True)
    """``NULL`` for a root, and for the top of something in the trash."""
    name = models.TextField()
    sort_key = models.TextField(db_collation="C")
    version_id = models.UUIDField(null=True)
    revision = models.BigIntegerField()
    """The node's at the end: of changes that are not told here, such as a time, it may be higher than at ``from_seq``."""
    changes_content = models.BooleanField()
    """Whether the event that it begins with gave the node its version."""
    changes_place = models.BooleanField()
    """Whether that gave it its place or name."""
    actor_id = models.UUIDField(null=True)
    device_id = models.UUIDField(null=True)
    token_id = models.UUIDField(null=True)
    request_id = models.TextField(default="")
    """The request, or the rewind, that did so."""

    class Meta:
        db_table = "files_placement"
        constraints = [
            # What is this node now?
            models.UniqueConstraint(
                fields=["node_id"], condition=models.Q(until_seq__isnull=True), name="files_placement_present"
            ),
            models.CheckConstraint(
                condition=models.Q(until_seq__isnull=True) | models.Q(until_seq__gt=models.F("from_seq")),
                name="files_placement_times",
            ),
        ]
        indexes = [
            # What lay in this folder, by name, folders first, from here on?
            models.Index(fields=["parent_id", "kind", "sort_key", "node_id"], name="files_placement_in_folder"),
            # What has changed since this number?
            models.Index(fields=["from_seq"], name="files_placement_since"),
            # Which number did the stream have at this time?
            models.Index(fields=["from_at", "from_seq"], name="files_placement_at"),
            # What is past the time for which it is kept?
            models.Index(fields=["until_at"], name="files_placement_past", condition=models.Q(until_seq__isnull=False)),
        ]
