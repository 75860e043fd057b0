"""Tables of annotations (in each tenant's schema). A row stays while its node lies in the trash, and goes with its node."""

from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models

from bitvault.kernel.models import TenantModel, id_field


class Tag(TenantModel):
    """A word of the tenant that nodes can have."""

    id = id_field()
    name = models.CharField(max_length=60)
    name_key = models.CharField(max_length=180)
    colour = models.CharField(max_length=10)
    created_by = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "annotations_tag"
        constraints = [
            models.UniqueConstraint(fields=["name_key"], name="annotations_tag_name_unique"),
        ]


class NodeTag(TenantModel):
    """A node has a tag."""

    id = id_field()
    tag = models.ForeignKey(Tag, on_delete=models.CASCADE, db_index=False, related_name="+")
    node_id = models.UUIDField()
    tagged_by = models.UUIDField()
    tagged_at = models.DateTimeField()

    class Meta:
        db_table = "annotations_node_tag"
        constraints = [
            # Which tags has this node?
            models.UniqueConstraint(fields=["node_id", "tag"], name="annotations_node_tag_unique"),
        ]
        indexes = [
            # Which nodes have this tag, latest first?
            models.Index(fields=["tag", "-id"], name="annotations_node_tag_latest"),
        ]


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


class Comment(TenantModel):
    """What somebody says about a node: the top of a thread, or a reply in one."""

    id = id_field()
    node_id = models.UUIDField()
    thread = models.ForeignKey("self", null=True, on_delete=models.CASCADE, db_index=False, related_name="+")
    author_id = models.UUIDField()
    text = models.TextField()
    mentioned_ids: "ArrayField[list[UUID], list[UUID]]" = ArrayField(models.UUIDField(), default=list)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.UUIDField(null=True)

    class Meta:
        db_table = "annotations_comment"
        indexes = [
            # Which threads has this node, latest first? How many comments?
            models.Index(fields=["node_id", "-id"], name="annotations_comment_node"),
            # How many open threads have these nodes?
            models.Index(
                fields=["node_id"],
                condition=models.Q(thread=None, resolved_at=None),
                name="annotations_comment_open",
            ),
            # Which replies has this thread?
            models.Index(fields=["thread", "id"], name="annotations_comment_thread"),
        ]


class Description(TenantModel):
    """What a folder is for, in Markdown. One that is removed stays as an empty text, so that its revision only rises."""

    node_id = models.UUIDField(primary_key=True)
    text = models.TextField(default="")
    revision = models.IntegerField(default=0)
    changed_by = models.UUIDField()
    changed_at = models.DateTimeField()

    class Meta:
        db_table = "annotations_description"


class Template(TenantModel):
    """A named set of fields that nodes can have."""

    id = id_field()
    name = models.CharField(max_length=60)
    name_key = models.CharField(max_length=180)
    created_by = models.UUIDField()
    created_at = models.DateTimeField()

    class Meta:
        db_table = "annotations_template"
        constraints = [
            models.UniqueConstraint(fields=["name_key"], name="annotations_template_name_unique"),
        ]


class Field(TenantModel):
    """A field of a template: what it is called, and what its values are."""

    id = id_field()
    template = models.ForeignKey(Template, on_delete=models.CASCADE, db_index=False, related_name="fields")
    position = models.IntegerField()
    name = models.CharField(max_length=60)
    name_key = models.CharField(max_length=180)
    kind = models.CharField(max_length=8)
    """``text``, ``number``, ``date``, ``choice`` or ``person``."""
    choices: "ArrayField[list[str], list[str]]" = ArrayField(models.CharField(max_length=100), default=list)

    class Meta:
        db_table = "annotations_field"
        constraints = [
            # Which fields has this template?
            models.UniqueConstraint(fields=["template", "name_key"], name="annotations_field_name_unique"),
        ]


class FieldValue(TenantModel):
    """What a node has in a field."""

    id = id_field()
    field = models.ForeignKey(Field, on_delete=models.CASCADE, db_index=False, related_name="+")
    node_id = models.UUIDField()
    value = models.TextField()
    """As it is written: a number without a needless digit, a day as 2026-12-31, a person by the id."""
    set_by = models.UUIDField()
    set_at = models.DateTimeField()

    class Meta:
        db_table = "annotations_field_value"
        constraints = [
            # What has this node?
            models.UniqueConstraint(fields=["node_id", "field"], name="annotations_field_value_unique"),
        ]
        indexes = [
            # What goes with this field?
            models.Index(fields=["field"], name="annotations_field_value_field"),
        ]
