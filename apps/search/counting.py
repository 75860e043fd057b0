"""Facets: what there is among what was found, counted over what the caller may see and nothing else."""

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from apps.annotations import api as annotations
from apps.annotations.api import metadata
from apps.files.dtos import Node
from apps.identity import api as identity
from apps.search import categories, described, holds, properties, queries, tagged
from apps.search.dtos import Facet, Facets, Since
from apps.search.engine import Engine
from apps.search.parsing import Wanted
from bitvault.kernel import clock, db
from bitvault.kernel.actor import Actor

CANDIDATES_LIMIT = 1_000
"""Candidates that are judged and counted, the best first."""

OWNERS_LIMIT = 8
TAGS_LIMIT = 12
CHOICES_LIMIT = 12

SINCE: dict[Since, timedelta] = {
    "day": timedelta(days=1),
    "week": timedelta(days=7),
    "month": timedelta(days=30),
    "year": timedelta(days=365),
}


def count(actor: Actor, wanted: Wanted, engine: Engine) -> Facets:
    """Count what was found, by the same number of statements however much it is."""
    candidates = engine.list_candidates(wanted, sort="relevance", after=None, limit=CANDIDATES_LIMIT + 1)
    judged = queries.judge(actor, candidates[:CANDIDATES_LIMIT], wanted)
    nodes = [found.node for _, found in judged if found is not None]
    return Facets(
        kinds=_rank(node.kind for node in nodes),
        types=_rank(_tell_type(node) for node in nodes),
        owners=_name(actor, _rank(str(node.created_by) for node in nodes)[:OWNERS_LIMIT]),
        tags=_count_tags(actor, nodes),
        metadata=_count_metadata(actor, nodes),
        modified=_count_since(nodes),
        held_count=_count_held(nodes),
        locked_count=sum(node.lock is not None for node in nodes),
        is_capped=len(candidates) > CANDIDATES_LIMIT,
    )


def _tell_type(node: Node) -> str:
    return categories.tell_category(is_folder=node.kind == "folder", name=node.name, media_type=node.media_type or "")


def _rank(values: Iterable[str]) -> list[Facet]:
    return [
        Facet(value, number) for value, number in sorted(Counter(values).items(), key=lambda each: (-each[1], each[0]))
    ]


def _name(actor: Actor, owners: list[Facet]) -> list[Facet]:
    people = (
        identity.find_members(tenant=actor.tenant, user_ids=[UUID(each.value) for each in owners]) if owners else []
    )
    names = {str(member.user.id): member.user.name or member.user.email for member in people}
    return [Facet(each.value, each.count, names.get(each.value, "")) for each in owners]


def _count_tags(actor: Actor, nodes: list[Node]) -> list[Facet]:
    """Count the tags of nodes, by two statements however many there are."""
    with db.read_transaction():
        found = tagged.find_tags([node.id for node in nodes]) if nodes else {}
    names = {str(tag.id): tag.name for tag in annotations.list_tags(actor=actor)} if found else {}
    counts = _rank(str(tag_id) for tag_ids in found.values() for tag_id in tag_ids)
    return [Facet(each.value, each.count, names[each.value]) for each in counts if each.value in names][:TAGS_LIMIT]


def _count_held(nodes: list[Node]) -> int:
    """Count what is on legal hold, by three statements at most however many there are."""
    with db.read_transaction():
        return holds.count_held([node.id for node in nodes if "view" in node.capabilities])


def _count_metadata(actor: Actor, nodes: list[Node]) -> list[Facet]:
    """Count choices in fields of metadata, by three statements however many there are."""
    with db.read_transaction():
        found = described.find_chosen([node.id for node in nodes]) if nodes else []
    if not found:
        return []
    templates = metadata.list_templates(actor=actor)
    names = {str(field.id): field.name for template in templates for field in template.fields}
    counts = Counter((names[field_id], value) for field_id, value in found if field_id in names)
    ranked = sorted(counts.items(), key=lambda each: (-each[1], each[0]))[:CHOICES_LIMIT]
    return [Facet(properties.write_filter(*each), number, f"{each[0]}: {each[1]}") for each, number in ranked]


def _count_since(nodes: list[Node]) -> list[Facet]:
    now = clock.now()
    counts = [(name, sum(node.modified_at >= now - length for node in nodes)) for name, length in SINCE.items()]
    return [Facet(name, number) for name, number in counts if number]
