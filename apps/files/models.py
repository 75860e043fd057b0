"""Tables of files and folders (in each tenant's schema).

The tree is rows with a parent. A row hangs from exactly one thing: it is a root (somebody's by ``owner_user_id``, or a team folder by
``is_team_folder``), or it lies in a folder (``parent``), or it lies in the trash (``trashed_at``); the rows below it hang on as they were.
So a move or a trashing of a folder is one row whatever lies below, the children of a folder are exactly its live ones, and a node is live
when the way up ends at a root. A team folder that has ended lies in the trash and stays one.
"""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Length
from django.db.models.lookups import LessThanOrEqual

from apps.files.limits import CHILDREN_LIMIT
from apps.files.past_models import Placement, Rewind, RewindItem
from apps.files.retention_models import Retained, RetentionPolicy
from bitvault.kernel.models import TenantModel, id_field
from bitvault.kernel.names import KEY_VERSION, NAME_LIMIT_BYTES

__all__ = [
    "Displaced",
    "Kind",
    "Node",
    "Placement",
    "Refund",
    "Retained",
    "RetentionPolicy",
    "Rewind",
    "RewindItem",
    "SettledUpload",
    "Trash",
    "Version",
]


class Kind(models.IntegerChoices):
    """What a node is. The numbers make folders sort before files."""

    FOLDER = 0, "folder"
    FILE = 1, "file"


class ByteLength(Length):
    """Length of a text in bytes of the database's encoding, UTF-8."""

    function = "octet_length"


class Node(TenantModel):
    """A folder or a file."""

    id = id_field()
    kind = models.SmallIntegerField(choices=Kind.choices)
    # No index of its own: the unique key below starts with it.
    parent = models.ForeignKey("self", null=True, on_delete=models.DO_NOTHING, related_name="children", db_index=False)
    owner_user_id = models.UUIDField(null=True)
    """Whose personal root this is; ``NULL`` for everything that is none."""
    is_team_folder = models.BooleanField(db_default=False)
    """Whether this is a root of the whole tenant, live or ended."""
    name = models.TextField()
    name_key = models.TextField(db_collation="C")
    key_version = models.SmallIntegerField(default=KEY_VERSION)
    sort_key = models.TextField(db_collation="C")
    revision = models.BigIntegerField(default=1)
    """Grows with every change of the node itself (not of what lies in it); the ``ETag``."""
    # The version that is the file's content now. No foreign key: it would close a circle with files_version.node_id, and each purge
    # would have to search all nodes for it.
    version_id = models.UUIDField(null=True)
    size_bytes = models.BigIntegerField(default=0)
    media_type = models.TextField(default="")
    content_hash = models.CharField(max_length=64, default="")
    created_at = models.DateTimeField()
    modified_at = models.DateTimeField()
    """When the content last changed here: a file's latest commit, a folder's creation. A rename or a move does not touch it."""
    client_modified_at = models.DateTimeField(null=True)
    """When a device says that the content changed: data to show and to give back, never to decide by."""
    created_by = models.UUIDField()
    trashed_at = models.DateTimeField(null=True)
    lock = models.JSONField(null=True)
    """Who alone may change this file, and until when, as ``dtos.Lock``: read with each row, so that no write misses it. Once it has
    expired it holds no more, and a schedule clears it."""
    file_rules = models.JSONField(null=True)
    """Which files come into this folder and all below it, as ``dtos.rules.StoredRules``: read with each row, so that judging asks nothing
    more. Rules only tighten what stands above them."""
    child_count = models.IntegerField(default=0)
    """How many nodes lie directly in this folder: exact, kept under the tree lock."""
    # Upper bounds of what lies below a folder: how many levels, and how many bytes the longest path adds to the folder's own. They
    # are raised along the way up when they must be, and never lowered by removals, so a move is judged without a walk through the
    # subtree; only when the bounds forbid it are the exact figures computed.
    levels_below_bound = models.SmallIntegerField(default=0)
    path_bytes_below_bound = models.IntegerField(default=0)

    class Meta:
        db_table = "files_node"
        constraints = [
            # Is this name free in this folder? Which node has this name here (path look-up)? What lies in this folder (purge, foreign key)?
            models.UniqueConstraint(fields=["parent", "name_key"], name="files_node_name_unique"),
            # Which is this person's root?
            models.UniqueConstraint(fields=["owner_user_id"], name="files_node_root_unique"),
            # Is this name free among the team folders? Which are there?
            models.UniqueConstraint(
                fields=["name_key"],
                name="files_node_team_name_unique",
                condition=models.Q(is_team_folder=True, trashed_at__isnull=True),
            ),
            models.CheckConstraint(
                condition=models.Q(
                    owner_user_id__isnull=False,
                    is_team_folder=False,
                    parent__isnull=True,
                    trashed_at__isnull=True,
                )
                | models.Q(owner_user_id__isnull=True, is_team_folder=True, parent__isnull=True)
                | models.Q(
                    owner_user_id__isnull=True,
                    is_team_folder=False,
                    parent__isnull=False,
                    trashed_at__isnull=True,
                )
                | models.Q(
                    owner_user_id__isnull=True,
                    is_team_folder=False,
                    parent__isnull=True,
                    trashed_at__isnull=False,
                ),
                name="files_node_hangs_from_one_thing",
            ),
            models.CheckConstraint(
                condition=models.Q(kind=Kind.FOLDER, version_id__isnull=True, size_bytes=0)
                | models.Q(kind=Kind.FILE, version_id__isnull=False, child_count=0, owner_user_id__isnull=True)
                & models.Q(is_team_folder=False),
                name="files_node_kind",
            ),
            models.CheckConstraint(condition=~models.Q(parent=models.F("id")), name="files_node_not_its_own_parent"),
            models.CheckConstraint(
                condition=models.Q(kind=Kind.FILE) | models.Q(lock__isnull=True), name="files_node_lock"
            ),
            models.CheckConstraint(
                condition=models.Q(kind=Kind.FOLDER) | models.Q(file_rules__isnull=True), name="files_node_file_rules"
            ),
            models.CheckConstraint(condition=models.Q(revision__gte=1, size_bytes__gte=0), name="files_node_figures"),
            models.CheckConstraint(
                condition=models.Q(child_count__gte=0, child_count__lte=CHILDREN_LIMIT), name="files_node_children"
            ),
            models.CheckConstraint(
                condition=LessThanOrEqual(ByteLength("name"), NAME_LIMIT_BYTES), name="files_node_name_bytes"
            ),
        ]
        indexes = [
            # What lies in this folder, by name, folders first, from here on?
            models.Index(fields=["parent", "kind", "sort_key", "id"], name="files_node_by_name"),
            # The same by time of change.
            models.Index(fields=["parent", "kind", "modified_at", "id"], name="files_node_by_time"),
            # The same by size.
            models.Index(fields=["parent", "kind", "size_bytes", "id"], name="files_node_by_size"),
            # Which names have keys that an older version of the code has made?
            models.Index(fields=["id"], name="files_node_old_keys", condition=models.Q(key_version__lt=KEY_VERSION)),
            # Which files are locked, and does one lie below this folder?
            models.Index(fields=["id"], name="files_node_locked", condition=models.Q(lock__isnull=False)),
            # Which team folders have ended, latest first?
            models.Index(
                fields=["-trashed_at"],
                name="files_node_team_ended",
                condition=models.Q(is_team_folder=True, trashed_at__isnull=False),
            ),
        ]


class Version(TenantModel):
    """One content that a file has, or had. Its content never changes; its label and pin may."""

    id = id_field()
    node = models.ForeignKey(Node, on_delete=models.DO_NOTHING, related_name="versions", db_index=False)
    blob_id = models.UUIDField()
    upload_id = models.UUIDField()
    size_bytes = models.BigIntegerField()
    content_hash = models.CharField(max_length=64)
    media_type = models.TextField()
    created_at = models.DateTimeField()
    created_by = models.UUIDField()
    client_modified_at = models.DateTimeField(null=True)
    """When the sender says that the content changed: data to show, never to decide by."""
    base_version_id = models.UUIDField(null=True)
    """The version that the sender started from."""
    made_on = models.TextField(default="", db_default="")
    """What the sender is called: a device, ``web``, ``API``; empty where that was not written down yet."""
    restored_from_id = models.UUIDField(null=True)
    """The older version whose content this one brings back."""
    label = models.TextField(default="", db_default="")
    """What people call this version."""
    pinned = models.BooleanField(default=False, db_default=False)
    """Kept until somebody unpins it: it is neither deleted nor thinned out."""

    class Meta:
        db_table = "files_version"
        constraints = [
            # Has this upload been committed? At most once.
            models.UniqueConstraint(fields=["upload_id"], name="files_version_upload_unique"),
            models.CheckConstraint(condition=models.Q(size_bytes__gte=0), name="files_version_figures"),
        ]
        indexes = [
            # Which versions has this node, newest first?
            models.Index(fields=["node", "-id"], name="files_version_of_node"),
            # Who has this content already?
            models.Index(fields=["content_hash", "size_bytes"], name="files_version_by_content"),
            # Does any version hold these bytes, before they are deleted?
            models.Index(fields=["blob_id"], name="files_version_blob"),
        ]


class Trash(TenantModel):
    """A node that was put into the trash: the top of what went with it.

    The row outlives its node while a purge is under way, so that an interrupted one is found and finished.
    """

    node_id = models.UUIDField(primary_key=True)
    root_id = models.UUIDField()
    """The root that it lay under, in whose trash it is; a team folder that has ended names itself."""
    origin_parent_id = models.UUIDField(null=True)
    """``NULL`` for a team folder, which lay nowhere."""
    origin_ids = ArrayField(models.UUIDField(), db_default=[])
    """The folders above that one at the time, nearest first: where it goes back to when that one is deleted permanently."""
    origin_path = models.TextField()
    """Its full path at the time, for people."""
    trashed_by = models.UUIDField()
    trashed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    purging = models.BooleanField(default=False)
    """A purge has begun: gone for everybody, and finished by whoever comes next."""
    purged_by = models.UUIDField(null=True)
    """Who began it; ``NULL`` for a purge that fell due."""
    purged_bytes = models.BigIntegerField(default=0)
    """Bytes of versions that older code has deleted, which gave them back at the end."""
    postponed_until = models.DateTimeField(null=True)
    """When a purge that failed is tried again; or what is due, and kept by a hold or a rule, is looked at again."""

    class Meta:
        db_table = "files_trash"
        indexes = [
            # What is in the trash of this root, latest first?
            models.Index(
                fields=["root_id", "-trashed_at", "-node_id"],
                name="files_trash_of_root",
                condition=models.Q(purging=False),
            ),
            # What is due?
            models.Index(fields=["expires_at"], name="files_trash_due"),
            # Which purges are under way?
            models.Index(fields=["node_id"], name="files_trash_purging", condition=models.Q(purging=True)),
        ]

    def list_origins(self) -> list[UUID]:
        """The folder that it was in and those above, nearest first; none for a team folder."""
        return [] if self.origin_parent_id is None else [self.origin_parent_id, *self.origin_ids]


class Displaced(TenantModel):
    """A node that came back from the trash to a folder above its own, since that lay in the trash: it goes there when that comes back.

    Forgotten as soon as somebody moves, renames or trashes it: then it is where it should be.
    """

    node_id = models.UUIDField(primary_key=True)
    name = models.TextField()
    """What it was called, should it have got a number where it is."""
    origin_ids = ArrayField(models.UUIDField())
    """The folder that it was in and those above, nearest first."""
    waits_for_ids = ArrayField(models.UUIDField())
    """What lies in the trash on the way from where it was to where it is."""

    class Meta:
        db_table = "files_displaced"
        indexes = [
            # What waits for one of these to come back?
            GinIndex(fields=["waits_for_ids"], name="files_displaced_waits"),
        ]


class Refund(TenantModel):
    """Bytes that purges have freed and the quota has not got back yet."""

    id = id_field()
    size_bytes = models.BigIntegerField()

    class Meta:
        db_table = "files_refund"


class SettledUpload(TenantModel):
    """An upload that is over without a version: it brought what the file had already, and a repeated commit gets the same answer; or it
    was given up, and has no ``node_id``.
    """

    upload_id = models.UUIDField(primary_key=True)
    node_id = models.UUIDField(null=True)
    settled_by = models.UUIDField()
    settled_at = models.DateTimeField()

    class Meta:
        db_table = "files_settled_upload"
        indexes = [
            # Which of them are older than any upload that could be committed again?
            models.Index(fields=["settled_at"], name="files_settled_due"),
        ]
