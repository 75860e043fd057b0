"""A folder's rules for files: set by who manages it, told to who may know of it."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from apps.files import access, errors, limits, models
from apps.files.admitting import Rule, find_in_force, list_rules_of_folders, read_stored
from apps.files.dtos import NodeRef
from apps.files.dtos.rules import EXTENSIONS_LIMIT, FolderRules, RulesAbove, StoredRules
from apps.files.rows import Way, find_way
from apps.files.tree import require_folder, tree_transaction
from bitvault.events.api import publish
from bitvault.events.catalog.files import RulesChanged
from bitvault.kernel import clock, db, file_rules
from bitvault.kernel.actor import Actor
from bitvault.kernel.capabilities import Capability
from bitvault.kernel.file_rules import FileRules, FileTypes


def read_rules(*, types: FileTypes, extensions: Sequence[str], largest_bytes: int | None) -> FileRules:
    """Read rules as somebody writes them.

    :raises RulesUnfit: one cannot be read, or they say nothing.
    """
    if len(extensions) > EXTENSIONS_LIMIT:
        raise errors.RulesUnfit("These are more than 200 types.", field="file_extensions")
    if largest_bytes is not None and not 1 <= largest_bytes <= limits.FILE_LIMIT_BYTES:
        raise errors.RulesUnfit("The largest file has between 1 byte and 5 TB.", field="largest_file_bytes")
    read: list[str] = []
    for text in extensions:
        extension = file_rules.read_extension(text)
        if extension is None:
            raise errors.RulesUnfit("Write each type like .exe or .tar.gz.", field="file_extensions", value=text)
        read.append(extension)
    if types == "only" and not read:
        raise errors.RulesUnfit("Name the types of files that may come in.", field="file_extensions")
    return FileRules(types, tuple(dict.fromkeys(read)), largest_bytes)


def set_rules(*, actor: Actor, node_id: NodeRef, rules: FileRules | None) -> FolderRules:
    """Give a folder other rules, or none; what lies in it stays."""
    vault = file_rules.current()
    with tree_transaction() as tx:
        way = require_folder(access.require(actor, find_way(node_id, actor), Capability.MANAGE))
        before = read_stored(way.node)
        wanted = rules if rules is not None and rules.refuses_something else None
        if wanted != (before and before.rules):
            stored = None if wanted is None else _to_stored(actor, wanted)
            built = None if stored is None else msgspec.to_builtins(stored)
            models.Node.objects.filter(id=way.node.id).update(file_rules=built)
            publish(
                RulesChanged(
                    actor_id=actor.user_id,
                    node_id=way.node.id,
                    name=way.node.name,
                    types=wanted.types if wanted else "all",
                    extensions=wanted.extensions if wanted else (),
                    largest_bytes=wanted.largest_bytes if wanted else None,
                )
            )
            text = None if stored is None else msgspec.json.encode(stored).decode()
            way = Way([way.node._replace(file_rules=text), *way.rows[1:]])
        return tx.answer(_describe(actor, vault, way))


def get_rules(actor: Actor, node_id: NodeRef) -> FolderRules:
    """Read the rules of a folder that the actor may know of."""
    vault = file_rules.current()
    with db.read_transaction():
        way = require_folder(access.require_known(actor, find_way(node_id, actor)))
    return _describe(actor, vault, way)


def _to_stored(actor: Actor, rules: FileRules) -> StoredRules:
    return StoredRules(
        types=rules.types,
        extensions=rules.extensions,
        largest_bytes=rules.largest_bytes,
        set_by=actor.user_id,
        set_at=clock.now(),
    )


def _describe(actor: Actor, vault: FileRules, way: Way) -> FolderRules:
    own = read_stored(way.node)
    rules = [Rule(vault)] if vault.refuses_something else []
    rules += [rule for rule in list_rules_of_folders(way) if rule.way is not None and rule.way.node.id != way.node.id]
    return FolderRules(
        node_id=way.node.id,
        file_types=own.types if own else "all",
        file_extensions=own.extensions if own else (),
        largest_file_bytes=own.largest_bytes if own else None,
        set_by=own.set_by if own else None,
        set_at=own.set_at if own else None,
        above=[_tell(actor, rule) for rule in rules],
        in_force=find_in_force(vault, way),
    )


def _tell(actor: Actor, rule: Rule) -> RulesAbove:
    way = rule.way
    folder_id: UUID | None = None
    folder_name: str | None = None
    if way is not None and access.knows(actor, way, access.find_mask(actor, way)):
        folder_id, folder_name = way.node.id, way.node.name
    return RulesAbove(
        rule_of="vault" if way is None else "folder",
        folder_id=folder_id,
        folder_name=folder_name,
        file_types=rule.rules.types,
        file_extensions=rule.rules.extensions,
        largest_file_bytes=rule.rules.largest_bytes,
    )
