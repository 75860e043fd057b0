"""The index in PostgreSQL (in each tenant's schema): what can be found of each node, kept by events alone.

A folder's name, place and presence in the trash are facts of its own row: what happens to it rewrites nothing below. Who may see a hit,
and whether anything above it lies in the trash, is asked of Files when it is read.
"""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Value

from bitvault.kernel.models import TenantModel, id_field


class DocumentFields(TenantModel):
    """What is known of a node."""

    node_id = models.UUIDField(primary_key=True)
    parent_id = models.UUIDField(null=True)
    is_folder = models.BooleanField()
    name = models.TextField()
    folded = models.TextField()
    """The name without case and accents, for what stands inside of words."""
    words = models.TextField()
    """The name's folded words, with a space between them."""
    category = models.CharField(max_length=16)
    size_bytes = models.BigIntegerField(null=True)
    media_type = models.TextField(default="")
    created_by = models.UUIDField(null=True)
    modified_at = models.DateTimeField()
    is_trashed = models.BooleanField(default=False)
    """It is the top of something in the trash."""
    revision = models.BigIntegerField()
    content_hash = models.CharField(max_length=64, default="")
    """A file's current content; its text is in ``search_content``."""
    blob_id = models.UUIDField(null=True)
    """Where that content is."""
    locked_until = models.DateTimeField(null=True)
    """Until then one person alone may change it; nothing is told at that moment."""

    class Meta:
        abstract = True


class Document(DocumentFields):
    """A node that can be found."""

    vector = models.GeneratedField(
        expression=Func(Func(F("words"), Value(" "), function="string_to_array"), function="array_to_tsvector"),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    class Meta:
        db_table = "search_document"
        indexes = [
            # Which names have words that begin so?
            GinIndex(fields=["vector"], name="search_document_words"),
            # Which names have this somewhere inside, or nearly this?
            GinIndex(fields=["folded"], name="search_document_inside", opclasses=["gin_trgm_ops"]),
            # What was changed last, when filters alone are given?
            models.Index(fields=["-modified_at", "-node_id"], name="search_document_by_time"),
            # What is locked?
            models.Index(
                fields=["locked_until"], condition=~models.Q(locked_until=None), name="search_document_locked"
            ),
            # What lies in this folder, of what is on hold?
            models.Index(fields=["parent_id"], name="search_document_parent"),
            # Which folders lie in this folder, of those that are on hold?
            models.Index(fields=["parent_id"], condition=models.Q(is_folder=True), name="search_document_folders"),
            # Which files have this content?
            models.Index(fields=["content_hash"], name="search_document_content"),
        ]


class RebuiltDocument(DocumentFields):
    """A row of an index that is being rebuilt beside the live one."""

    class Meta:
        db_table = "search_rebuilt_document"


class TaggedFields(TenantModel):
    """Which tags a node has, as of a number of the stream."""

    node_id = models.UUIDField(primary_key=True)
    tag_ids: "ArrayField[list[UUID], list[UUID]]" = ArrayField(models.UUIDField(), default=list)
    seq = models.BigIntegerField()
    """What is told before says nothing new."""

    class Meta:
        abstract = True


class Tagged(TaggedFields):
    """A node that has tags, or had some."""

    class Meta:
        db_table = "search_tagged"
        indexes = [
            # Which nodes have these tags?
            GinIndex(fields=["tag_ids"], name="search_tagged_tags"),
        ]


class RebuiltTagged(TaggedFields):
    """A row of an index that is being rebuilt beside the live one."""

    class Meta:
        db_table = "search_rebuilt_tagged"


class HoldFields(TenantModel):
    """A legal hold in force, as of a number of the stream."""

    policy_id = models.UUIDField(primary_key=True)
    tag_id = models.UUIDField(null=True)
    """It names what has this tag."""
    is_of_vault = models.BooleanField(default=False)
    """It covers everything."""
    seq = models.BigIntegerField()
    """What is told before names nothing new."""

    class Meta:
        abstract = True


class Hold(HoldFields):
    """A legal hold in force."""

    class Meta:
        db_table = "search_hold"


class RebuiltHold(HoldFields):
    """A row of an index that is being rebuilt beside the live one."""

    class Meta:
        db_table = "search_rebuilt_hold"


class HeldFields(TenantModel):
    """Which holds name a node; with it all below it is on hold."""

    node_id = models.UUIDField(primary_key=True)
    policy_ids: "ArrayField[list[UUID], list[UUID]]" = ArrayField(models.UUIDField(), default=list)

    class Meta:
        abstract = True


class Held(HeldFields):
    """A node that holds name."""

    class Meta:
        db_table = "search_held"


class RebuiltHeld(HeldFields):
    """A row of an index that is being rebuilt beside the live one."""

    class Meta:
        db_table = "search_rebuilt_held"


class DescribedFields(TenantModel):
    """What a node has in fields of metadata, as of a number of the stream."""

    node_id = models.UUIDField(primary_key=True)
    values = models.JSONField(default=dict)
    """By the field's id: ``k`` its kind, ``v`` the value as it is kept, ``t`` folded, ``n`` as a number, which a day has, too."""
    seq = models.BigIntegerField()
    """What is told before says nothing new."""

    class Meta:
        abstract = True


class Described(DescribedFields):
    """A node that has metadata, or had some."""

    class Meta:
        db_table = "search_described"
        indexes = [
            # Which nodes have something in this field?
            GinIndex(fields=["values"], name="search_described_values"),
        ]


class RebuiltDescribed(DescribedFields):
    """A row of an index that is being rebuilt beside the live one."""

    class Meta:
        db_table = "search_rebuilt_described"


class RemarkFields(TenantModel):
    """A comment or a description, as of a number of the stream."""

    remark_id = models.UUIDField(primary_key=True)
    """The comment's; of a description its folder's."""
    node_id = models.UUIDField()
    thread_id = models.UUIDField(null=True)
    """The comment that it replies to."""
    seq = models.BigIntegerField()
    """What is told before says nothing new."""
    text = models.TextField(default="")
    vector = SearchVectorField(null=True)
    """Its words, each with its places; none before it has been read."""

    class Meta:
        abstract = True


class Remark(RemarkFields):
    """Something that is written about a node."""

    class Meta:
        db_table = "search_remark"
        indexes = [
            # Which of them hold these words?
            GinIndex(fields=["vector"], name="search_remark_words"),
            # What is written about this node?
            models.Index(fields=["node_id"], name="search_remark_node"),
            # Which replies go with this thread?
            models.Index(fields=["thread_id"], condition=~models.Q(thread_id=None), name="search_remark_thread"),
            # What is to be read?
            models.Index(fields=["remark_id"], condition=models.Q(vector=None), name="search_remark_waiting"),
        ]


class RebuiltRemark(RemarkFields):
    """A row of an index that is being rebuilt beside the live one."""

    class Meta:
        db_table = "search_rebuilt_remark"


class DocumentVersion(TenantModel):
    """How often what belongs to a node changed beside its own row: what is written about it, its metadata, the holds that name it.

    Its document in OpenSearch has its version by this, too. It outlives a rebuild.
    """

    node_id = models.UUIDField(primary_key=True)
    version = models.BigIntegerField(default=0)

    class Meta:
        db_table = "search_document_version"


class Rebuild(TenantModel):
    """How far a rebuild is, and how many there have been; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    swap_count = models.BigIntegerField(default=0)
    """How many rebuilds were swapped in: a part of each document's version in OpenSearch, for other rows may say something else."""
    run_id = models.UUIDField(null=True)
    """Who writes now; who has written before finds that out with the next page. None when no rebuild is begun."""
    shape = models.PositiveSmallIntegerField(default=0)
    """By which code it was begun."""
    begun_at = models.DateTimeField(null=True)
    seq = models.BigIntegerField(null=True)
    """The number of the first page, from which the stream goes on after the swap."""
    step = models.PositiveSmallIntegerField(default=0)
    after = models.UUIDField(null=True)
    """Behind which row of this step it goes on."""
    done_count = models.BigIntegerField(default=0)

    class Meta:
        db_table = "search_rebuild"


class ContentState(models.TextChoices):
    """How it stands with the text of a content."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class Content(TenantModel):
    """A content that some document has and that may have text: once for all files with it, gone with the last of them."""

    content_hash = models.CharField(max_length=64, primary_key=True)
    media_type = models.TextField()
    size_bytes = models.BigIntegerField()
    state = models.CharField(max_length=16, choices=ContentState.choices, default=ContentState.WAITING)
    reason = models.CharField(max_length=16, default="", blank=True)
    """Why its text is not searched."""
    is_cut = models.BooleanField(default=False)
    """Only the beginning of its text is searched."""
    reader = models.IntegerField(default=0)
    """By which edition of the reader it was read; a rebuild reads again what an older one has read."""
    vector = SearchVectorField(null=True)
    """Its words, each once and without places."""
    asked_at = models.DateTimeField()

    class Meta:
        db_table = "search_content"
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ContentState.values), name="search_content_state"),
        ]
        indexes = [
            # Which contents have all of these words?
            GinIndex(fields=["vector"], name="search_content_words"),
            # How many could not be read, and why?
            models.Index(fields=["state", "reason"], name="search_content_by_state"),
        ]


class Passage(TenantModel):
    """A part of a text, some pages long. It begins within the end of the one before it, so that no sentence is parted by their border."""

    id = id_field()
    content_hash = models.CharField(max_length=64)
    number = models.IntegerField()
    text = models.TextField()
    vector = SearchVectorField()
    """Its words, each with its places."""

    class Meta:
        db_table = "search_passage"
        constraints = [
            # Where in this content do the words stand?
            models.UniqueConstraint(fields=["content_hash", "number"], name="search_passage_unique"),
        ]
        indexes = [
            # Where does this sentence stand?
            GinIndex(fields=["vector"], name="search_passage_words"),
        ]


class OutsideState(models.TextChoices):
    """How far an index in another engine is."""

    BUILDING = "building"
    LIVE = "live"


class OutsideIndex(TenantModel):
    """The tenant's index in OpenSearch: the one that is searched, and one that is built beside it, maybe."""

    part = models.UUIDField(primary_key=True)
    """What its documents are marked with, in an index of the server's that it may share with others."""
    name = models.TextField()
    """The server's index that holds it."""
    state = models.CharField(max_length=16, choices=OutsideState.choices, default=OutsideState.BUILDING)
    sending = models.BigIntegerField(default=0)
    """How often sending has begun: whatever is noted after that is the next one's."""
    done_count = models.BigIntegerField(default=0)
    total_count = models.BigIntegerField(default=0)
    filled_to = models.UUIDField(null=True)
    """Up to which node it is filled; a build that ended in the middle goes on there."""
    differing_count = models.BigIntegerField(null=True)
    """How many documents differed when they were last compared."""
    begun_at = models.DateTimeField()
    live_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "search_outside_index"
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=OutsideState.values), name="search_outside_state"),
            # Which one is searched?
            models.UniqueConstraint(fields=["state"], name="search_outside_one_of_each"),
        ]


class Unsent(TenantModel):
    """A node whose document is to be sent to OpenSearch, as it is by then."""

    node_id = models.UUIDField(primary_key=True)
    seq = models.BigIntegerField(null=True)
    """From which number of the stream on it is not known there; None when its text alone has changed."""
    mark = models.UUIDField()
    """Another one after each change, so that what changes while it is sent stays."""

    class Meta:
        db_table = "search_unsent"
        indexes = [
            # Up to which number has everything been sent?
            models.Index(fields=["seq"], name="search_unsent_by_seq"),
        ]
