"""People, tags and folders that a query names: found by who is asked of, as far as they may see them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

from apps.annotations import api as annotations
from apps.annotations.api import metadata
from apps.annotations.dtos import MetadataField
from apps.files import api as files
from apps.identity import api as identity
from apps.search import parsing, properties
from apps.search.dtos import SuggestedPerson
from apps.search.engine import Engine
from apps.search.errors import FilterInvalid
from apps.search.parsing import Wanted
from bitvault.kernel import names
from bitvault.kernel.actor import Actor

Fields = Mapping[str, Sequence[MetadataField]]

NO_FIELDS: Fields = {}

PEOPLE_SUGGESTED = 3
SUGGESTED_FROM_LETTERS = 2
"""With one letter half of all people would be meant."""

PEOPLE_LIMIT = 20
FOLDERS_LIMIT = 50
"""People and folders that one name may mean; a search is among all of them."""


def resolve(
    actor: Actor, wanted: Wanted, *, engine: Engine, fields: Fields = NO_FIELDS, inside_id: UUID | None = None
) -> Wanted:
    """Find the people, tags, folders and fields that are named.

    :param fields: fields of metadata by what is typed for them.
    :param inside_id: the folder to search in, instead of those that are named.
    :raises FilterInvalid: there is nobody of the name, no such tag, or no folder that the actor may see.
    """
    if wanted.owner_names:
        owner_ids = (wanted.filters.owner_ids or frozenset()) | _find_people(actor, wanted.owner_names)
        wanted = replace(wanted, filters=replace(wanted.filters, owner_ids=owner_ids))
    if wanted.tag_names:
        tag_ids = (wanted.filters.tag_ids or frozenset()) | _find_tags(actor, wanted.tag_names)
        wanted = replace(wanted, filters=replace(wanted.filters, tag_ids=tag_ids))
    if wanted.properties:
        read = tuple(
            properties.read_filter(
                actor, fields[properties.key_of(one.key)], key=one.key, value=one.value, is_negated=one.is_negated
            )
            for one in wanted.properties
        )
        wanted = replace(wanted, filters=replace(wanted.filters, properties=read))
    if inside_id is not None:
        return replace(wanted, inside_ids=frozenset({inside_id}))
    if wanted.folder_names:
        return replace(wanted, inside_ids=_find_folders(actor, wanted.folder_names, engine))
    return wanted


def suggest_people(actor: Actor, text: str) -> list[SuggestedPerson]:
    """Find people who are called as somebody types, for whoever may look people up: guests see those they share with, elsewhere."""
    text = " ".join(text.split())
    if actor.is_guest or len(text) < SUGGESTED_FROM_LETTERS or '"' in text or ":" in text:
        return []
    people = identity.search_directory(tenant=actor.tenant, text=text, limit=PEOPLE_SUGGESTED).people
    named = [(one.user.id, one.user.name.replace('"', "")) for one in people if one.user.name]
    return [SuggestedPerson(user_id, name, f'owner:"{name}"') for user_id, name in named]


def find_fields(actor: Actor, text: str) -> Fields:
    """Find the fields of metadata that a text may name, by what is typed for them; nothing is asked where it names none."""
    if not parsing.may_name_fields(text):
        return NO_FIELDS
    return properties.list_fields(metadata.list_templates(actor=actor))


def _find_people(actor: Actor, owner_names: tuple[str, ...]) -> frozenset[UUID]:
    found: set[UUID] = set()
    for name in owner_names:
        people = identity.search_directory(tenant=actor.tenant, text=name, limit=PEOPLE_LIMIT).people
        if not people:
            raise FilterInvalid("Nobody here is called “%(value)s”.", filter="owner", value=name)
        found.update(person.user.id for person in people)
    return frozenset(found)


def _find_tags(actor: Actor, tag_names: tuple[str, ...]) -> frozenset[UUID]:
    """Find tags by their whole names, or their ids: a tag that begins so is another."""
    tags = annotations.list_tags(actor=actor)
    known = {str(tag.id): tag.id for tag in tags} | {names.key_of(tag.name): tag.id for tag in tags}
    found = set()
    for name in tag_names:
        tag_id = known.get(names.key_of(" ".join(name.split())))
        if tag_id is None:
            raise FilterInvalid("There is no tag called “%(value)s”.", filter="tag", value=name)
        found.add(tag_id)
    return frozenset(found)


def _find_folders(actor: Actor, folder_names: tuple[str, ...], engine: Engine) -> frozenset[UUID]:
    found: set[UUID] = set()
    for name in folder_names:
        node_ids = engine.list_folders(name, limit=FOLDERS_LIMIT)
        visible = files.find_visible(actor=actor, node_ids=node_ids) if node_ids else {}
        if not visible:
            raise FilterInvalid("There is no folder called “%(value)s”.", filter="in", value=name)
        found.update(visible)
    return frozenset(found)
