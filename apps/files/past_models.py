"""Tables of what was: where each node lay and what it contained, from one event up to another; and rewinds, which bring that back."""

from django.db import models

from bitvault.kernel.models import TenantModel, id_field


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


class RewindAction(models.IntegerChoices):
    """What a rewind wants of a node; a move and another content go together, so these are bits."""

    MOVE = 1, "move"
    RESTORE = 2, "restore"
    TRASH = 4, "trash"
    CONTENT = 8, "content"


class RewindOutcome(models.IntegerChoices):
    """What became of an item of a rewind."""

    PENDING = 0, "pending"
    DONE = 1, "done"
    KEPT = 2, "kept"


class Rewind(TenantModel):
    """A rewind: of what, by whom, and what it has come to. Its items are written down before anything changes."""

    id = id_field()
    folder_id = models.UUIDField(null=True)
    """Of which folder; ``NULL`` of all that the requester may manage."""
    undoes_id = models.UUIDField(null=True)
    """The rewind that this one takes back."""
    since_seq = models.BigIntegerField()
    since_at = models.DateTimeField()
    until_seq = models.BigIntegerField()
    until_at = models.DateTimeField()
    by_kind = models.CharField(max_length=8, default="")
    """Whose doings alone are undone: ``user``, ``device``, ``token``, ``rewind``; empty for everybody's."""
    by_id = models.UUIDField(null=True)
    requested_by = models.UUIDField()
    planned_seq = models.BigIntegerField()
    """The number of the stream that the plan was made at: what changed later is kept."""
    hidden_count = models.IntegerField(default=0)
    """Nodes that were changed as well where the requester may not look."""
    size_bytes = models.BigIntegerField(default=0)
    """What the versions take that come back."""
    charge_id = models.UUIDField(null=True)
    """The promise of room under which the last batch was carried out, and what its versions took (``charge_bytes``): settled again by a
    try that follows one that died in between."""
    charge_bytes = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    begun_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "files_rewind"
        indexes = [
            # Which rewinds has somebody asked for, newest first?
            models.Index(fields=["requested_by", "-id"], name="files_rewind_of_person"),
            # Which one takes this one back?
            models.Index(fields=["undoes_id"], name="files_rewind_undoes", condition=models.Q(undoes_id__isnull=False)),
        ]


class RewindItem(TenantModel):
    """What a rewind does to one node."""

    pk = models.CompositePrimaryKey("rewind_id", "position")
    rewind_id = models.UUIDField()
    position = models.IntegerField()
    node_id = models.UUIDField()
    kind = models.SmallIntegerField()
    actions = models.SmallIntegerField()
    """A sum of ``RewindAction``."""
    path = models.TextField()
    """Where it lay then, or what is new lies now, from the folder on; empty where the requester may not look."""
    name = models.TextField()
    """What it is called now."""
    parent_id = models.UUIDField(null=True)
    """What it lies in now."""
    to_parent_id = models.UUIDField(null=True)
    to_name = models.TextField(default="")
    to_version_id = models.UUIDField(null=True)
    size_bytes = models.BigIntegerField(default=0)
    revision = models.BigIntegerField()
    """The node's when this was planned: with another one somebody has changed it since, and it is kept."""
    outcome = models.SmallIntegerField(choices=RewindOutcome.choices, default=RewindOutcome.PENDING)
    reason = models.TextField(default="")
    """Why it, or a part of it, is kept as it is."""

    class Meta:
        db_table = "files_rewind_item"
        indexes = [
            # What is left to do, in order?
            models.Index(
                fields=["rewind_id", "position"], name="files_rewind_item_left", condition=models.Q(outcome=0)
            ),
            # What does this rewind do to this node?
            models.Index(fields=["rewind_id", "node_id"], name="files_rewind_item_node"),
            # What is kept, and why?
            models.Index(
                fields=["rewind_id", "position"], name="files_rewind_item_kept", condition=models.Q(outcome=2)
            ),
        ]
