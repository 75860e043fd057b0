"""Tables of sync (in each tenant's schema): a replica of the tree fed by events alone, its journal, and the devices that follow it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from bitvault.kernel.models import TenantModel, id_field


class NodeState(TenantModel):
    """What a device is told of a node."""

    # No index of its own here: each table has another key.
    node_id = models.UUIDField()
    parent_id = models.UUIDField(null=True)
    is_folder = models.BooleanField()
    name = models.TextField()
    revision = models.BigIntegerField()
    size_bytes = models.BigIntegerField(null=True)
    media_type = models.TextField(null=True)  # noqa: DJ001 - a folder has none, which is not an empty one
    content_hash = models.TextField(null=True)  # noqa: DJ001 - the same
    version_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()
    client_modified_at = models.DateTimeField(null=True)
    created_by = models.UUIDField(null=True)
    lock = models.JSONField(null=True)
    """Who alone may change it, and until when, as ``dtos.SyncedLock``; one that has expired is told to nobody."""

    class Meta:
        abstract = True


class Node(NodeState):
    """A node as the events have told of it so far. One in the trash has no parent, and all below it hangs on as it was."""

    node_id = models.UUIDField(primary_key=True)
    is_trashed = models.BooleanField()

    class Meta:
        db_table = "sync_node"
        indexes = [
            # What lies in this folder (snapshots, and what comes back from the trash)?
            models.Index(fields=["parent_id"], name="sync_node_parent"),
        ]


class RebuiltNode(NodeState):
    """A row of a replica that is being rebuilt beside the live one."""

    node_id = models.UUIDField(primary_key=True)
    is_trashed = models.BooleanField()

    class Meta:
        db_table = "sync_rebuilt_node"


class ChangeJournal(TenantModel):
    """A node is not as it was, since the event ``seq``. What it is now stands in the replica: entries say where to look, not what to see.

    Each event has a row for the root, and one for each shared node that its node is or lies in: these are the scopes that somebody may
    read. Of a rename, a move and a trashing of a folder these are all, whatever lies below. What comes back from the trash, or into a
    scope from outside, has a row for each node, parents first: whoever reads this scope has not seen them.
    """

    pk = models.CompositePrimaryKey("seq", "ordinal")
    seq = models.BigIntegerField()
    ordinal = models.IntegerField()
    """Place among the rows of one event."""
    node_id = models.UUIDField()
    root_id = models.UUIDField(null=True)
    """The root, or the shared node, that it lies in since then; ``NULL`` where it has left that."""
    old_root_id = models.UUIDField(null=True)
    """The root, or the shared node, that it lay in before, where it has left that."""
    happened_at = models.DateTimeField()

    class Meta:
        db_table = "sync_change_journal"
        indexes = [
            # What is new in this scope?
            models.Index(fields=["root_id", "seq", "ordinal"], name="sync_change_journal_root"),
            # What has left this scope?
            models.Index(
                fields=["old_root_id", "seq", "ordinal"],
                name="sync_change_journal_old_root",
                condition=models.Q(old_root_id__isnull=False),
            ),
        ]


class SharedNode(TenantModel):
    """A node that somebody was once given something on, so that it may be a scope: the journal has rows for it since the event ``seq``.

    It stays when its shares end, until it is gone: then it costs rows, and nobody reads them.
    """

    node_id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()

    class Meta:
        db_table = "sync_shared_node"


class ScopeSet(TenantModel):
    """What a device was told of many scopes, named by cursors. It never changes; ``id`` is a digest of ``content``."""

    id = models.UUIDField(primary_key=True)
    content = models.TextField()
    """JSON: for each node its id, its mask, and the event as of which its subtree was told."""
    used_at = models.DateTimeField()

    class Meta:
        db_table = "sync_scope_set"
        indexes = [
            # Which has no cursor named for long?
            models.Index(fields=["used_at"], name="sync_scope_set_used"),
        ]


class Feed(TenantModel):
    """How far the feed has come: one row, made with the schema, locked by whoever projects, rebuilds or trims."""

    id = models.SmallIntegerField(primary_key=True)
    epoch = models.UUIDField()
    """Cursors of another epoch do not fit this journal: it was rebuilt, or an event had its effect out of turn."""
    seq = models.BigIntegerField()
    """The last event that replica and journal contain."""
    horizon = models.BigIntegerField()
    """Rows of events up to this one are not in the journal any more."""

    class Meta:
        db_table = "sync_feed"


class Device(TenantModel):
    """Something that keeps a copy of what a person can reach."""

    id = id_field()
    user_id = models.UUIDField()
    name = models.TextField()
    platform = models.TextField()
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "sync_device"
        indexes = [
            # Which devices has this person?
            models.Index(fields=["user_id", "id"], name="sync_device_live", condition=models.Q(ended_at__isnull=True)),
        ]


class DeviceCursor(TenantModel):
    """Up to which event a device has acknowledged, and when it last did: what the journal must keep for it."""

    device_id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField()
    acknowledged_at = models.DateTimeField()

    class Meta:
        db_table = "sync_device_cursor"


class Snapshot(TenantModel):
    """What lies in some scopes at one instant, kept for a day so that devices can read it in pages.

    That of a small tree belongs to the device for which it was made. That of a larger one is shared by all devices that see the same.
    """

    id = id_field()
    device_id = models.UUIDField(null=True)
    scope = models.TextField(db_default="")
    """Digest of scopes, inner nodes and masks, of a shared one: who sees the same has the same."""
    epoch = models.UUIDField()
    seq = models.BigIntegerField()
    root_ids = ArrayField(models.UUIDField())
    """The scopes."""
    masks = ArrayField(models.SmallIntegerField(), db_default=[])
    """For each of the scopes, in their order, the mask of capabilities that it had when this was made."""
    inner_ids = ArrayField(models.UUIDField(), db_default=[])
    """Nodes inside of the scopes that have another mask than what lies around them."""
    inner_masks = ArrayField(models.SmallIntegerField(), db_default=[])
    made_for = models.UUIDField(null=True)
    """The person whose device asked for it."""
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(db_default=Now())
    """When a page of it was read last, to some minutes."""

    class Meta:
        db_table = "sync_snapshot"
        indexes = [
            # Which snapshots has this device, latest first?
            models.Index(fields=["device_id", "-created_at"], name="sync_snapshot_device"),
            # Which are there of these roots, latest first?
            models.Index(fields=["scope", "-created_at"], name="sync_snapshot_scope", condition=~models.Q(scope="")),
            # How many shared ones were made for this person lately?
            models.Index(
                fields=["made_for", "-created_at"], name="sync_snapshot_person", condition=~models.Q(scope="")
            ),
        ]


class SnapshotItem(NodeState):
    """One node of a snapshot, as it was at that instant."""

    pk = models.CompositePrimaryKey("snapshot_id", "ordinal")
    snapshot_id = models.UUIDField()
    ordinal = models.BigIntegerField()
    """Place among all: parents come before what lies in them."""
    root_id = models.UUIDField()
    """The scope, or the inner node, that it has its mask of."""

    class Meta:
        db_table = "sync_snapshot_item"


class Conflict(TenantModel):
    """Two edits that met: the later one is kept beside the file as a copy until somebody says what is right."""

    node_id = models.UUIDField(primary_key=True)
    """The copy."""
    original_id = models.UUIDField()
    version_id = models.UUIDField()
    seq = models.BigIntegerField()
    made_by = models.UUIDField(null=True)
    device_id = models.UUIDField(null=True)
    """The device that brought the copy, where it said so."""
    opened_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.UUIDField(null=True)
    resolution = models.TextField(blank=True)

    class Meta:
        db_table = "sync_conflict"
        indexes = [
            # Which are open, latest first?
            models.Index(fields=["-node_id"], name="sync_conflict_open", condition=models.Q(resolved_at__isnull=True)),
        ]
