"""The index in PostgreSQL (in each tenant's schema): what can be found of each node, kept by events alone.

A folder's name, place and presence in the trash are facts of its own row: what happens to it rewrites nothing below. Who may see a hit,
and whether anything above it lies in the trash, is asked of Files when it is read.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Func, Value

from bitvault.kernel.models import TenantModel


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
        ]


class RebuiltDocument(DocumentFields):
    """A row of an index that is being rebuilt beside the live one."""

    class Meta:
        db_table = "search_rebuilt_document"
