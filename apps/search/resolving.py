"""People and folders that a query names: found by who is asked of, as far as they may see them."""

from dataclasses import replace
from uuid import UUID

from apps.files import api as files
from apps.identity import api as identity
from apps.search.engine import Engine
from apps.search.errors import FilterInvalid
from apps.search.parsing import Wanted
from bitvault.kernel.actor import Actor

PEOPLE_LIMIT = 20
FOLDERS_LIMIT = 50
"""People and folders that one name may mean; a search is among all of them."""


def resolve(actor: Actor, wanted: Wanted, *, engine: Engine, inside_id: UUID | None = None) -> Wanted:
    """Find the people and folders that are named.

    :param inside_id: the folder to search in, instead of those that are named.
    :raises FilterInvalid: there is nobody of the name, or no folder that the actor may see.
    """
    if wanted.owner_names:
        owner_ids = (wanted.filters.owner_ids or frozenset()) | _find_people(actor, wanted.owner_names)
        wanted = replace(wanted, filters=replace(wanted.filters, owner_ids=owner_ids))
    if inside_id is not None:
        return replace(wanted, inside_ids=frozenset({inside_id}))
    if wanted.folder_names:
        return replace(wanted, inside_ids=_find_folders(actor, wanted.folder_names, engine))
    return wanted


def _find_people(actor: Actor, names: tuple[str, ...]) -> frozenset[UUID]:
    found: set[UUID] = set()
    for name in names:
        people = identity.search_directory(tenant=actor.tenant, text=name, limit=PEOPLE_LIMIT).people
        if not people:
            raise FilterInvalid(f"Nobody here is called “{name}”.", filter="owner", value=name)
        found.update(person.user.id for person in people)
    return frozenset(found)


def _find_folders(actor: Actor, names: tuple[str, ...], engine: Engine) -> frozenset[UUID]:
    found: set[UUID] = set()
    for name in names:
        node_ids = engine.list_folders(name, limit=FOLDERS_LIMIT)
        visible = files.find_visible(actor=actor, node_ids=node_ids) if node_ids else {}
        if not visible:
            raise FilterInvalid(f"There is no folder called “{name}”.", filter="in", value=name)
        found.update(visible)
    return frozenset(found)
