"""What OpenSearch holds of a node. The same code cuts and folds words for both engines, so no analyzer of languages is needed there.

A change of this mapping needs a higher ``SHAPE``: indexes of the new edition are made beside the old ones, and each tenant's is rebuilt
into them.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django_opensearch_dsl import Document as IndexedDocument
from django_opensearch_dsl import fields
from django_opensearch_dsl.registries import registry
from opensearchpy.helpers.analysis import analyzer, token_filter, tokenizer
from opensearchpy.helpers.document import MetaField
from opensearchpy.helpers.field import Field

from apps.search import words
from apps.search.engine import SHAPE
from apps.search.models import Document

EDITION = SHAPE
"""The edition of the mapping: a part of an earlier one is built anew, when the tenant's documents have been rebuilt."""

FORMS_JOINER = "|"
"""Between the forms of one word of a text, which stand at one place: ``findvisible|find|visible``."""

TAGS_SINCE, WRITTEN_SINCE, METADATA_SINCE = 2, 3, 4
"""From which edition on documents have tags; locks and what is written about nodes; metadata and holds."""

SINCE = {
    "tag_ids": TAGS_SINCE,
    "locked_until_us": WRITTEN_SINCE,
    "remarks": WRITTEN_SINCE,
    "metadata": METADATA_SINCE,
    "parent_id": METADATA_SINCE,
    "held_by": METADATA_SINCE,
}
"""Fields that indexes of earlier editions do not take."""

PURGED_VERSION = 2**62
"""The version of a node that is gone for good: above all that it had."""

_SIGNS = str.maketrans({sign: chr(0xF000 + ord(sign)) for sign in "\\*?"})

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_forms = analyzer(
    f"forms_v{EDITION}",
    tokenizer=tokenizer("between_spaces", "whitespace", max_token_length=2048),
    filter=[
        token_filter("each_form", "pattern_capture", preserve_original=False, patterns=[f"([^\\{FORMS_JOINER}]+)"])
    ],
)


class WildcardField(fields.DODField, Field):  # type: ignore[misc] # the library has no types
    """A text in which a part is looked for, wherever it stands."""

    name = "wildcard"


@registry.register_document
class NodeDocument(IndexedDocument):  # type: ignore[misc] # as above
    """A node as it is found. ``part`` is the index of one tenant, of which many share an index of the server's."""

    part = fields.KeywordField()
    tenant = fields.KeywordField()
    node_id = fields.KeywordField()
    version = fields.LongField()
    parent_id = fields.KeywordField()
    is_folder = fields.BooleanField()
    is_trashed = fields.BooleanField()
    folded = fields.KeywordField(doc_values=False, norms=False)
    # What its index of three letters finds is compared with its values, for there is no source.
    inside = WildcardField(doc_values=True)
    words = fields.KeywordField(doc_values=False)
    category = fields.KeywordField()
    media_type = fields.KeywordField()
    created_by = fields.KeywordField()
    size_bytes = fields.LongField()
    modified_us = fields.LongField()
    tag_ids = fields.KeywordField()
    locked_until_us = fields.LongField()
    # Which holds name it; those that are over stay, and nobody asks for them any more.
    held_by = fields.KeywordField()
    # One field has text, number or person; fields of all tenants are these four here, or a mapping would grow with each template.
    metadata = fields.NestedField(
        properties={
            "field_id": fields.KeywordField(),
            "text": WildcardField(doc_values=True),
            "number": fields.DoubleField(),
            "person_id": fields.KeywordField(),
        }
    )
    text = fields.TextField(analyzer=_forms, norms=False)
    remarks = fields.TextField(analyzer=_forms, norms=False)

    class Django:
        model = Document

    class Index:
        name = "bitvault"
        settings = {
            "refresh_interval": "1s",
            "auto_expand_replicas": "0-1",
            # As long as a job may hold what it has read of a node that is deleted meanwhile.
            "gc_deletes": "15m",
        }

    class Meta:
        dynamic = MetaField("strict")
        # PostgreSQL has all of it.
        source = MetaField(enabled=False)

    def prepare_inside(self, document: Document) -> str:
        """Give the folded name as it can be looked into."""
        return without_signs(document.folded)

    def prepare_words(self, document: Document) -> list[str]:
        """Cut the name into words."""
        return document.words.split()

    def prepare_modified_us(self, document: Document) -> int:
        """Tell the time in microseconds, as exactly as PostgreSQL does."""
        return to_microseconds(document.modified_at)

    def prepare_locked_until_us(self, document: Document) -> int | None:
        """Tell until when it is locked, in microseconds."""
        return None if document.locked_until is None else to_microseconds(document.locked_until)


def to_microseconds(moment: datetime) -> int:
    """Count the microseconds since 1970."""
    return (moment - _EPOCH) // timedelta(microseconds=1)


def to_moment(microseconds: int) -> datetime:
    """Give the moment so many microseconds after the beginning of 1970."""
    return _EPOCH + timedelta(microseconds=microseconds)


def without_signs(text: str) -> str:
    """Put other characters for the signs of wildcards, in names and in what is looked for: the server mistakes some escaped ones."""
    return text.translate(_SIGNS)


def write_text(passages: Sequence[str]) -> list[str]:
    """Write the passages of a text as words with all their forms; a sentence is found within one of them."""
    return [" ".join(FORMS_JOINER.join(forms) for forms in words.read_words(passage)) for passage in passages]


def write_metadata(values: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Write what a node has in fields of metadata; a day is its number."""
    return [_write_value(field_id, value) for field_id, value in sorted(values.items())]


def _write_value(field_id: str, value: Mapping[str, Any]) -> dict[str, Any]:
    written = {"field_id": field_id, "text": without_signs(value["t"])}
    if "n" in value:
        written["number"] = value["n"]
    if value["k"] == "person":
        written["person_id"] = value["v"]
    return written


def describe_index() -> dict[str, Any]:
    """Give settings and mapping of a new index."""
    described: dict[str, Any] = NodeDocument._index.to_dict()  # noqa: SLF001 - the library has no other name for it
    return described
